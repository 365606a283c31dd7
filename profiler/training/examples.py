"""Examples: aligned dry and wet with the knobs at every frame, cut into rows for training."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from profiler.alignment import counted
from profiler.audio import Samples
from profiler.errors import TrainingError
from profiler.knob import Knob
from profiler.session import Take
from profiler.session_folder import SessionFolder
from profiler.split import Span

__all__ = ["CALM", "PIECE_FRAMES", "Apart", "Examples", "Passage", "read_examples", "with_some_watched"]

_MOST_SECONDS = 3600  # about 2 GB in memory, and more than a budget of minutes gets through
_STRETCH_FRAMES = 960_000
PIECE_FRAMES = 48_000
"""A second or so: what is watched is heard in pieces of this length."""

CALM = 0.02
"""A share of a knob's range: by less than that it hardly moves."""

_MOST_OF_A_PASSAGE = 0.25
_LEAST_POWER = 0.25
"""Of a passage's mean, what is watched has at least this much power: 6 dB less."""


@dataclass(frozen=True, kw_only=True)
class Apart:
    """How much is kept aside to watch: a share of passages, near their ends.

    Pieces of less than a second tell little, so short passages share one: it is kept of the last of them, and of a long
    passage its own. Of all passages together nothing is kept when they have fewer than `from_frames` frames.
    """

    share: float = 0.04
    from_frames: int = 480_000

    def cuts(self, lengths: Sequence[int]) -> list[int]:
        """Return where learning ends in each passage, for their lengths in frames."""
        found, owed = [], 0.0
        for number, frames in enumerate(lengths):
            owed += self.share * frames
            least = self.share * self.from_frames if number == len(lengths) - 1 else PIECE_FRAMES
            piece = int(owed) if least <= owed <= _MOST_OF_A_PASSAGE * frames else 0
            found.append(frames - piece)
            owed -= piece
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Passage:
    """Mono dry and wet of shape (..., frames), and for every frame a row of the table of knob positions.

    `counts` is false where the wet is not to be learnt from, because it clipped.
    """

    dry: Samples
    wet: Samples
    knobs: NDArray[np.int32]
    counts: NDArray[np.bool_]

    @property
    def frames(self) -> int:
        """How long it is."""
        return int(self.dry.shape[-1])

    def excerpt(self, start: int, stop: int) -> "Passage":
        """Return frames start to stop."""
        return Passage(
            dry=self.dry[..., start:stop],
            wet=self.wet[..., start:stop],
            knobs=self.knobs[..., start:stop],
            counts=self.counts[..., start:stop],
        )

    def with_settings_after(self, settings: int) -> "Passage":
        """Return the passage for a table of positions that so many other settings come first in."""
        return replace(self, knobs=self.knobs + np.int32(settings))

    def of_rows(self, rows: NDArray[np.intp]) -> "Passage":
        """Return some rows of a passage that has several."""
        return Passage(dry=self.dry[rows], wet=self.wet[rows], knobs=self.knobs[rows], counts=self.counts[rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Passages to learn from and to watch, and the table of knob positions (settings, width) they index.

    `guarded` are watched too: they are what a profile knew before, and must not get worse.
    """

    learnt: tuple[Passage, ...]
    watched: tuple[Passage, ...]
    positions: Samples
    guarded: tuple[Passage, ...] = ()

    @property
    def calm_stretches(self) -> Sequence[Passage]:
        """The stretches of what is learnt over which no knob moves by more than a fiftieth of its range."""
        return [whole.excerpt(start, stop) for whole, start, stop in self.calm_spans]

    @cached_property
    def calm_spans(self) -> Sequence[tuple[Passage, int, int]]:
        """Where those stretches lie: in which passage, from where and to where."""
        return [(each, *span) for each in self.learnt for span in self._calm_parts(each.knobs)]

    def _calm_parts(self, knobs: NDArray[np.int32]) -> Iterator[tuple[int, int]]:
        begin, stands = 0, self.positions[knobs[0]]
        for edge in (np.flatnonzero(np.diff(knobs)) + 1).tolist():
            moved = self.positions[knobs[edge]]
            if np.any(np.abs(moved - stands) > CALM):
                yield begin, edge
                begin, stands = edge, moved
        yield begin, len(knobs)

    @property
    def learnt_frames(self) -> int:
        """How much there is to learn from."""
        return sum(passage.frames for passage in self.learnt)

    def levels(self) -> tuple[float, float]:
        """Return the RMS of all dry and of all wet that is learnt from. Raises TrainingError for silence."""
        power = [
            sum(float(np.sum(np.square(getattr(passage, side), dtype=np.float64))) for passage in self.learnt)
            for side in ("dry", "wet")
        ]
        if min(power) <= 0 and not all(passage.counts.all() for passage in self.learnt):
            raise TrainingError("There is nothing to learn: all that sounds in the takes clipped. Record quieter.")
        if min(power) <= 0:
            raise TrainingError("There is nothing to learn: the dry or the wet of every take is silent.")
        dry, wet = (float(np.sqrt(each / self.learnt_frames)) for each in power)
        return dry, wet

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        return np.asarray([passage.frames for passage in self.learnt], np.int64)

    def rows(self, rng: Generator, *, count: int, frames: int) -> Passage:
        """Return `count` rows of `frames` frames from random places, every place as likely as every other.

        Shape (count, frames). A passage that is shorter than a row is passed over.
        """
        room = np.maximum(self._lengths - frames + 1, 0)
        places = rng.integers(0, room.sum(), count)
        ends = np.cumsum(room)
        chosen = np.searchsorted(ends, places, side="right")
        starts = places - (ends - room)[chosen]
        return stacked(
            [self.learnt[number].excerpt(start, start + frames) for number, start in zip(chosen, starts, strict=True)]
        )


def stacked(passages: Sequence[Passage]) -> Passage:
    """Return passages of equal length as one of shape (rows, frames)."""
    return Passage(
        dry=np.stack([passage.dry for passage in passages]),
        wet=np.stack([passage.wet for passage in passages]),
        knobs=np.stack([passage.knobs for passage in passages]),
        counts=np.stack([passage.counts for passage in passages]),
    )


def read_examples(
    folder: SessionFolder, spans: Sequence[Span], *, knobs: Sequence[Knob] | None = None, apart: Apart | None = None
) -> Examples:
    """Read the spans of a session, aligned, as examples; of more than an hour, stretches that lie evenly over it.

    Positions are those of `knobs`, the session's own unless told otherwise. Raises SessionError for a damaged session.
    """
    passages, tables = [], []
    settings = 0
    spans = thinned(spans, most=int(_MOST_SECONDS * folder.session.sample_rate))
    for take in folder.session.takes:
        own = [span for span in spans if span.take == take.number]
        if not own:
            continue
        motion = folder.track_of(take).motion(folder.session.knobs if knobs is None else knobs)
        table, index = motion.table(1 if motion.is_still else max(span.stop for span in own))
        tables.append(table)
        passages += [_read(folder, take, span, index + np.int32(settings)) for span in own]
        settings += len(table)
    return with_some_watched(passages, np.concatenate(tables), apart or Apart())


def with_some_watched(passages: Sequence[Passage], positions: Samples, apart: Apart) -> Examples:
    """Return examples in which the last playing of passages is kept aside to watch.

    Training does not learn from it, and the best weights so far are chosen by it, so that what the split holds out
    plays no part. The rest that a recording ends with tells nothing of the gear, so it is learnt from instead.
    """
    learnt, watched = [], []
    for whole, cut in zip(passages, apart.cuts([each.frames for each in passages]), strict=True):
        stop = _end_of_playing(whole, whole.frames - cut)
        start = stop - (whole.frames - cut)
        if start < stop:
            watched.append(whole.excerpt(start, stop))
        learnt += [whole.excerpt(*span) for span in ((0, start), (stop, whole.frames)) if span[0] < span[1]]
    return Examples(learnt=tuple(learnt), watched=tuple(watched), positions=positions)


def _end_of_playing(whole: Passage, frames: int) -> int:
    """Return where the last `frames` frames end over which the dry is about as loud as in the whole passage."""

    def power(stop: int) -> float:
        heard = whole.dry[stop - frames : stop] * whole.counts[stop - frames : stop]
        return float(np.dot(heard, heard)) / frames

    if not frames:
        return whole.frames
    stops = range(whole.frames, frames - 1, -max(frames // 2, 1))
    enough = _LEAST_POWER * float(np.dot(whole.dry, whole.dry)) / whole.frames
    return next((stop for stop in stops if power(stop) >= enough), None) or max(stops, key=power)


def thinned(spans: Sequence[Span], *, most: int) -> list[Span]:
    """Return the spans, or when they have more than `most` frames, stretches of them that lie evenly over all."""
    total = sum(span.stop - span.start for span in spans)
    if total <= most:
        return list(spans)
    stretches = [
        Span(take=span.take, start=start, stop=min(start + _STRETCH_FRAMES, span.stop))
        for span in spans
        for start in range(span.start, span.stop, _STRETCH_FRAMES)
    ]
    picked = np.linspace(0, len(stretches) - 1, max(most // _STRETCH_FRAMES, 1)).round().astype(int)
    return [stretches[number] for number in np.unique(picked)]


def _read(folder: SessionFolder, take: Take, span: Span, index: NDArray[np.int32]) -> Passage:
    """Read a span; `index` is the row of each frame of the take, of shape (frames,), or (1,) when nothing moves."""
    frames = span.stop - span.start
    dry, wet = (each.mean(axis=0) for each in folder.excerpt(take, span.start, span.stop))
    counts = counted(replace(take, latency_frames=take.latency_frames + span.start), frames)
    knobs = np.full(frames, index[0]) if len(index) == 1 else index[span.start : span.stop]
    return Passage(dry=dry, wet=wet * counts, knobs=knobs, counts=counts)
