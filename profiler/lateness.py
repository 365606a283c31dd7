"""Lateness: by how many frames a recording comes after its dry signal, and which way up, from the playing itself."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from profiler.audio import Samples

__all__ = ["LONGEST_SECONDS", "Lateness", "measure_lateness"]

LONGEST_SECONDS = 1.0
"""Further apart than this, dry and wet are not looked for."""

_EXCERPT_SECONDS = 60.0
_WHITENING = 0.8
_NEIGHBOURHOOD = 200
_WINDOW = 4096
_NEAR = 32
_UP = 16
_COHERENT = 0.7
_LEAST_COHERENT_BINS = 64

Spectrum = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Lateness:
    """`frames` may have a fraction. `clearness` is how far the match stands above the next best one; 1 is a guess."""

    frames: float
    polarity: Literal[-1, 1]
    clearness: float


def measure_lateness(dry: Samples, wet: Samples, sample_rate: int) -> Lateness:
    """Return how late `wet` is against `dry`, both mono of shape (frames,).

    First the generalised cross-correlation with the phase weighting of Knapp & Carter (1976), softened so that bands
    without playing do not decide; then the part of the phase that the gear's own filtering, taken to be
    minimum-phase, does not explain.
    """
    length = int(_EXCERPT_SECONDS * sample_rate)
    start = _loudest(dry, length)
    one = dry[start : start + length].astype(np.float64)
    reach = int(LONGEST_SECONDS * sample_rate)
    begin = max(start - reach, 0)
    other = wet[begin : start + length + reach].astype(np.float64)
    lag, polarity, clearness = _coarse(one, other, reach=reach, offset=start - begin)
    near = np.zeros(len(one))
    first = start + lag - begin
    part = other[max(first, 0) : max(first + len(one), 0)]
    near[max(-first, 0) : max(-first, 0) + len(part)] = part
    return Lateness(frames=lag + _fine(one, near), polarity=polarity, clearness=clearness)


def _loudest(samples: Samples, length: int) -> int:
    if len(samples) <= length:
        return 0
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    return int(np.argmax(energy[length:] - energy[:-length]))


def _coarse(dry: Spectrum, wet: Spectrum, *, reach: int, offset: int) -> tuple[int, Literal[-1, 1], float]:
    """Return the whole frames by which `wet`, which begins `offset` frames before `dry`, is late."""
    # Long enough that no lag is another one wrapped around, however short the recordings are.
    size = fft.next_fast_len(max(len(dry), reach) + max(len(wet), 2 * reach), real=True)
    cross = fft.rfft(wet, size) * np.conj(fft.rfft(dry, size))
    level = np.abs(cross)
    match = fft.irfft(cross / (level + 1e-3 * level.mean() + 1e-30) ** _WHITENING, size)
    lags = np.arange(-reach, reach + 1)
    found = match[(lags + offset) % size]
    best = int(np.argmax(np.abs(found)))
    apart = np.abs(found)
    apart[max(best - _NEIGHBOURHOOD, 0) : best + _NEIGHBOURHOOD] = 0
    polarity: Literal[-1, 1] = 1 if found[best] >= 0 else -1
    return int(lags[best]), polarity, float(abs(found[best]) / (apart.max() + 1e-30))


def _fine(dry: Spectrum, wet: Spectrum) -> float:
    """Return what is left of the lateness after the coarse step, within a few frames."""
    if len(dry) < 2 * _WINDOW:
        return 0.0
    settings = {"nperseg": _WINDOW, "noverlap": _WINDOW // 2, "detrend": False}
    _, cross = signal.csd(dry, wet, **settings)
    _, power = signal.welch(dry, **settings)
    _, wet_power = signal.welch(wet, **settings)
    coherence = np.clip(np.abs(cross) ** 2 / (power * wet_power + 1e-30), 0, 0.9999)
    coherent = coherence > _COHERENT
    coherent[:3] = False
    if coherent.sum() < _LEAST_COHERENT_BINS:
        return 0.0
    own_phase = np.angle(_minimum_phase(_filled(np.log(np.abs(cross / (power + 1e-30)) + 1e-12), coherent)))
    ratio = coherence / (1 - coherence)
    left = np.where(coherent, ratio / (10 + ratio), 0) * np.exp(1j * (np.angle(cross) - own_phase))
    match = fft.irfft(left, _WINDOW * _UP)
    near = np.concatenate([match[-_NEAR * _UP :], match[: _NEAR * _UP + 1]])
    return (int(np.argmax(np.abs(near))) - _NEAR * _UP) / _UP


def _filled(level: Spectrum, known: NDArray[np.bool_]) -> Spectrum:
    """Return log levels with gaps bridged, the top carried on at the slope that the highest known octave has."""
    bins = np.arange(len(level))
    top = int(bins[known].max())
    octave = known & (bins > top / 2)
    filled = np.interp(bins, bins[known], level[known])
    slope = float(np.polyfit(np.log2(bins[octave]), level[octave], 1)[0]) if octave.sum() > 8 else 0.0
    above = bins > top
    filled[above] = np.median(level[known & (bins > 0.85 * top)]) + np.clip(slope, -1.4, 0) * np.log2(bins[above] / top)
    kernel = signal.windows.hann(9)
    return np.convolve(np.pad(filled, 4, "edge"), kernel / kernel.sum(), "valid")


def _minimum_phase(log_level: Spectrum) -> NDArray[np.complex128]:
    """Return the minimum-phase response of a log level, by folding its cepstrum (Oppenheim & Schafer)."""
    size = 2 * (len(log_level) - 1)
    cepstrum = fft.irfft(log_level, size)
    fold = np.zeros(size)
    fold[0] = fold[size // 2] = 1
    fold[1 : size // 2] = 2
    return np.exp(fft.rfft(cepstrum * fold))
