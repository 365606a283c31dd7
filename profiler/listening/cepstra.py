"""MFCC-L1: how far timbres are apart, the figure that predicts listeners' scores of amps best (Wright et al. 2026).

Clips of three seconds at 44.1 kHz are brought to -16 LUFS, both signals by the gain that the target takes, and the
mean absolute difference of their twenty mel-frequency cepstral coefficients is taken. The coefficients are librosa's,
by its defaults.
"""

from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft, signal, sparse

from profiler.audio import Samples
from profiler.listening.loudness import RunningLoudness

__all__ = ["RunningCepstra"]

_RATE = 44_100
_CLIP_SECONDS = 3
_CLIP_LUFS = -16.0
_COEFFICIENTS, _BANDS = 20, 128
_LENGTH, _HOP = 2048, 512
_LEAST_POWER = 1e-10
_RANGE_DB = 80.0

Cepstra = NDArray[np.float32]


class RunningCepstra:
    """The MFCC-L1 distance between a target and a prediction, piece by piece: the mean over clips that are not silent.

    Channels are mixed to one. A last clip of less than three seconds counts by its length.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._held = np.zeros((2, 0), np.float32)
        self._difference = 0.0
        self._coefficients = 0

    def hear(self, target: Samples, predicted: Samples) -> None:
        """Go on with a piece of both, each of shape (channels, frames)."""
        both = np.stack([target.mean(axis=0), predicted.mean(axis=0)])
        self._held = np.concatenate([self._held, both], axis=1)
        clip = _CLIP_SECONDS * self._sample_rate
        while self._held.shape[1] >= clip:
            difference, coefficients = self._compared(self._held[:, :clip])
            self._difference += difference
            self._coefficients += coefficients
            self._held = self._held[:, clip:].copy()

    @property
    def distance(self) -> float | None:
        """The distance over all pieces; None for a silent target, or one of less than 400 ms."""
        difference, coefficients = self._compared(self._held)
        total = self._coefficients + coefficients
        return (self._difference + difference) / total if total else None

    def _compared(self, both: Samples) -> tuple[float, int]:
        """Return the sum of absolute differences of a clip, of shape (2, frames), and of how many coefficients."""
        clip = soxr.resample(both.T, self._sample_rate, _RATE).T
        loudness = RunningLoudness(_RATE)
        loudness.hear(clip[:1])
        if loudness.value is None:
            return 0.0, 0
        target, predicted = (_cepstra(each) for each in clip * np.float32(10 ** ((_CLIP_LUFS - loudness.value) / 20)))
        return float(np.abs(target - predicted).sum()), target.size


def _cepstra(clip: NDArray[np.float32]) -> Cepstra:
    """Return the cepstral coefficients of mono samples, of shape (coefficients, windows)."""
    padded = np.pad(clip, _LENGTH // 2)
    cut = np.lib.stride_tricks.sliding_window_view(padded, _LENGTH)[::_HOP]
    spectra = fft.rfft(cut * signal.windows.hann(_LENGTH, sym=False).astype(np.float32))
    power = _mel_filters() @ (spectra.real**2 + spectra.imag**2).T
    level = 10 * np.log10(np.maximum(power, _LEAST_POWER))
    cepstra: Cepstra = fft.dct(np.maximum(level, level.max() - _RANGE_DB), axis=0, norm="ortho")
    return cepstra[:_COEFFICIENTS]


@cache
def _mel_filters() -> sparse.csr_array:
    """Return Slaney's mel filters of equal area, of shape (bands, bins) (Auditory Toolbox, 1998)."""
    edges = _hz(np.linspace(0, _mel(_RATE / 2), _BANDS + 2))
    bins = np.linspace(0, _RATE / 2, _LENGTH // 2 + 1)
    low, middle, high = (edges[first : first + _BANDS, None] for first in range(3))
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    # Nearly all of it is nothing, and a product with the rest takes a twentieth of the time.
    return sparse.csr_array((np.maximum(triangles, 0) * 2 / (high - low)).astype(np.float32))


_LINEAR_BELOW_HZ, _HZ_A_MEL = 1000.0, 200 / 3
_LOG_STEP = np.log(6.4) / 27


def _mel(frequency: float) -> float:
    """Return the mel of a frequency above 1 kHz."""
    return _LINEAR_BELOW_HZ / _HZ_A_MEL + float(np.log(frequency / _LINEAR_BELOW_HZ)) / _LOG_STEP


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = mel - _LINEAR_BELOW_HZ / _HZ_A_MEL
    return np.where(above < 0, mel * _HZ_A_MEL, _LINEAR_BELOW_HZ * np.exp(_LOG_STEP * np.maximum(above, 0)))
