"""MR-STFT: how far spectra are apart, at three resolutions (Yamamoto et al. 2020; the defaults of auraloss).

At each resolution: the norm of the difference of the magnitudes over that of the target's, plus the mean absolute
difference of their natural logarithms. The measure is the mean over the resolutions; 0 is perfect.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from profiler.audio import Samples

__all__ = ["LEAST_POWER", "RESOLUTIONS", "RunningSpectra"]

RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # length of the transform, hop, window; in frames
LEAST_POWER = 1e-8  # below it a bin counts as this loud, so that silence has a logarithm
_AT_ONCE = 128  # spectra; so many fit the cache

Sums = NDArray[np.float64]
"""Energy of the difference of magnitudes, of the target's; sum of the differences of logarithms; bins."""


class RunningSpectra:
    """The MR-STFT distance between a target and a prediction, added up piece by piece."""

    def __init__(self) -> None:
        self._resolutions = tuple(_Resolution(*sizes) for sizes in RESOLUTIONS)

    def hear(self, target: Samples, predicted: Samples) -> None:
        """Go on with a piece of both, each of shape (channels, frames)."""
        both = np.stack([target, predicted])
        for resolution in self._resolutions:
            resolution.hear(both)

    @property
    def distance(self) -> float | None:
        """The distance over all pieces; None for a silent target, or one of less than 25 ms."""
        each = [resolution.distance for resolution in self._resolutions]
        known = [distance for distance in each if distance is not None]
        return sum(known) / len(known) if len(known) == len(each) else None


class _Resolution:
    """Spectra of one length. Each end of the whole signal is mirrored, so that its first and last frames count."""

    def __init__(self, length: int, hop: int, window: int) -> None:
        self._length, self._hop = length, hop
        self._window = signal.windows.hann(window, sym=False).astype(np.float32)
        self._half = window // 2
        self._sums: Sums = np.zeros(4)
        self._begun = False
        self._held: NDArray[np.float32] | None = None

    def hear(self, both: NDArray[np.float32]) -> None:
        """Go on with target and prediction, of shape (2, channels, frames).

        Spectra are summed on a grid of their own, so that the sums are the same to the last bit whatever the pieces.
        """
        held = both if self._held is None else np.concatenate([self._held, both], axis=-1)
        if not self._begun and held.shape[-1] > self._half:
            held = np.concatenate([held[..., self._half : 0 : -1], held], axis=-1)
            self._begun = True
        stretch = (_AT_ONCE - 1) * self._hop + len(self._window)
        start = 0
        while self._begun and start + stretch <= held.shape[-1]:
            self._sums += self._summed(held[..., start : start + stretch])
            start += _AT_ONCE * self._hop
        self._held = held[..., start:].copy()

    @property
    def distance(self) -> float | None:
        """Spectral convergence plus the distance of the logarithms."""
        if not self._begun or self._held is None:
            return None
        mirrored = self._held[..., -2 : -self._half - 2 : -1]
        error, energy, logarithms, bins = self._sums + self._summed(np.concatenate([self._held, mirrored], axis=-1))
        return None if energy <= bins * LEAST_POWER else float(np.sqrt(error / energy) + logarithms / bins)

    def _summed(self, both: NDArray[np.float32]) -> Sums:
        cut = np.lib.stride_tricks.sliding_window_view(both, len(self._window), axis=-1)[..., :: self._hop, :]
        spectra = fft.rfft(cut * self._window, self._length)
        power = spectra.real**2 + spectra.imag**2
        target, predicted = np.sqrt(np.maximum(power, np.float32(LEAST_POWER)))
        error, energy = np.square(target - predicted).sum(), np.square(target).sum()
        return np.array([error, energy, np.abs(np.log(target / predicted)).sum(), target.size], np.float64)
