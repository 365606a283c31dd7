"""Holes: blocks of a recording that the interface, the computer or the gear's own program lost or gave twice.

A flag of the driver is no proof, and comes up to half a second late; what the blocks hold is. Frames that are missing
for good are found by `profiler.checks`, as in anybody's recordings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.checks.bent_fit import fit_bent
from profiler.checks.linear_fit import fit_linear
from profiler.checks.slips import Slip, find_slips, in_words
from profiler.finding import Finding
from profiler.timing.lateness import matched

__all__ = ["LostBlock", "find_lost_blocks", "find_lost_in_loopback", "loopback_findings", "lost_findings"]

_SHORTEST = 256
_FLAG_LATE_BLOCKS, _FLAG_LATE_FRAMES = 32, 24_000
_FLAG_EARLY_BLOCKS = 2
_LOUD = 0.1
_LEAST_BLOCKS = 32
# Correlations with the block before: a block came again where it is above the first while its dry is below the second,
# and does not fit what is expected of the gear (an organ through a flanger repeats itself too). No false alarm in 186
# takes through gear of 25 kinds; what gear does while a block comes in again takes a quarter of it.
_AGAIN, _DRY_DIFFERS = 0.97, 0.7
_TELLING = 1000  # in shorter blocks a bass note comes again and again: they count where more speaks against them
_SETTLED = 0.25
# Correlations with what is expected of the gear, near a flag of the driver; usual is .8 and more.
_FOREIGN, _UNLIKE = 0.15, 0.4
_COMPANY = 4
_LOOPBACK_FRAMES = 64
_LOOPBACK_EXACT, _LOOPBACK_LOST, _LOOPBACK_QUIET = 0.01, 0.25, 1e-5
_REACH = 9000
_NEARLY = 12
_KEEP_UP = (
    "The interface or the computer could not keep up. Close other programs or use larger buffers, and record again."
)


@dataclass(frozen=True, kw_only=True)
class LostBlock:
    """A block of the wet, dry frames `start` to `stop`, that holds the block before it `again`, or `other` sound."""

    start: int
    stop: int
    kind: Literal["again", "other"]


def find_lost_blocks(
    dry: Samples, wet: Samples, *, block_frames: int, first: int, flagged: Sequence[int] = ()
) -> list[LostBlock]:
    """Return the lost blocks of a wet that lies on its dry, both of shape (frames,).

    Blocks of `block_frames` begin at dry frame `first` and on. One that the gear was sent twice, or that was recorded
    twice, is nearly the one before it while its dry is not. Only where the driver `flagged` frames, short blocks count,
    and blocks that are not what is expected of the gear, unless so are others.
    """
    size = block_frames * -(-_SHORTEST // block_frames)
    count = (min(len(dry), len(wet)) - first) // size
    if count < _LEAST_BLOCKS:
        return []
    sent, heard = (each[first:][: count * size].reshape(count, size).astype(np.float64) for each in (dry, wet))
    level, wet_level = (np.sqrt(np.mean(each**2, axis=1)) for each in (sent, heard))
    loud = level > _LOUD * max(level.max(), 1e-9)
    if not loud.any():
        return []
    loud &= wet_level > _LOUD * np.median(wet_level[loud])
    near = _near_flags(np.arange(count) * size + first, flagged, block_frames)
    again = loud & _same_as_before(heard, above=_AGAIN) & ~_same_as_before(sent, above=_DRY_DIFFERS)
    again &= near | (size >= _TELLING)
    if not (again | (near & loud)).any() or (expected := fit_bent(dry, wet[: len(dry)])) is None:
        return []
    fits = _alike(expected[first:][: count * size].reshape(count, size), heard)
    low, middle = np.quantile(fits[loud], (0.05, 0.5))
    again &= fits < min(_UNLIKE, 2 * low - middle)
    other = near & loud & (fits < min(_FOREIGN, 2 * low - middle)) & _in_good_company(fits, low) & ~again
    return [
        LostBlock(start=first + int(at) * size, stop=first + int(at + 1) * size, kind="again" if again[at] else "other")
        for at in np.flatnonzero(again | other)
    ]


def find_lost_in_loopback(dry: Samples, loopback: Samples, sample_rate: int) -> list[tuple[int, int]]:
    """Return the dry frames, start to stop, at which a loopback that lies on its dry is not the dry through a cable."""
    fit = fit_linear(dry, loopback[: len(dry)], sample_rate)
    if fit is None:
        return []
    count = min(len(fit.predicted), len(loopback)) // _LOOPBACK_FRAMES
    expected, heard = (
        each[: count * _LOOPBACK_FRAMES].reshape(count, _LOOPBACK_FRAMES).astype(np.float64)
        for each in (fit.predicted, loopback)
    )
    power = np.maximum(np.mean(expected**2, axis=1), np.mean(heard**2, axis=1))
    loud = power > _LOOPBACK_QUIET * power.max()
    error = np.mean((heard - expected) ** 2, axis=1) / (power + 1e-30)
    if not loud.any() or np.median(error[loud]) > _LOOPBACK_EXACT:
        return []  # no cable: whatever is in its way, it tells nothing of blocks
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (loud & (error > _LOOPBACK_LOST)).astype(np.int8), [0]])))
    return [
        (int(a) * _LOOPBACK_FRAMES, int(b) * _LOOPBACK_FRAMES) for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def lost_findings(blocks: Sequence[LostBlock], sample_rate: int) -> list[Finding]:
    """Say which blocks are lost."""
    if not blocks:
        return []
    first = blocks[0]
    held = "is the one before it once more" if first.kind == "again" else "is not what the gear makes of the dry"
    frames = first.stop - first.start
    size = f"{frames} frames ({frames / sample_rate * 1000:.1f} ms)"
    one = f"the block of {size} {first.start / sample_rate:.2f} s into the take {held}"
    where = one if len(blocks) == 1 else f"{len(blocks)} blocks are lost; {one}"
    return [_hole(f"The recording has a hole: {where}. {_KEEP_UP}")]


def loopback_findings(dry: Samples, loopback: Samples, sample_rate: int) -> list[Finding]:
    """Say where a loopback that lies on its dry shows that something was lost: there it is known to the frame."""
    slips = find_slips(dry, loopback)
    if slips:
        return [_hole(in_words([_exact(each, dry, loopback, sample_rate) for each in slips], sample_rate))]
    lost = find_lost_in_loopback(dry, loopback, sample_rate)
    if not lost:
        return []
    frames = sum(stop - start for start, stop in lost)
    message = (
        f"The recording has a hole: the loopback is not what was sent {lost[0][0] / sample_rate:.2f} s into the take, "
        f"for {frames} frames ({frames / sample_rate * 1000:.1f} ms) in all. {_KEEP_UP}"
    )
    return [_hole(message)]


def _exact(slip: Slip, dry: Samples, loopback: Samples, sample_rate: int) -> Slip:
    """Return a slip with its frames counted between a second before the place and a second after it."""
    lags = []
    for start in (slip.at - 5 * sample_rate // 4, slip.at + sample_rate // 4):
        begin = max(start - _REACH, 0)
        sent = dry[max(start, 0) : start + sample_rate].astype(np.float64)
        heard = loopback[begin : start + sample_rate + _REACH].astype(np.float64)
        lags.append(matched(sent, heard, reach=_REACH, offset=max(start, 0) - begin).frames)
    frames = lags[1] - lags[0]
    return replace(slip, frames=frames) if abs(frames - slip.frames) <= _NEARLY else slip


def _hole(message: str) -> Finding:
    return Finding(kind="hole", message=message, severity="error")


def _in_good_company(fits: NDArray[np.float64], low: float) -> NDArray[np.bool_]:
    """Return which blocks have others close by, before and after, that fit as usual: a passage that the fit does not
    get is no hole.
    """
    fine = np.pad(fits >= low, _COMPANY)
    before, after = (
        np.lib.stride_tricks.sliding_window_view(fine[side], _COMPANY).sum(axis=1)
        for side in (slice(0, -_COMPANY - 1), slice(_COMPANY + 1, None))
    )
    return (before >= _COMPANY - 1) & (after >= _COMPANY - 2)


def _same_as_before(blocks: NDArray[np.float64], *, above: float) -> NDArray[np.bool_]:
    """Return which blocks, of shape (blocks, frames), are but for their beginning much the one before."""
    settled = int(_SETTLED * blocks.shape[1])
    alike = _alike(blocks[1:, settled:], blocks[:-1, settled:])
    return np.concatenate([[False], alike > above])


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    together = np.sqrt(np.sum(one**2, axis=1) * np.sum(other**2, axis=1))
    alike: NDArray[np.float64] = np.sum(one * other, axis=1) / (together + 1e-30)
    return alike


def _near_flags(starts: NDArray[np.int64], flagged: Sequence[int], block_frames: int) -> NDArray[np.bool_]:
    near = np.zeros(len(starts), np.bool_)
    late = max(_FLAG_LATE_BLOCKS * block_frames, _FLAG_LATE_FRAMES)
    for flag in flagged:
        near |= (starts > flag - late) & (starts < flag + _FLAG_EARLY_BLOCKS * block_frames)
    return near
