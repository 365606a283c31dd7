"""Clipping: stretches of a recording in which a converter ran out of range."""

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples

__all__ = ["SHORTEST_RUN_FRAMES", "clipped_spans", "full_scale_spans"]

SHORTEST_RUN_FRAMES = 3
"""Fewer equal frames at full scale than this are a peak that just fits."""

_FULL_SCALE = 1 - 1.01 * 2.0**-15  # the highest code of 16 bits; the lowest is -1
_SAME = 2.0**-22  # less than one step of 24 bits


def clipped_spans(samples: Samples) -> tuple[tuple[int, int], ...]:
    """Return the spans (start, stop) of raw samples of shape (channels, frames) that any channel spends clipped.

    Clipped are runs of at least three equal frames at full scale. A float recording with peaks beyond full scale
    was not limited by any converter, so nothing of it is clipped.
    """
    if samples.size and float(np.abs(samples).max()) > 1.0:
        return ()
    return tuple(span for span in full_scale_spans(samples) if span[1] - span[0] >= SHORTEST_RUN_FRAMES)


def full_scale_spans(samples: Samples) -> list[tuple[int, int]]:
    """Return every run of equal frames at full scale, however short, of samples of shape (channels, frames)."""
    if samples.shape[1] == 0:
        return []
    full = np.abs(samples) >= _FULL_SCALE
    if not full.any():
        return []
    flat = np.zeros(samples.shape, np.bool_)
    flat[:, 1:] = full[:, 1:] & full[:, :-1] & (np.abs(np.diff(samples, axis=1)) < _SAME)
    flat[:, :-1] |= flat[:, 1:]
    flat[:, 0] |= full[:, 0]  # the run may have begun, or may go on, beyond the edge
    flat[:, -1] |= full[:, -1]
    return _runs(np.asarray(flat.any(axis=0)))


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
