"""Rounded lanes: knobs that set off and arrive softly, for what would click at the corners of a straight glide."""

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.automation.knob_lanes import KnobLanes

__all__ = ["ROUNDING_SECONDS", "RoundedLanes", "rounded"]

ROUNDING_SECONDS = 0.008
"""Over how long the corners of glides are rounded; a knob follows half as long behind."""


class RoundedLanes:
    """Knob lanes of which each position is the mean of the last `window_frames`; switches flip as they did.

    A network that is bent by its knobs keeps the sound of the last some milliseconds under the old ones: a glide that
    begins at full speed leaves a click there, of -57 dBFS on the fuzz that ships, and rounded of -67.
    """

    def __init__(self, lanes: KnobLanes, window_frames: int) -> None:
        self._lanes, self._window = lanes, window_frames

    @property
    def is_still(self) -> bool:
        """Whether nothing ever moves."""
        return self._lanes.is_still

    def at(self, start: int, stop: int) -> Samples:
        """Return the positions of all knobs at frames start to stop, of shape (stop - start, width)."""
        before = self._window - 1
        straight = self._lanes.at(max(start - before, 0), stop)
        missing = max(before - start, 0)  # before the first frame the knobs stand as in it
        way = np.concatenate([np.repeat(straight[:1], missing, axis=0), straight])
        return np.where(self._lanes.slides, rounded(way, self._window), way[before:]).astype(np.float32)


def rounded(way: NDArray[np.floating], window_frames: int) -> NDArray[np.float64]:
    """Return the mean of every `window_frames` on the way, of shape (frames, ...): so many less one fewer frames."""
    sums = np.cumsum(way, axis=0, dtype=np.float64)
    sums = np.concatenate([np.zeros_like(sums[:1]), sums])
    mean: NDArray[np.float64] = (sums[window_frames:] - sums[:-window_frames]) / window_frames
    return mean
