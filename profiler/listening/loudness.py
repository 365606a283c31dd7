"""Loudness after ITU-R BS.1770-5: K-weighting, blocks of 400 ms, an absolute and a relative gate."""

import math
from array import array

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from profiler.audio import Samples

__all__ = ["RunningLoudness", "k_weighting", "loudness_of"]

_HOPS_A_BLOCK = 4
_HOPS_A_SECOND = 10
_OFFSET = -0.691
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0


class RunningLoudness:
    """The integrated loudness of a signal in LUFS, added up piece by piece. 80 bytes are kept for each second."""

    def __init__(self, sample_rate: int) -> None:
        self._hop = round(sample_rate / _HOPS_A_SECOND)
        self._filter = k_weighting(sample_rate)
        self._state: NDArray[np.float64] | None = None
        self._rest = np.zeros(0)  # squares of what does not fill a hop yet
        self._energies = array("d")

    def hear(self, samples: Samples) -> None:
        """Go on with a piece of shape (channels, frames). Every channel counts alike."""
        if samples.shape[1] == 0:
            return
        if self._state is None:
            self._state = np.zeros((len(self._filter), samples.shape[0], 2))
        weighted, self._state = signal.sosfilt(self._filter, samples.astype(np.float64), zi=self._state)
        squares = np.concatenate([self._rest, np.sum(weighted**2, axis=0)])
        whole = len(squares) - len(squares) % self._hop
        self._energies.extend(squares[:whole].reshape(-1, self._hop).sum(axis=1))
        self._rest = squares[whole:]

    @property
    def value(self) -> float | None:
        """The loudness over all pieces in LUFS; None for what is silent or lasts less than 400 ms."""
        if len(self._energies) < _HOPS_A_BLOCK:
            return None
        blocks = np.convolve(np.asarray(self._energies), np.ones(_HOPS_A_BLOCK), "valid")
        power = blocks / (_HOPS_A_BLOCK * self._hop)
        power = power[power > _power(_ABSOLUTE_GATE)]
        if not len(power):
            return None
        return _loudness(float(power[power > power.mean() * 10 ** (_RELATIVE_GATE / 10)].mean()))


def loudness_of(samples: Samples, sample_rate: int) -> float:
    """Return the loudness of samples of shape (frames,) in LUFS.

    What is too short or too quiet to have any counts as loud as its power in dB, at least -200.
    """
    running = RunningLoudness(sample_rate)
    running.hear(samples[None])
    if running.value is not None:
        return running.value
    power = float(np.mean(samples.astype(np.float64) ** 2)) if len(samples) else 0.0
    return 10 * float(np.log10(max(power, 1e-20)))


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Return the K-weighting as second-order sections, of shape (2, 6).

    The standard gives the coefficients at 48 kHz; those at other rates are of the analogue filters behind them, whose
    figures are libebur128's.
    """
    shelf_hz, shelf_q, gain_db = 1681.974450955533, 0.7071752369554196, 3.999843853973347
    k = math.tan(math.pi * shelf_hz / sample_rate)
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    over = 1 + k / shelf_q + k * k
    back = [2 * (k * k - 1) / over, (1 - k / shelf_q + k * k) / over]
    forth = [high + band * k / shelf_q + k * k, 2 * (k * k - high), high - band * k / shelf_q + k * k]
    shelf = [each / over for each in forth] + [1.0, *back]
    low_cut_hz, low_cut_q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * low_cut_hz / sample_rate)
    over = 1 + k / low_cut_q + k * k
    low_cut = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / over, (1 - k / low_cut_q + k * k) / over]
    return np.array([shelf, low_cut])


def _loudness(power: float) -> float:
    return _OFFSET + 10 * math.log10(power)


def _power(loudness: float) -> float:
    return 10 ** ((loudness - _OFFSET) / 10)
