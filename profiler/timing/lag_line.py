"""A straight line of lag over time, laid through what windows of a recording say, those that stray counting less."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_WINDOWS", "LagLine", "lay_line"]

LEAST_WINDOWS = 6
"""Fewer windows have no slope."""

_ROUNDS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class LagLine:
    """A straight line of lag over time, `start` at dry frame 0, and the windows it was laid through.

    `at` and `left` are of shape (windows,): the middle of each in dry frames, and by how many frames it comes later
    than the line says.
    """

    start: float
    slope: float
    slope_error: float
    at: NDArray[np.float64]
    left: NDArray[np.float64]

    @property
    def strays(self) -> NDArray[np.float64]:
        """By how many frames each window comes later than most, in the order in which they play."""
        lags = self.lags
        return lags - np.median(lags)

    @property
    def lags(self) -> NDArray[np.float64]:
        """The lag of each window but for the start of the line, in the order in which they play."""
        lags: NDArray[np.float64] = (self.left + self.slope * self.at)[self.order]
        return lags

    @property
    def order(self) -> NDArray[np.intp]:
        """The order in which the windows play."""
        return np.argsort(self.at)


def lay_line(at: NDArray[np.float64], lags: NDArray[np.float64]) -> LagLine:
    """Lay a line through lags, of shape (windows,), those that stray counting less and less (Huber's weights)."""
    if len(at) < LEAST_WINDOWS:
        start = float(np.median(lags))
        return LagLine(start=start, slope=0.0, slope_error=math.inf, at=at, left=lags - start)
    middle = float(np.mean(at))
    start, slope = float(np.median(lags)), _typical_slope(at, lags)
    start = float(np.median(lags - slope * (at - middle)))
    weights = np.ones(len(at))
    for _ in range(_ROUNDS):
        left = lags - start - slope * (at - middle)
        spread = 1.4826 * float(np.median(np.abs(left))) + 1e-3
        weights = 1 / np.maximum(np.abs(left) / (1.5 * spread), 1.0)
        slope, start = (float(each) for each in np.polyfit(at - middle, lags, 1, w=np.sqrt(weights)))
    left = lags - start - slope * (at - middle)
    spread = math.sqrt(float(np.sum(weights * left**2) / np.sum(weights))) + 1e-3
    error = spread / math.sqrt(float(np.sum(weights * (at - middle) ** 2)))
    return LagLine(start=start - slope * middle, slope=slope, slope_error=error, at=at, left=left)


def _typical_slope(at: NDArray[np.float64], lags: NDArray[np.float64]) -> float:
    """Return the median of the slopes between all pairs of windows (Theil 1950, Sen 1968)."""
    one, other = np.triu_indices(len(at), 1)
    apart = at[other] - at[one]
    far = np.abs(apart) > 0.2 * np.ptp(at)
    return float(np.median((lags[other] - lags[one])[far] / apart[far])) if far.any() else 0.0
