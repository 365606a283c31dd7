"""Dropouts: holes in the wet while the dry plays on, as an interface leaves them that could not keep up."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples

__all__ = ["Dropout", "find_dropouts"]

_SHORTEST_FRAMES = 60
_STANDING_FRAMES = 8
_JUMP = 1.5
_LEAST_JUMP = 1e-3
_BLOCKS = (64, 128, 256, 512, 1024, 2048)
_AROUND = 64
_LOUD_EDGE = 0.25
_LOUD_DRY = 0.25
_AUDIBLE = 1e-4
_PLAYED = 0.3
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
    dry, gear that clips holds the same value again and again, and music that repeats does so in the dry as well. Holes
    in faint playing do not count: gates flutter there, and crushers round to nothing.
    """
    found = _held(dry, wet)
    for block in _BLOCKS:
        found += _repeated(dry, wet, block)
    played = _PLAYED * _rms(dry)
    found = [each for each in found if _rms(dry[each.start : each.stop]) > played]
    found.sort(key=lambda each: each.start)
    apart: list[Dropout] = []
    for each in found:
        if not apart or each.start >= apart[-1].stop:
            apart.append(each)
    return apart[:_MOST]


def _held(dry: Samples, wet: Samples) -> list[Dropout]:
    standing = [(start, stop + 1) for start, stop in _runs(np.diff(wet) == 0) if stop + 1 - start >= _STANDING_FRAMES]
    runs = [(start, stop) for start, stop in standing if stop - start >= _SHORTEST_FRAMES]
    values = np.asarray([wet[start] for start, _ in standing])
    peak = float(np.abs(wet).max())
    found = []
    for start, stop in runs:
        value = wet[start]
        if value != 0 and (abs(value) > _NEAR_PEAK * peak or np.sum(np.abs(values - value) < 1e-6 * peak) > 1):
            continue  # a clipper or a crusher stands at this value every time
        if value and not _jumps(wet, stop, _LEAST_JUMP * peak):
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
        if len(np.unique(wet[begin : begin + block])) < block // 2:
            continue  # tones that a clipper squares have few values, and come again exactly
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


def _jumps(wet: Samples, at: int, least: float) -> bool:
    """Tell whether the wet moves more into frame `at` than it does right after it."""
    after = np.abs(np.diff(wet[at : at + _AROUND]))
    return len(after) > 0 and float(abs(wet[at] - wet[at - 1])) > max(_JUMP * float(np.median(after)), least)


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.view(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
