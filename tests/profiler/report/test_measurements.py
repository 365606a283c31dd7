"""What the pictures show is what is there: tones through known curves, levels, spectra, players, drawing."""

import base64
import re
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from profiler.knob import Knob
from profiler.profile import LoadedProfile
from profiler.report import tone_answers
from profiler.report.knob_sweeps import Windows, bands_hz, by_position, learnt_alone
from profiler.report.players import player
from profiler.report.playing import banded, finite_mono, levels_by_level, loudest_moment, worst_excerpt
from profiler.report.spectrogram import png_url, spectrogram
from profiler.report.svg import Axis, Line, chart
from profiler.report.tone_answers import ramps, swept

RATE = 48_000
SWEEPS, RAMPS = tone_answers.measuring_tones(RATE)


def test_harmonics_of_a_polynomial_by_frequency():
    """x + x^2/10 has a second harmonic of a/20 to the fundamental, no third, at every frequency and level."""
    still = np.ones(len(SWEEPS), np.bool_)
    soft, loud = swept(SWEEPS, SWEEPS + 0.1 * SWEEPS**2, still, RATE)
    assert (soft.level_db, loud.level_db) == (-30, -6)
    for sweep in (soft, loud):
        middle = (sweep.frequency_hz > 200) & (sweep.frequency_hz < 4000)
        expected = 20 * np.log10(10 ** (sweep.level_db / 20) / 20)
        assert sweep.harmonics_db[0][middle] == pytest.approx(expected, abs=0.3)
        assert sweep.distortion_db[middle] == pytest.approx(expected, abs=0.5)
        assert (sweep.harmonics_db[1][middle] < expected - 30).all()
        assert sweep.gain_db[middle] == pytest.approx(0, abs=0.05)


def test_what_knobs_moved_in_is_left_out():
    """Where a knob moves, a tone tells nothing; a second away it does."""
    still = np.ones(len(SWEEPS), np.bool_)
    still[RATE] = False
    first, _ = swept(SWEEPS, SWEEPS, still, RATE)
    assert 0.005 < np.isnan(first.gain_db).mean() < 0.2


def test_static_curve_and_levels_of_a_tanh():
    """The curve is tanh itself, a loud tone is held down, and odd harmonics come up with level."""
    curve = np.tanh(3 * RAMPS) / 3
    found = ramps(RAMPS, curve, np.ones(len(RAMPS), np.bool_), RATE)
    assert [round(ramp.frequency_hz) for ramp in found] == [82, 220, 1000, 4000]
    ramp = found[1]
    assert ramp.curve_out == pytest.approx(np.tanh(3 * ramp.curve_in) / 3)
    assert np.abs(ramp.curve_in).max() > 0.8
    assert ramp.out_db[0] == pytest.approx(ramp.in_db[0], abs=0.1)
    assert ramp.out_db[-1] < ramp.in_db[-1] - 5
    assert ramp.harmonics_db[1][-1] > -20 > ramp.harmonics_db[1][0]
    assert ramp.harmonics_db[0][-1] < -60


def test_spectrum_finds_a_tone():
    """A tone of 1 kHz peaks at 1 kHz."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    frequency, level = banded(tone, RATE)
    assert frequency[int(np.argmax(level))] == pytest.approx(1000, rel=0.06)
    assert level.max() > np.median(level) + 60


@pytest.mark.parametrize("frames", [1, 100, 48_000])
def test_excerpts_hold_what_matters(frames: int):
    """The loudest moment holds the peak and the worst excerpt the error, however short the take."""
    samples = np.zeros(frames, np.float32)
    samples[frames * 2 // 3] = 0.5
    assert samples[loudest_moment(samples, 1440)].max() == 0.5
    assert (samples - samples * 0)[worst_excerpt(samples, samples * 0, 1440)].max() == 0.5
    frequency, level = banded(samples, RATE)
    assert len(frequency) == len(level)


def test_what_is_no_number_is_silence():
    """Channels are averaged, and NaN or infinity of a profile that went wrong is drawn as nothing."""
    samples = np.asarray([[1, np.nan, np.inf], [0, 1, 1]], np.float32)
    assert finite_mono(samples).tolist() == [0.5, 0, 0]


def test_levels_by_level_of_a_limiter():
    """Halved below -20 dB and held above: so the curve says."""
    rng = np.random.default_rng(0)
    steps = np.repeat(np.arange(-50, -3, 3.0), 10)
    dry = np.concatenate([rng.choice([-1, 1], 2400) * 10 ** (step / 20) for step in steps]).astype(np.float32)
    limit = np.minimum(np.abs(dry), 0.1) * np.sign(dry) / 2
    level, (out,) = levels_by_level(dry, [limit.astype(np.float32)], RATE)
    quiet, loud = level < -23, level > -17
    assert out[quiet] == pytest.approx(level[quiet] - 6, abs=1.6)
    assert out[loud] == pytest.approx(-26, abs=0.1)


def test_a_knob_that_is_a_gain():
    """Where gear's gain follows a knob and learnt's does not, the picture says so at each place."""
    knobs = (Knob(id="gain", name="Gain", maximum=20.0),)
    positions = np.linspace(0.05, 0.95, 60, dtype=np.float32)[:, None]
    dry = np.ones((60, len(bands_hz(RATE))))
    windows = Windows(
        positions=positions, dry=dry, gear=dry * 10 ** (2 * positions), learnt=dry, frequency_hz=bands_hz(RATE)
    )
    places = by_position(knobs, windows)["gain"]
    assert [place.gear_db for place in places] == pytest.approx([20 * place.at for place in places], abs=0.6)
    assert [place.learnt_db for place in places] == pytest.approx([0] * 5)
    assert [place.word for place in places][:2] == ["0 to 4", "4 to 8"]
    one_place = Windows(positions=positions * 0, dry=dry, gear=dry, learnt=dry, frequency_hz=bands_hz(RATE))
    assert by_position(knobs, one_place)["gain"] == ()


def test_a_knob_alone(convolutional: Callable[..., LoadedProfile]):
    """A switch has a place for each of its choices, a knob five from end to end."""
    loaded = convolutional()
    drive, _, voice = loaded.profile.knobs
    assert [place.word for place in learnt_alone(loaded, voice)] == ["dark", "bright"]
    places = learnt_alone(loaded, drive)
    assert [place.at for place in places] == [0, 0.25, 0.5, 0.75, 1]
    assert len({round(place.learnt_db, 3) for place in places}) == 5


def test_players_are_equally_loud():
    """A learnt at half the level is brought up by 6 dB, and at true levels stays half as loud."""
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)
    found = player(tone, tone, tone / 2, RATE)
    assert found.learnt.equal_gain / found.gear.equal_gain == pytest.approx(2, rel=1e-3)
    assert found.learnt.true_gain == found.gear.true_gain
    assert found.amplify_db == 6
    player(tone * 0, tone * 0, tone * 0, RATE)
    player(tone[:1], tone[:1], tone[:1], RATE)


def test_spectrogram_is_a_picture():
    """A tone is the lightest row of a PNG that holds what its header says."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    levels = spectrogram(tone, RATE)
    assert levels is not None
    frequencies = np.geomspace(16_000, 60, len(levels))
    assert frequencies[levels.mean(axis=1).argmax()] == pytest.approx(1000, rel=0.06)
    png = base64.b64decode(png_url(levels, 0.0).split(",")[1])
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert (height, width) == levels.shape
    start = png.index(b"IDAT") + 4
    assert len(zlib.decompress(png[start : png.index(b"IEND") - 8])) == height * (width + 1)
    assert spectrogram(tone[:100], RATE) is None


def test_a_chart_escapes_and_breaks():
    """Words are escaped, what has no place breaks the line, and points stand where the axes say."""
    x = Axis(label="<b>", low=0, high=10)
    y = Axis(label="dB", low=-10, high=0)
    drawn = str(
        chart("<i>", x, y, [Line(name="&", look="gear", x=np.arange(5.0), y=np.array([0, -10, np.nan, -5, 0.0]))])
    )
    assert "<b>dB" not in drawn
    assert "&lt;b&gt;" in drawn
    path = re.search(r'class="gear" d="(M[^"]+)"/></svg></svg>', drawn)[1]
    assert path.count("M") == 2
    assert path.startswith("M0.0 0.0L")
    assert "nan" not in drawn


def test_logarithmic_axes_have_round_ticks():
    """From 50 Hz to 16 kHz the ticks are decades, and none lies outside."""
    ticks = Axis(label="Hz", low=50, high=16_000, log=True).ticks
    assert [word for _, word in ticks][:2] == ["100", "300"] or [word for _, word in ticks] == ["100", "1k", "10k"]
    assert all(50 <= value <= 16_000 for value, _ in ticks)
