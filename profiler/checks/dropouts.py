"""Dropouts: holes in the wet while the dry plays on, as an interface leaves them that could not keep up."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples

__all__ = ["Dropout", "find_dropouts"]

_SHORTEST_FRAMES = 60
_JUMP = 4.0
_BLOCKS = (64, 128, 256, 512, 1024, 2048)
_AROUND = 64
_LOUD_EDGE = 0.25
_LOUD_DRY = 0.25
_AUDIBLE = 1e-4
_NEAR_PEAK = 0.98
_MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """A hole at frames `start` to `stop`: silence, one value held, or the block before it again."""

    start: int
    stop: int
    kind: Literal["silence", "hold", "repeat"]


def find_dropouts(dry: Samples, wet: Samples) -> list[Dropout]:
    """Return the holes in a wet of shape (frames,) that lies on its dry.

    A hole begins and ends abruptly in the midst of sound, and the dry goes on through it; a gate closes with the
    dry, gear that clips holds the same value again and again, and music that repeats does so in the dry as well.
    """
    found = _held(dry, wet)
    for block in _BLOCKS:
        found += _repeated(dry, wet, block)
    found.sort(key=lambda each: each.start)
    apart: list[Dropout] = []
    for each in found:
        if not apart or each.start >= apart[-1].stop:
            apart.append(each)
    return apart[:_MOST]


def _held(dry: Samples, wet: Samples) -> list[Dropout]:
    runs = [(start, stop + 1) for start, stop in _runs(np.diff(wet) == 0) if stop + 1 - start >= _SHORTEST_FRAMES]
    if not runs:
        return []
    values = np.asarray([wet[start] for start, _ in runs])
    peak = float(np.abs(wet).max())
    found = []
    for (start, stop), value in zip(runs, values, strict=True):
        if value != 0 and (abs(value) > _NEAR_PEAK * peak or np.sum(np.abs(values - value) < 1e-6 * peak) > 1):
            continue  # a clipper or a crusher stands at this value every time
        if value and not _jumps(wet, stop):
            continue  # a saturated peak leaves its top gently
        if _goes_on(dry, start, stop) and _in_the_midst(wet, start, stop):
            found.append(Dropout(start=start, stop=stop, kind="hold" if value else "silence"))
    return found


def _repeated(dry: Samples, wet: Samples, block: int) -> list[Dropout]:
    found = []
    for start, stop in _runs(wet[block:] == wet[:-block]):
        begin, end = start + block, stop + block
        if stop - start < block or np.ptp(wet[begin:end]) < _AUDIBLE:
            continue
        same = np.array_equal(dry[begin : begin + block], dry[begin - block : begin])
        if not same and _goes_on(dry, begin, end):
            found.append(Dropout(start=begin, stop=end, kind="repeat"))
    return found


def _goes_on(dry: Samples, start: int, stop: int) -> bool:
    """Tell whether the dry is about as loud within a hole, up to its end, as around it."""
    around = np.concatenate([dry[max(start - 4 * _AROUND, 0) : start], dry[stop : stop + 4 * _AROUND]])
    within, last = (_rms(dry[begin:stop]) for begin in (start, max(stop - 4 * _AROUND, start)))
    return min(within, last) > max(_LOUD_DRY * _rms(around), _AUDIBLE)


def _in_the_midst(wet: Samples, start: int, stop: int) -> bool:
    """Tell whether the wet is as loud right before and after a hole as further away from it."""
    before, after = wet[max(start - _AROUND, 0) : start], wet[stop : stop + _AROUND]
    wide = np.concatenate([wet[max(start - 16 * _AROUND, 0) : start], wet[stop : stop + 16 * _AROUND]])
    if min(len(before), len(after)) < _AROUND:
        return False
    return min(_rms(before), _rms(after)) > max(_LOUD_EDGE * _rms(wide), _AUDIBLE)


def _jumps(wet: Samples, at: int) -> bool:
    """Tell whether the wet moves more into frame `at` than it does right after it."""
    after = np.abs(np.diff(wet[at : at + _AROUND]))
    return at < len(wet) and float(abs(wet[at] - wet[at - 1])) > _JUMP * (float(np.median(after)) if len(after) else 0)


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.view(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
