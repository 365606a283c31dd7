"""The linear fit: the one filter that comes nearest to what the gear does, and how near it comes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from profiler.audio import Samples

__all__ = ["LinearFit", "fit_linear", "level_dependence_db"]

_WINDOW_SECONDS = 0.34
_SHORTEST_WINDOWS = 4
_REGULAR = 1e-5
_SEGMENT_SECONDS = 0.1
_LEAST_SEGMENTS = 12
_RANGE_DB = 50.0


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearFit:
    """The filter's impulse response, `middle` being its lag 0; the dry through it; the share of the wet that this is.

    Echoes and reverb beyond a sixth of a second lie outside the filter and count against the share.
    """

    response: NDArray[np.float64]
    middle: int
    predicted: Samples
    share: float


def fit_linear(dry: Samples, wet: Samples, sample_rate: int) -> LinearFit | None:
    """Return the least-squares filter from dry to wet, both of shape (frames,); None when they are too short."""
    size = 2 ** round(np.log2(_WINDOW_SECONDS * sample_rate))
    while len(dry) < _SHORTEST_WINDOWS * size and size > 256:
        size //= 2
    if len(dry) < _SHORTEST_WINDOWS * size or not dry.any() or not wet.any():
        return None
    settings = {"nperseg": size, "noverlap": size // 2, "detrend": False}
    _, cross = signal.csd(dry, wet, **settings)
    _, power = signal.welch(dry, **settings)
    filter_ = cross / (power + _REGULAR * power.mean())
    response = np.roll(fft.irfft(filter_, size), size // 2)
    predicted = signal.oaconvolve(dry, response, mode="full")[size // 2 :][: len(dry)].astype(np.float32)
    missed = float(np.sum(np.square(wet - predicted, dtype=np.float64)))
    share = 1 - missed / (float(np.sum(np.square(wet, dtype=np.float64))) + 1e-30)
    return LinearFit(response=response, middle=size // 2, predicted=predicted, share=max(share, 0.0))


def level_dependence_db(fit: LinearFit, wet: Samples, sample_rate: int, *, noise: float) -> float | None:
    """Return by how many dB quiet passages are amplified more than loud ones, against the linear fit.

    The quietest and the loudest quarter of all tenths of a second are compared that stand above the noise power.
    """
    size = int(_SEGMENT_SECONDS * sample_rate)
    count = len(wet) // size
    heard, predicted = (each[: count * size].reshape(count, size).astype(np.float64) for each in (wet, fit.predicted))
    power = np.mean(predicted**2, axis=1)
    product = np.mean(predicted * heard, axis=1)
    usable = (power > power.max(initial=0.0) * 10 ** (-_RANGE_DB / 10)) & (power > 10 * noise) & (power > 1e-12)
    if usable.sum() < _LEAST_SEGMENTS:
        return None
    power, product = power[usable], product[usable]
    order = np.argsort(power)
    quarter = len(order) // 4
    quiet, loud = (product[part].sum() / power[part].sum() for part in (order[:quarter], order[-quarter:]))
    if min(quiet, loud) <= 0:
        return None
    return 20 * float(np.log10(quiet / loud))
