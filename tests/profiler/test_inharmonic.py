"""Aliasing, from sweeps whose aliasing is known."""

import numpy as np
import pytest
from scipy import signal

from profiler.inharmonic import inharmonic_share
from profiler.tones import sweeps

RATE = 48_000
SWEEPS = sweeps(sample_rate=RATE, seconds=1.5)
STILL = np.ones(len(SWEEPS), np.bool_)


def measured(wet: np.ndarray, *, still: np.ndarray | None = None, rate: int = RATE) -> float:
    """Return the inharmonic share in dB."""
    share = inharmonic_share(wet, np.ones(len(wet), np.bool_) if still is None else still, rate)
    return 10 * np.log10(share)


def clipped(samples: np.ndarray, times: int) -> np.ndarray:
    """Return hard-driven samples, oversampled so many times with a filter that lets nothing through."""
    window = ("kaiser", 14)
    driven = np.tanh(10 * signal.resample_poly(samples, times, 1, window=window))
    return signal.resample_poly(driven, 1, times, window=window)


@pytest.mark.parametrize("rate", [RATE, 96_000])
def test_filters_make_nothing_inharmonic(rate: int):
    """A low cut, a treble cut and a resonance stay near the floor of the measure, which lies at about -90 dB."""
    played = sweeps(sample_rate=rate, seconds=4.0)
    sections = [signal.butter(2, 80, "high", fs=rate, output="sos"), signal.butter(2, 5000, fs=rate, output="sos")]
    peak = np.concatenate(signal.iirpeak(3000, 8, fs=rate))[None]
    wet = played + signal.sosfilt(peak, signal.sosfilt(np.concatenate(sections), played))
    assert measured(wet, rate=rate) < -75


def test_oversampling_is_told_from_none():
    """The same clipping makes far more aliases without oversampling, less and less with more."""
    bare, twice, eight = (measured(clipped(SWEEPS, times)) for times in (1, 2, 8))
    assert -35 < bare < -25
    assert bare - 5 > twice > eight
    assert eight < -55


def test_what_is_added_is_what_is_measured():
    """A tone and white noise are found at their levels, less what of them lies at harmonics or above 20 kHz."""
    loud = np.concatenate([np.zeros(len(SWEEPS) // 2), np.ones(len(SWEEPS) // 2)]) * SWEEPS
    time = np.arange(len(SWEEPS)) / RATE
    tone = 10 ** (-46 / 20) * np.sin(2 * np.pi * 7300 * time)
    assert measured(loud + tone * (loud != 0)) == pytest.approx(-40.7, abs=0.5)
    noise = np.random.default_rng(3).normal(0, 0.5 / np.sqrt(2) * 10 ** (-50 / 20), len(SWEEPS)) * (loud != 0)
    assert measured(loud + noise) == pytest.approx(-51.5, abs=1)


def test_noise_alone_has_hardly_any_harmonics():
    """It is more inharmonic than not."""
    assert measured(np.random.default_rng(3).normal(0, 0.1, len(SWEEPS))) > 3


def test_a_click_counts_only_where_no_knob_moves():
    """What a moving knob leaves in the sound is no aliasing."""
    at = len(SWEEPS) // 2 + int(0.75 * len(SWEEPS) / 2)
    wet = SWEEPS.copy()
    wet[at] += 0.5
    still = STILL.copy()
    still[at] = False
    assert measured(wet, still=still) < -75
    assert measured(wet) > -60


def test_silence_and_endless_moves_have_no_share():
    """There is nothing to compare with."""
    assert inharmonic_share(0 * SWEEPS, STILL, RATE) is None
    assert inharmonic_share(SWEEPS, ~STILL, RATE) is None
