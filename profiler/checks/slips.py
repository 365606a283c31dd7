"""Slips: places at which the wet comes later, or earlier, from one frame to the next, as lost buffers leave it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from profiler.audio import Samples
from profiler.timing.lateness import whitened

__all__ = ["Slip", "find_slips", "in_words", "lags_between"]

_WINDOW = 16_384
_HOP = _WINDOW // 2
_REACH = 8192
"""Frames by which the wet may slip; beyond, it does not follow its dry any more, and other checks say so."""

_STRETCH = 480  # hops: longer takes are gone through in stretches, for the sake of memory
_OVERLAP = 48
_LEAST_WINDOWS = 4
_QUIET_DB = 40.0
_SHAPE = 128  # frames to either side of the arrival within which most of the gear's own filtering lies
_ROUNDS = 2
_TALLEST = 12.0
_BESIDE = 24
# Lags are looked at in pools of 4. Gear, tape above all, moves the arrival by up to 8 frames from one window to the
# next. A slip costs what 1.2 windows say without any doubt: chance agrees with itself over fewer.
_POOL = 4
_WANDER = 2
_WANDERING, _SLIPPING = 0.3, 1.2
_SIDE = 24  # windows to either side that must agree on a slip
_ROUGH = 12
# On either side of a slip, and of chance: how well what comes before matches what comes after, where it did not slip
# against where it did, and there against anywhere. Chosen on gear of 25 kinds at 20 dB above noise: no false alarm in
# 37 takes, 239 of 259 slips found; most of those missed are in bass playing.
_STAYS, _ELSEWHERE = 0.6, 0.6

Rows = NDArray[np.float32]
Places = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Slip:
    """From about dry frame `at` on, known to a fifth of a second, the wet comes about `frames` later.

    More than 0 were put in; less than 0 were lost. Behind gear that distorts they are known to a few frames.
    """

    at: int
    frames: int


def find_slips(dry: Samples, wet: Samples) -> list[Slip]:
    """Return where the lag of a wet against its dry, both of shape (frames,), changes at once, and for a while.

    The lag itself does not matter, up to a sixth of a second, nor does the gear: how dry and wet match is compared
    from window to window, and the lag is followed along those (Viterbi 1967) that say it clearly. It goes elsewhere
    only where several windows say so, and where all that comes before fits what comes after nowhere else.
    """
    starts = np.arange(0, max(len(dry) - _WINDOW, -1) + 1, _HOP)
    if len(starts) < _LEAST_WINDOWS:
        return []
    if len(starts) <= _STRETCH:
        return _slips_among(dry, wet, starts)
    found = []
    for first in range(0, len(starts), _STRETCH - _OVERLAP):
        stretch = starts[first : first + _STRETCH]
        begin = stretch[0] + _OVERLAP // 2 * _HOP if first else 0
        is_last = first + _STRETCH >= len(starts)
        end = len(dry) if is_last else stretch[-1] - _OVERLAP // 2 * _HOP + _HOP
        found += [slip for slip in _slips_among(dry, wet, stretch) if begin <= slip.at < end]
        if is_last:
            break
    return found


def lags_between(slips: list[Slip], frames: int, count: int) -> tuple[float, ...]:
    """Return by how many frames each of `count` moments of a take comes later than at most of them."""
    moments = np.linspace(0, frames, count, endpoint=False)
    lags = np.sum([slip.frames * (moments >= slip.at) for slip in slips], axis=0)
    values, often = np.unique(lags, return_counts=True)
    return tuple(float(each) for each in lags - values[np.argmax(often)])


def in_words(slips: list[Slip], sample_rate: int) -> str:
    """Say where frames were lost or put in, how many, and what to do."""
    first, second = slips[0], slips[0].at / sample_rate
    size = f"about {abs(first.frames)} frames ({abs(first.frames) / sample_rate * 1000:.1f} ms)"
    what = "were lost" if first.frames < 0 else "too many came in"
    if len(slips) == 1:
        where = f"{size} {what} about {second:.1f} s into the take"
    else:
        often = f"frames were lost or put in {len(slips)} times"
        where = f"{often}, first about {second:.1f} s into the take, where {size} {what}"
    then = "earlier" if first.frames < 0 else "later"
    return (
        f"The recording has a hole: {where}. From there on the wet comes {then} than before. The interface or the "
        "computer could not keep up. Close other programs or use larger buffers, and record again."
    )


def _slips_among(dry: Samples, wet: Samples, starts: Places) -> list[Slip]:
    """Return the slips within the windows that begin at `starts`."""
    rows, starts, clear = _matches(dry, wet, starts)
    if len(starts) < _LEAST_WINDOWS:
        return []
    shaped, weights = _shaped(rows)
    weights = np.minimum(weights, clear)
    path = _path(shaped, weights)
    edges = [each for each in range(1, len(path)) if abs(path[each] - path[each - 1]) > _WANDER * _POOL]
    found = []
    for before, edge, after in zip([0, *edges], edges, [*edges[1:], len(path)], strict=False):
        sides = slice(max(before, edge - _SIDE), edge), slice(edge, min(after, edge + _SIDE))
        one, other = (np.average(rows[side], axis=0, weights=weights[side] + 1e-6) for side in sides)
        frames = _slipped(one, other, int(path[edge] - path[edge - 1]))
        if frames is not None:
            at = (starts[edge - 1] + starts[edge] + _WINDOW) // 2
            found.append(Slip(at=int(at), frames=frames))
    return found


def _matches(dry: Samples, wet: Samples, starts: Places) -> tuple[Rows, Places, NDArray[np.float32]]:
    """Return how well dry and wet match at lags from -_REACH to _REACH, over their usual, and which windows these are.

    The first is of shape (windows, lags). Windows in which the dry rests are left out. The last is how clearly each
    could tell a lag at all: the dry matches itself elsewhere too where it comes again and again.
    """
    power = np.asarray([np.mean(np.square(dry[start : start + _WINDOW], dtype=np.float64)) for start in starts])
    starts = starts[power > power.max(initial=0.0) * 10 ** (-_QUIET_DB / 10)]
    around = [np.pad(each[: len(dry) + _REACH], (_REACH, max(len(dry) - len(each), 0) + _REACH)) for each in (wet, dry)]
    size = _WINDOW + 2 * _REACH
    taper = np.hanning(_WINDOW)
    rows = np.empty((len(starts), 2 * _REACH + 1), np.float32)
    clear = np.empty(len(starts), np.float32)
    for number, start in enumerate(starts):
        one = np.conj(fft.rfft(dry[start : start + _WINDOW] * taper, size))
        with_wet, with_itself = (
            fft.irfft(whitened(fft.rfft(each[start : start + size]) * one), size)[: rows.shape[1]] for each in around
        )
        rows[number] = with_wet
        clear[number] = _clearness(with_itself, _REACH)
    rows /= 1.5 * np.median(np.abs(rows), axis=1, keepdims=True) + 1e-12
    return np.clip(rows, -_TALLEST, _TALLEST), starts, clear


def _clearness(row: NDArray[Any], place: int) -> float:
    """Return how far the peak at a place stands above all that is not near it, from 0 to 1."""
    rest = max(row[: max(place - _BESIDE, 0)].max(initial=0.0), row[place + _BESIDE :].max(initial=0.0))
    return float(np.clip(row[place] / (rest + 1e-12) - 1, 0, 1))


def _shaped(rows: Rows) -> tuple[Rows, NDArray[np.float32]]:
    """Return the rows filtered by the shape in which sound arrives, their highest being 1, and how clear each is."""
    width = rows.shape[1]
    size = fft.next_fast_len(width + 2 * _SHAPE, real=True)
    spectra = fft.rfft(rows, size, axis=1)
    usual = int(np.clip(np.argmax(np.sum(np.abs(rows), axis=0)), _SHAPE, width - _SHAPE - 1))
    # Each by itself at first: a shape averaged over takes that slip by a little would have two peaks, and fit both.
    lags = usual - _SHAPE + np.abs(rows[:, usual - _SHAPE : usual + _SHAPE + 1]).argmax(axis=1)
    shaped = rows
    for _ in range(_ROUNDS):
        within = [(row, lag) for row, lag in zip(rows, lags, strict=True) if _SHAPE <= lag < width - _SHAPE]
        shape = np.mean([row[lag - _SHAPE : lag + _SHAPE + 1] for row, lag in within], axis=0) if within else np.ones(1)
        found = fft.irfft(spectra * np.conj(fft.rfft(shape.astype(np.float32), size)), size, axis=1)
        shaped = np.maximum(np.roll(found, len(shape) // 2, axis=1)[:, :width], 0)
        lags = shaped.argmax(axis=1)
    weights = np.asarray([_clearness(row, lag) for row, lag in zip(shaped, lags, strict=True)], np.float32)
    return shaped / (shaped.max(axis=1, keepdims=True) + 1e-12), weights


def _path(shaped: Rows, weights: NDArray[np.float32]) -> Places:
    """Return the lag of each window, on the way through all of them that they agree with best."""
    width = shaped.shape[1] // _POOL
    scores = shaped[:, : width * _POOL].reshape(len(shaped), width, _POOL).max(axis=2) * weights[:, None]
    best, places = scores[0], np.arange(width)
    came = np.empty((len(scores), width), np.int32)
    came[0] = places
    for number in range(1, len(scores)):
        near = ndimage.maximum_filter1d(best, 2 * _WANDER + 1)
        nearest = _place_of_maximum(best)
        far = float(best.max()) - _SLIPPING
        ways = np.stack([best, near - _WANDERING, np.full(width, far)])
        chosen = ways.argmax(axis=0)
        came[number] = np.choose(chosen, [places, nearest, np.full(width, int(best.argmax()))])
        best = ways.max(axis=0) + scores[number]
    path = np.empty(len(scores), np.int64)
    path[-1] = int(best.argmax())
    for number in range(len(scores) - 1, 0, -1):
        path[number - 1] = came[number, path[number]]
    return path * _POOL


def _place_of_maximum(values: NDArray[np.float32]) -> Places:
    """Return, for each place, where within `_WANDER` of it the highest value is."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(values, _WANDER, constant_values=-np.inf), 2 * _WANDER + 1)
    return np.arange(len(values)) + around.argmax(axis=1) - _WANDER


def _slipped(before: Rows, after: Rows, expected: int) -> int | None:
    """Return by how many frames two averaged rows are apart, about as many as `expected`; None when that is chance."""
    size = fft.next_fast_len(2 * len(before), real=True)
    alike = fft.irfft(fft.rfft(after, size) * np.conj(fft.rfft(before, size)), size)
    near = np.arange(expected - _ROUGH, expected + _ROUGH + 1)
    frames = int(near[np.argmax(alike[near % size])])
    there = float(alike[frames % size])
    stayed = float(alike[np.arange(-_POOL * _WANDER, _POOL * _WANDER + 1) % size].max())
    return frames if stayed < _STAYS * there and there > _ELSEWHERE * float(alike.max()) else None
