"""The bent fit: what gear is expected to return, from filters behind several ways of bending the dry."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from profiler.audio import Samples
from profiler.spectra import windowed_spectra

__all__ = ["fit_bent"]

_SIZE = 4096
_SHORTEST_WINDOWS = 16
_BENDS = (0.5, 0.1, 0.02)  # of the dry's peak: where each way of bending begins
_BENDS_BOTH_WAYS_ALIKE = 0.1
_PEAK_QUANTILE = 0.995
_FAINT = 1e-4
_REGULAR, _REGULAR_OF_ALL = 2e-4, 1e-6
_EVEN = 1e-3


def fit_bent(dry: Samples, wet: Samples) -> NDArray[np.float64] | None:
    """Return what is expected of a wet that lies on its dry, both of shape (frames,); None when they are too short.

    Several filters side by side (Hammerstein's model in parallel) are fitted by least squares, loud and quiet windows
    counting alike. Of overdrives, fuzzes and compressors that gets nine tenths of the energy and more.
    """
    if min(len(dry), len(wet)) < _SHORTEST_WINDOWS * _SIZE:
        return None
    sounding = np.abs(dry[np.abs(dry) > _FAINT])
    if not len(sounding) or not wet.any():
        return None
    bent = _bent(dry.astype(np.float64), float(np.quantile(sounding, _PEAK_QUANTILE)))
    given = np.stack([windowed_spectra(each, _SIZE) for each in bent], axis=2)
    heard = windowed_spectra(wet.astype(np.float64), _SIZE)
    energy = np.sum(np.abs(heard) ** 2, axis=1)
    weights = 1 / (energy + _EVEN * energy.mean())
    power = np.einsum("w,wbi,wbj->bij", weights, given.conj(), given)
    cross = np.einsum("w,wbi,wb->bi", weights, given.conj(), heard)
    trace = np.einsum("bii->b", power).real
    power += (_REGULAR * trace + _REGULAR_OF_ALL * trace.mean())[:, None, None] * np.eye(len(bent))
    filters = np.linalg.solve(power, cross[..., None])[..., 0]
    expected = np.zeros(len(dry))
    for each, filter_ in zip(bent, filters.T, strict=True):
        response = np.roll(fft.irfft(filter_, _SIZE), _SIZE // 2)
        expected += signal.oaconvolve(each, response)[_SIZE // 2 :][: len(dry)]
    return expected


def _bent(dry: NDArray[np.float64], peak: float) -> list[NDArray[np.float64]]:
    even = np.abs(np.tanh(dry / (_BENDS_BOTH_WAYS_ALIKE * peak)))
    return [dry, *(np.tanh(dry / (part * peak)) for part in _BENDS), even - even.mean()]
