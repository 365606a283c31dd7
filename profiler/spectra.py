"""Spectra of windows that overlap by half, as averages are made of them (Welch 1967)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

__all__ = ["windowed_spectra"]


def windowed_spectra(samples: NDArray[np.floating[Any]], size: int) -> NDArray[np.complex128]:
    """Return the spectra of Hann windows of so many frames, of shape (windows, bins), for at least as many samples."""
    cut = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // 2]
    spectra: NDArray[np.complex128] = fft.rfft(cut * signal.windows.hann(size, sym=False), axis=1)
    return spectra
