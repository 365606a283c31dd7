"""Loudness, on the cases of EBU Tech 3341 and BS.1770."""

import numpy as np
import pytest
from scipy import signal

from profiler.audio import Samples
from profiler.listening.loudness import RunningLoudness, k_weighting

RATE = 48_000


def tone(level_db: float, seconds: float, *, frequency: float = 1000.0, rate: int = RATE, channels: int = 2) -> Samples:
    """Return a sine of a peak level in dBFS in every channel."""
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)
    return np.tile(wave, (channels, 1)).astype(np.float32)


def loudness(samples: Samples, rate: int = RATE, frames: int = 1 << 18) -> float | None:
    """Return what pieces of so many frames come to."""
    running = RunningLoudness(rate)
    for start in range(0, samples.shape[1], frames):
        running.hear(samples[:, start : start + frames])
    return running.value


def test_the_weighting_is_the_standards():
    """At 48 kHz the coefficients are those that BS.1770 prints."""
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
    low_cut = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]
    np.testing.assert_allclose(k_weighting(RATE), [shelf, low_cut], atol=2e-9)


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_the_weighting_is_the_same_at_other_rates(rate: int):
    """The response is that at 48 kHz, well below half the rate."""
    hertz = np.geomspace(20, 3000, 40)
    found, expected = (
        20 * np.log10(np.abs(signal.freqz_sos(k_weighting(each), hertz, fs=each)[1])) for each in (rate, RATE)
    )
    np.testing.assert_allclose(found, expected, atol=0.1)


def test_a_full_scale_sine_in_one_channel():
    """BS.1770: 0 dBFS at 997 Hz is -3.01 LKFS."""
    assert loudness(tone(0, 20, frequency=997, channels=1)) == pytest.approx(-3.01, abs=0.005)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
)
@pytest.mark.parametrize("rate", [44_100, RATE])
def test_the_cases_of_tech_3341(parts: list[tuple[float, float]], expected: float, rate: int):
    """Both gates, to the tenth of a LU that the document allows."""
    samples = np.concatenate([tone(level, seconds, rate=rate) for level, seconds in parts], axis=1)
    assert loudness(samples, rate) == pytest.approx(expected, abs=0.1)


def test_any_pieces_give_that_of_the_whole():
    """Blocks lie across pieces as they would in the whole."""
    samples = np.concatenate([tone(-30, 1.03), tone(-12, 0.77)], axis=1)
    whole = loudness(samples)
    for frames in (977, 4801):
        assert loudness(samples, frames=frames) == pytest.approx(whole, abs=1e-9)


def test_silence_has_no_loudness():
    """Nothing above the absolute gate, or less than a block."""
    assert loudness(tone(-80, 2)) is None
    assert loudness(tone(-10, 0.39)) is None
    assert loudness(np.zeros((1, 0), np.float32)) is None
