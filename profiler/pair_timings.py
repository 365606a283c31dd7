"""How the pairs of a table run, told from all of them together: takes of one gear are filtered alike."""

import math
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from profiler.audio_file import reading
from profiler.hearing import Hearing
from profiler.pairs_table import PairRow
from profiler.recording import FileRecording
from profiler.timing import CLEAR, POLARITY_CLEAR, GearFilter, Lateness, Timing

__all__ = ["HeardPair", "agreed_timings", "recordings"]

# By how much the filters of two settings seem to delay each other: up to two frames, of an amp and a preamp whose gain
# and tone were turned all the way.
_FILTERS_DIFFER_FRAMES = 3.0


@dataclass(frozen=True, kw_only=True)
class HeardPair:
    """A row that can be used: what its two files sound like, and how they run against each other."""

    row: PairRow
    dry: Hearing
    wet: Hearing
    timing: Timing


@contextmanager
def recordings(
    row: PairRow, dry: Hearing, wet: Hearing, sample_rate: int
) -> Iterator[tuple[FileRecording, FileRecording]]:
    """Open the two files of a row as recordings at a rate, of the channels that were heard to carry the sound."""
    with reading(row.dry) as one, reading(row.wet) as other:
        yield FileRecording(one, sample_rate, dry.channels), FileRecording(other, sample_rate, wet.channels)


def agreed_timings(
    heard: Sequence[HeardPair], sample_rate: int, *, on_done: Callable[[float], None] = lambda _: None
) -> list[Timing]:
    """Return the pairs' timings, each measured once more through the filter that the surest of them shows.

    That tells lateness and polarity far better than the dry does. Takes at the same settings are timed by it exactly;
    at other settings it decides where their own timing is further away than filters are. One that it does not reach
    keeps its own. `on_done` is told which share of them is measured. Raises AudioError.
    """
    timings = [each.timing for each in heard]
    sharp = [number for number, timing in enumerate(timings) if not timing.is_spread]
    if not sharp:
        return timings
    through = _Through(heard, sample_rate, lambda done: on_done(done / max(len(sharp) - 1, 1)))
    groups = _groups(heard, sharp)
    heads = [min(group, key=lambda number: timings[number].uncertainty_frames) for group in groups]
    first = min(heads, key=lambda number: timings[number].uncertainty_frames)
    tied = {first}
    for head, found in through.one(first, timings, heads):
        timings[head] = _beside(timings[head], found)
        tied.add(head)
    for head, group in zip(heads, groups, strict=True):
        for number, found in through.one(head, timings, group):
            timings[number] = _alike(timings[number], found)
            if head in tied:
                tied.add(number)
    return _way_up(heard, timings, first, tied)


def _groups(heard: Sequence[HeardPair], numbers: Sequence[int]) -> list[list[int]]:
    """Return the takes that stand at the same settings together, those whose knobs move each on its own."""
    groups: list[list[int]] = []
    for number in numbers:
        settings = heard[number].row.settings
        alike = (group for group in groups if heard[group[0]].row.settings == settings)
        group = next(alike, None) if settings is not None else None
        if group is None:
            groups.append([number])
        else:
            group.append(number)
    return groups


@dataclass
class _Through:
    """Measures takes through the filter of one, and tells how many it has."""

    heard: Sequence[HeardPair]
    sample_rate: int
    on_count: Callable[[int], None]
    measured: int = 0

    def one(self, head: int, timings: Sequence[Timing], others: Sequence[int]) -> Iterator[tuple[int, Lateness]]:
        """Yield how late others are through the filter of `head`, its polarity taken in, those that it reaches."""
        others = [number for number in others if number != head]
        if not others:
            return
        with self._recordings(head) as (dry, wet):
            gear = GearFilter.of(dry, wet, timings[head], self.sample_rate)
        for number in others:
            self.measured += 1
            if gear is not None:
                with self._recordings(number) as (dry, wet):
                    found = gear.lateness(dry, wet, timings[number], self.sample_rate)
                if found.clearness >= CLEAR:
                    yield number, replace(found, polarity=_sign(found.polarity * timings[head].polarity))
            self.on_count(self.measured)

    def _recordings(self, number: int) -> AbstractContextManager[tuple[FileRecording, FileRecording]]:
        pair = self.heard[number]
        return recordings(pair.row, pair.dry, pair.wet, self.sample_rate)


def _alike(timing: Timing, found: Lateness) -> Timing:
    return replace(timing, frames=found.frames, polarity=found.polarity, uncertainty_frames=found.uncertainty_frames)


def _beside(timing: Timing, found: Lateness) -> Timing:
    if abs(found.frames - timing.frames) <= _FILTERS_DIFFER_FRAMES:
        return replace(timing, polarity=found.polarity)
    unsure = max(timing.uncertainty_frames, _FILTERS_DIFFER_FRAMES)
    return replace(timing, frames=found.frames, polarity=found.polarity, uncertainty_frames=unsure)


def _way_up(heard: Sequence[HeardPair], timings: Sequence[Timing], first: int, tied: Set[int]) -> list[Timing]:
    """Return the timings with all that are `tied` to each other turned over or none, by what they say on average.

    Where that is not clear the first is taken to be the right way up: one polarity for all is what matters.
    """
    told = [math.log(heard[at].timing.polarity_clearness) * heard[at].timing.polarity for at in tied]
    mean = sum(log * timings[at].polarity for log, at in zip(told, tied, strict=True)) / len(tied)
    turn = _sign(mean) if abs(mean) > math.log(POLARITY_CLEAR) else timings[first].polarity
    return [
        replace(each, polarity=_sign(each.polarity * turn)) if at in tied else each for at, each in enumerate(timings)
    ]


def _sign(value: float) -> Literal[-1, 1]:
    return 1 if value > 0 else -1
