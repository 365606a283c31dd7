"""Test tones: the measuring parts of a stimulus. Each returns mono float64 between -1 and 1."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft

__all__ = [
    "BLIP_GAP_SECONDS",
    "BLIP_POLARITIES",
    "CHIRP_GAP_SECONDS",
    "blip_frames",
    "blips",
    "chirps",
    "level_ramps",
    "ramp_pitches",
    "stepped_noise",
    "sweep_phase",
    "sweeps",
]

Wave = NDArray[np.float64]

BLIP_POLARITIES = (1, -1, 1)
BLIP_GAP_SECONDS = 0.5
_BLIP_LEVEL = 0.4
CHIRP_GAP_SECONDS = 0.04
_CHIRP_SECONDS = 0.019
_CHIRP_LEVEL_DB = -12.0
_CHIRP_LOW_HZ = 50.0
_CHIRP_FADE_SECONDS = 0.001
_NOISE_RMS_DB = (-60.0, -40.0, -20.0)
_SWEEP_LOW_HZ = 20.0
_SWEEP_LEVELS_DB = (-30.0, -6.0)
_RAMP_HZ = (82.41, 220.0, 1000.0, 4000.0)
_RAMP_DB = (-60.0, -1.0)


def blips(sample_rate: int) -> Wave:
    """Return three single-frame pulses of both polarities: latency, polarity, asymmetry."""
    frames = blip_frames(sample_rate)
    out = np.zeros(frames[-1] + int(BLIP_GAP_SECONDS * sample_rate))
    out[frames] = [_BLIP_LEVEL * polarity for polarity in BLIP_POLARITIES]
    return out


def blip_frames(sample_rate: int) -> list[int]:
    """Return where each blip stands in `blips`."""
    gap = int(BLIP_GAP_SECONDS * sample_rate)
    return [gap // 2 + number * gap for number in range(len(BLIP_POLARITIES))]


def stepped_noise(rng: Generator, *, sample_rate: int, seconds: float) -> Wave:
    """Return pink noise at -60, -40 and -20 dBFS RMS, `seconds` each: the response to small signals."""
    count = int(seconds * sample_rate)
    return np.concatenate([_pink(rng, count) * 10 ** (level / 20) for level in _NOISE_RMS_DB])


def chirps(*, sample_rate: int, seconds: float) -> Wave:
    """Return a train of equal chirps of 19 ms at -12 dBFS, one every 40 ms: does the gear stay the same?

    Each is a whole picture of the gear's response, so an LFO shows as a difference between them (Wright & Valimaki
    2021 find the LFO of phasers and flangers so).
    """
    count = int(_CHIRP_SECONDS * sample_rate)
    time = np.arange(count) / sample_rate
    high = 0.45 * sample_rate
    chirp = np.sin(2 * np.pi * (_CHIRP_LOW_HZ + (high - _CHIRP_LOW_HZ) * time / _CHIRP_SECONDS / 2) * time)
    fade = np.minimum(time, time[::-1]) / _CHIRP_FADE_SECONDS
    gap = np.zeros(round(CHIRP_GAP_SECONDS * sample_rate))
    gap[:count] = chirp * np.minimum(fade, 1) * 10 ** (_CHIRP_LEVEL_DB / 20)
    return np.tile(gap, round(seconds / CHIRP_GAP_SECONDS))


def sweeps(*, sample_rate: int, seconds: float) -> Wave:
    """Return two exponential sweeps from 20 Hz up, at -30 and -6 dBFS peak: linear and harmonic responses.

    They are synchronised: the phase at f1 is a whole number of turns, which keeps the harmonics' phases
    (Novak, Lotton & Simon 2015).
    """
    range_ = _sweep_range(sample_rate)
    turns = max(round(_SWEEP_LOW_HZ * seconds / range_), 1)
    sweep = np.sin(sweep_phase(sample_rate=sample_rate, frames=int(turns / _SWEEP_LOW_HZ * range_ * sample_rate)))
    return np.concatenate([sweep * 10 ** (level / 20) for level in _SWEEP_LEVELS_DB])


def sweep_phase(*, sample_rate: int, frames: int) -> Wave:
    """Return the phase, in radians, of one of the two `sweeps`, which lasts so many frames."""
    turns = max(round(_SWEEP_LOW_HZ * frames / sample_rate / _sweep_range(sample_rate)), 1)
    rate = turns / _SWEEP_LOW_HZ
    return 2 * np.pi * _SWEEP_LOW_HZ * rate * np.expm1(np.arange(frames) / sample_rate / rate)


def level_ramps(*, sample_rate: int, seconds: float) -> Wave:
    """Return tones of 82, 220, 1000 and 4000 Hz that grow from -60 to -1 dBFS: static curves, onsets, aliasing."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    level = 10 ** (np.interp(time, [0, seconds], _RAMP_DB) / 20)
    return np.concatenate([level * np.sin(2 * np.pi * pitch * time) for pitch in ramp_pitches(sample_rate)])


def ramp_pitches(sample_rate: int) -> list[float]:
    """Return the pitches of `level_ramps` in Hz: those that the rate has room for."""
    return [frequency for frequency in _RAMP_HZ if frequency < 0.45 * sample_rate]


def _sweep_range(sample_rate: int) -> float:
    """Return the natural logarithm of how far a sweep goes up."""
    return float(np.log(min(20_000.0, 0.45 * sample_rate) / _SWEEP_LOW_HZ))


def _pink(rng: Generator, count: int) -> Wave:
    spectrum = fft.rfft(rng.normal(size=count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    noise = fft.irfft(spectrum, count)
    return np.clip(noise / (np.sqrt(np.mean(noise**2)) + 1e-12), -4.5, 4.5)
