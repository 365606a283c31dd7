"""Clipping: stretches of a recording in which a converter ran out of range."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples

__all__ = ["ClippedRuns", "clipped_spans", "joined_spans"]

_SHORTEST_RUN_FRAMES = 3  # fewer equal frames at full scale are a peak that just fits
_FULL_SCALE = 1 - 1.01 * 2.0**-15  # the highest code of 16 bits; the lowest is -1
_SAME = 2.0**-22  # less than one step of 24 bits


class ClippedRuns:
    """The clipped spans of a recording that is heard block by block; any blocks give those of the whole.

    Clipped are runs of at least three equal frames at full scale. A float recording with peaks beyond full scale
    was not limited by any converter, so nothing of it is clipped.
    """

    def __init__(self) -> None:
        self._frames = 0
        self._last: Samples | None = None
        self._is_limited = True
        self._runs: list[tuple[int, int]] = []

    def hear(self, block: Samples) -> None:
        """Go on with a block of shape (channels, frames)."""
        if block.shape[1] == 0:
            return
        self._is_limited = self._is_limited and float(np.abs(block).max()) <= 1.0
        # Whether a block's first frame is flat shows beside the frame before it.
        seam = block[:, :0] if self._last is None else self._last
        start = self._frames - seam.shape[1]
        found = [(start + begin, start + end) for begin, end in _flat_runs(np.concatenate([seam, block], axis=1))]
        self._runs[-1:] = joined_spans([*self._runs[-1:], *found])
        self._frames += block.shape[1]
        self._last = block[:, -1:].copy()

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The spans that any channel spends clipped."""
        if not self._is_limited:
            return ()
        return tuple(run for run in self._runs if run[1] - run[0] >= _SHORTEST_RUN_FRAMES)


def clipped_spans(blocks: Iterable[Samples]) -> tuple[tuple[int, int], ...]:
    """Return the spans that any channel of a recording, given as blocks of (channels, frames), spends clipped."""
    runs = ClippedRuns()
    for block in blocks:
        runs.hear(block)
    return runs.spans


def joined_spans(spans: Sequence[tuple[int, int]], gap: int = 0) -> list[tuple[int, int]]:
    """Return spans, given in order of their starts, with those joined that lie at most `gap` frames apart."""
    out: list[tuple[int, int]] = []
    for start, stop in spans:
        if out and start - out[-1][1] <= gap:
            out[-1] = (out[-1][0], max(out[-1][1], stop))
        else:
            out.append((start, stop))
    return out


def _flat_runs(samples: Samples) -> list[tuple[int, int]]:
    """Return every run of two and more equal frames at full scale in any of the channels."""
    full = np.abs(samples) >= _FULL_SCALE
    if not full.any():
        return []
    flat = np.zeros(samples.shape, np.bool_)
    flat[:, 1:] = full[:, 1:] & full[:, :-1] & (np.abs(np.diff(samples, axis=1)) < _SAME)
    flat[:, :-1] |= flat[:, 1:]
    return _runs(np.asarray(flat.any(axis=0)))


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
