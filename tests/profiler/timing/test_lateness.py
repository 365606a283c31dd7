"""Lateness, measured on synthetic playing through gear of every kind, with known delays and noise."""

import functools

import numpy as np
import pytest

from profiler.pedalboard_effect import PedalboardEffect
from profiler.programme import programme
from profiler.timing import CLEAR, measure_lateness

RATE = 48_000
FRAMES = 5 * RATE

GEAR = {
    "clean": (("Gain", {"gain_db": -6}),),
    "EQ": (
        ("PeakFilter", {"cutoff_frequency_hz": 800, "gain_db": 9, "q": 1.0}),
        ("HighShelfFilter", {"cutoff_frequency_hz": 4000, "gain_db": -9}),
    ),
    "soft clipper": (("Distortion", {"drive_db": 12}),),
    "compressor": (("Compressor", {"threshold_db": -24, "ratio": 4, "attack_ms": 5, "release_ms": 80}),),
    "fuzz": (
        ("HighpassFilter", {"cutoff_frequency_hz": 120}),
        ("Distortion", {"drive_db": 45}),
        ("Clipping", {"threshold_db": -12}),
        ("LowpassFilter", {"cutoff_frequency_hz": 5000}),
    ),
}
WORST = {"clean": 0.5, "EQ": 0.75, "soft clipper": 0.5, "compressor": 1.0, "fuzz": 2.5}
"""In frames; the most seen over forty seeds and eight delays were 0.25, 0.38, 0.25, 0.63 and 1.56."""

DELAYS = ((960.0, -1, 0.0), (-2000.0, 1, -20.0), (20_000.0, -1, -10.0), (17.75, 1, 6.0), (-311.25, -1, 0.0))


@functools.cache
def playing(seed: int, frames: int = FRAMES):
    """Return mono playing."""
    return programme(seed, sample_rate=RATE, frames=frames)


@functools.cache
def played_through(gear: str, seed: int):
    """Return playing through gear that adds no delay of its own."""
    samples = playing(seed)[None]
    for name, settings in GEAR[gear]:
        effect = PedalboardEffect(name, settings)
        samples = np.concatenate([effect.feed(samples, RATE), effect.flush()], axis=1)
    return samples[0]


def late(samples, frames: float):
    """Return samples delayed by frames, fractions included, and as long as before."""
    size = len(samples) + 2**16
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(size) * frames)
    return np.fft.irfft(np.fft.rfft(samples, size) * turn, size)[: len(samples)].astype(np.float32)


def noisy(samples, seed: int):
    """Return samples with white noise 20 dB below them, of another stream than the programme of that seed is."""
    level = np.sqrt(np.mean(samples.astype(np.float64) ** 2)) / 10
    return (samples + np.random.default_rng(100 + seed).normal(0, level, len(samples))).astype(np.float32)


@pytest.mark.parametrize("gear", GEAR)
@pytest.mark.parametrize("seed", [0, 1, 7, 13])
def test_known_delays_are_found(gear, seed):
    """Whatever the delay, the polarity, the gain and the noise, the lateness is right to a few frames."""
    delay, polarity, gain_db = DELAYS[(seed + list(GEAR).index(gear)) % len(DELAYS)]
    wet = noisy(late(played_through(gear, seed), delay) * polarity * 10 ** (gain_db / 20), seed)
    found = measure_lateness(playing(seed), wet, RATE)
    assert found.frames == pytest.approx(delay, abs=WORST[gear])
    assert found.polarity == polarity
    assert found.clearness > 3


@pytest.mark.parametrize("delay", [0.0, 0.5, -0.25, 960.0, 5000.3, -2000.75])
def test_a_wire_is_measured_exactly(delay):
    """Without gear and noise a sixteenth of a frame is what may be missing."""
    found = measure_lateness(playing(1), late(playing(1), delay), RATE)
    assert found.frames == pytest.approx(delay, abs=1 / 16)
    assert found.polarity == 1


@pytest.mark.parametrize(("one", "other"), [(0, 1), (2, 3), (4, 5), (6, 7), (5, 0), (3, 6)])
def test_other_playing_is_not_clear(one, other):
    """The best match of two recordings that have nothing in common hardly stands out."""
    assert measure_lateness(playing(one), playing(other), RATE).clearness < 2.5


def test_noise_is_not_clear():
    """Noise follows nothing."""
    noise = np.random.default_rng(100).normal(0, 0.1, FRAMES).astype(np.float32)
    assert measure_lateness(playing(0), noise, RATE).clearness < 2.5


@pytest.mark.parametrize("delay", [0, 100, -100, 8000, -8000])
def test_takes_shorter_than_the_search(delay):
    """Half a second of playing is mostly enough, though a second is searched; where it is not, the match is unclear."""
    clear = 0
    for seed in range(5):
        dry = playing(seed)[RATE : RATE + RATE // 2 + 100]
        silence = np.zeros(abs(delay), np.float32)
        wet = np.concatenate([silence, dry] if delay >= 0 else [dry[-delay:], silence])
        found = measure_lateness(dry, wet, RATE)
        if found.clearness > CLEAR:
            clear += 1
            assert abs(found.frames - delay) < max(0.5, found.uncertainty_frames)
    assert clear >= 4


def test_recordings_of_different_lengths():
    """The wet may break off early, run on, or leave out the loudest part of the dry."""
    dry = playing(1)
    for wet in (dry[: 2 * RATE], np.concatenate([np.zeros(4800, np.float32), dry, dry[::-1]])):
        found = measure_lateness(dry, wet, RATE)
        assert found.frames == pytest.approx(4800 * (len(wet) > len(dry)), abs=1 / 16)
    rising = np.linspace(0.01, 1, 80 * 8000, dtype=np.float32) * np.random.default_rng(0).normal(0, 0.1, 80 * 8000)
    missed = measure_lateness(rising.astype(np.float32), rising[: 10 * 8000].astype(np.float32), 8000)
    assert missed.clearness < 2.5


def test_silence_is_not_clear():
    """A silent wet matches nowhere, and nothing is divided by it."""
    assert measure_lateness(playing(0), np.zeros(FRAMES, np.float32), RATE).clearness == 0
