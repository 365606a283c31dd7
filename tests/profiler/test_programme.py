"""Programme and the synthetic instruments that play it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from profiler.instruments import drum_kit, electric_piano, organ, plucked_string, strings_pad, voice
from profiler.programme import PASSAGES, programme

RATES = [8000, 44_100, 96_000]
PITCHED = [
    lambda rng, **common: plucked_string(rng, **common, hardness=0.6, decay_seconds=3),
    lambda rng, **common: electric_piano(rng, **common, hardness=0.3, decay_seconds=3),
    organ,
    lambda rng, **common: strings_pad(rng, **common, brightness=0.5),
]


def crest_db(sound):
    """Return by how much the peak stands above the RMS level."""
    return 20 * np.log10(np.abs(sound).max() / np.sqrt(np.mean(np.square(sound, dtype=float))))


def windows_db(sound, frames):
    """Return the RMS level of each stretch of so many frames."""
    whole = sound[: len(sound) // frames * frames].reshape(-1, frames).astype(float)
    return 10 * np.log10(np.mean(whole**2, axis=1) + 1e-12)


@pytest.mark.parametrize("play", sorted(set(PASSAGES), key=lambda play: play.__name__))
@pytest.mark.parametrize("sample_rate", RATES)
def test_every_passage_is_sound_at_every_seed(play, sample_rate):
    """No passage blows up or dies: it is finite, and its RMS level within 30 dB of its peak, above a mere square's."""
    for seed in range(24 if sample_rate == 8000 else 4):
        sound = play(np.random.default_rng([seed, 1]), sample_rate, 3 * sample_rate)
        assert sound.shape == (3 * sample_rate,)
        assert np.isfinite(sound).all()
        assert 3 < crest_db(sound) < 30
        assert 0.01 < np.abs(sound).max() < 100


@settings(max_examples=60)
@given(
    st.sampled_from([8000, 48_000]),
    st.floats(30, 2500),
    st.floats(0, 1),
    st.floats(0.05, 10),
    st.floats(0, 1),
    st.integers(0, 2**32),
)
def test_a_string_only_ever_fades(sample_rate, frequency, hardness, decay_seconds, damping, seed):
    """Whatever the pitch and the touch, the loop never gains: no second half is louder than the first."""
    string = plucked_string(
        np.random.default_rng(seed),
        sample_rate=sample_rate,
        frames=sample_rate,
        frequency=frequency,
        hardness=hardness,
        decay_seconds=decay_seconds,
        damping=damping,
    )
    first, second = np.split(string, 2)
    assert 0.5 < np.abs(string).max() <= 1 + 1e-9
    assert np.sum(second**2) <= np.sum(first**2)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("frequency", [82.41, 220, 440, 1000])
def test_a_string_is_in_tune(sample_rate, frequency):
    """Its fundamental is within five cents of what was asked for, though its delay line has whole frames."""
    string = plucked_string(
        np.random.default_rng(1),
        sample_rate=sample_rate,
        frames=2 * sample_rate,
        frequency=frequency,
        hardness=0.7,
        decay_seconds=3,
    )
    spectrum = np.abs(np.fft.rfft(string * np.hanning(len(string)), 8 * len(string)))
    pitches = np.fft.rfftfreq(8 * len(string), 1 / sample_rate)
    near = (pitches > 0.9 * frequency) & (pitches < 1.1 * frequency)
    found = pitches[near][spectrum[near].argmax()]
    assert 1200 * np.log2(found / frequency) == pytest.approx(0, abs=5)


@pytest.mark.parametrize("play", PITCHED)
@pytest.mark.parametrize("sample_rate", RATES)
def test_a_note_has_its_pitch(play, sample_rate):
    """A note of 220 Hz repeats itself after 1/220 s (an organ's lowest drawbar: after twice that)."""
    note = play(np.random.default_rng(4), sample_rate=sample_rate, frames=sample_rate, frequency=220.0)
    assert note.shape == (sample_rate,)
    middle = note[sample_rate // 4 : sample_rate // 2]
    lag = round(2 * sample_rate / 220)
    assert np.corrcoef(middle[:-lag], middle[lag:])[0, 1] > 0.7


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("seed", range(5))
def test_drums_and_voice_are_finite(sample_rate, seed):
    """Noise-like instruments give the frames asked for at a level one can use."""
    rng = np.random.default_rng(seed)
    for sound in (
        drum_kit(rng, sample_rate=sample_rate, frames=4 * sample_rate),
        voice(rng, sample_rate=sample_rate, frames=sample_rate // 3, frequency=150),
    ):
        assert np.isfinite(sound).all()
        assert 1e-3 < np.abs(sound).max() < 20
        assert crest_db(sound) < 30


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sample_rate", [8000, 44_100])
def test_programme_goes_through_many_levels(seed, sample_rate):
    """Loud and quiet stretches are both there, well over 20 dB apart, and nothing is beyond full scale."""
    sound = programme(seed, sample_rate=sample_rate, frames=60 * sample_rate)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert 0.5 < np.abs(sound).max() <= 0.9 + 1e-6
    levels = windows_db(sound, sample_rate)
    assert np.percentile(levels, 95) > -22
    assert np.percentile(levels, 95) - np.percentile(levels, 10) > 12
    assert np.median(levels) > -45


BANDS_HZ = (63, 125, 250, 500, 1000, 2000, 4000, 8000)
RECORDED_DB = {
    "_lead": (-14.2, -7.6, -4.0, -6.4, -8.8, -15.5, -29.7),
    "_bass": (-4.3, -3.6, -9.8, -14.5, -20.1, -28.9),  # the two are 29 dB apart above 4 kHz
    "": (-8.7, -6.3, -4.9, -7.8, -10.7, -16.3, -22.1),
}
"""Levels of octaves from 63 Hz on, against the whole, of eight recorded guitars, two basses, and 17 instruments."""


def octaves_db(sound, sample_rate):
    """Return the level of each of those octaves against the whole."""
    frequencies, power = signal.welch(sound, sample_rate, nperseg=8192)
    inside = [power[(frequencies >= low) & (frequencies < 2 * low)].sum() for low in BANDS_HZ[:-1]]
    return 10 * np.log10(np.asarray(inside) / power.sum())


@pytest.mark.parametrize("kind", RECORDED_DB)
def test_programme_has_the_spectrum_of_recorded_playing(kind):
    """What a profile learns from sounds as dull and as deep as what it will play: within 6 dB, and 3 on average."""
    if kind:
        (play,) = {each for each in PASSAGES if each.__name__ == kind}
        sounds = [play(np.random.default_rng([seed, 5]), 48_000, 6 * 48_000) for seed in range(20)]
        sound = np.concatenate([each / np.abs(each).max() for each in sounds])
    else:
        sound = programme(2, sample_rate=48_000, frames=180 * 48_000)
    recorded = RECORDED_DB[kind]
    apart = np.abs(octaves_db(sound, 48_000)[: len(recorded)] - recorded)
    assert apart.max() < 6
    assert apart.mean() < 3


def test_programme_is_as_loud_as_recorded_playing():
    """With the peak at -3 dBFS half of all tenths of a second of 17 recordings are above -23 dBFS."""
    sound = programme(2, sample_rate=48_000, frames=180 * 48_000)
    levels = windows_db(sound / np.abs(sound).max() * 10 ** (-3 / 20), 4800)
    assert np.median(levels) == pytest.approx(-23, abs=3)


def test_programme_depends_on_its_seed_alone():
    """The same seed gives the same programme, and a longer one begins as the shorter one does."""
    longer, shorter = (programme(9, sample_rate=8000, frames=seconds * 8000) for seconds in (40, 25))
    np.testing.assert_array_equal(longer[: 16 * 8000], shorter[: 16 * 8000])
    np.testing.assert_array_equal(shorter, programme(9, sample_rate=8000, frames=25 * 8000))
    assert np.abs(programme(10, sample_rate=8000, frames=8000) - longer[:8000]).max() > 0.01


@pytest.mark.parametrize("frames", [0, 1, 2, 31, 1000])
@pytest.mark.parametrize("seed", range(4))
def test_the_shortest_programme_is_finite(seed, frames):
    """A passage cut down to a few frames by the end is still sound."""
    sound = programme(seed, sample_rate=8000, frames=frames)
    assert sound.shape == (frames,)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max(initial=0) <= 0.9 + 1e-6
