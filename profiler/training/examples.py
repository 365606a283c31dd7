"""Examples: aligned dry and wet with the knobs at every frame, cut into rows for training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from profiler.alignment import aligned, counted
from profiler.audio import Samples
from profiler.errors import TrainingError
from profiler.session import Take
from profiler.session_folder import SessionFolder
from profiler.split import Span

__all__ = ["Examples", "Passage", "read_examples"]

_WATCHED_SHARE = 0.04
_WATCHED_FROM_FRAMES = 480_000


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

    def of_rows(self, rows: NDArray[np.intp]) -> "Passage":
        """Return some rows of a passage that has several."""
        return Passage(dry=self.dry[rows], wet=self.wet[rows], knobs=self.knobs[rows], counts=self.counts[rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Passages to learn from and to watch, and the table of knob positions (settings, width) they index."""

    learnt: tuple[Passage, ...]
    watched: tuple[Passage, ...]
    positions: Samples

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
        if min(power) <= 0:
            raise TrainingError("There is nothing to learn: the dry or the wet of every take is silent.")
        dry, wet = (float(np.sqrt(each / self.learnt_frames)) for each in power)
        return dry, wet

    def rows(self, rng: Generator, *, count: int, frames: int) -> Passage:
        """Return `count` rows of `frames` frames from random places, every place as likely as every other.

        Shape (count, frames). A passage that is shorter than a row is passed over.
        """
        room = np.asarray([max(passage.frames - frames + 1, 0) for passage in self.learnt])
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


def read_examples(folder: SessionFolder, spans: Sequence[Span]) -> Examples:
    """Read the spans of a session, aligned, as examples.

    The last 4 % of every long span is kept aside to watch: training does not learn from it, and the best weights
    so far are chosen by it, so that what the split holds out plays no part. Raises SessionError for a damaged session.
    """
    learnt, watched, tables = [], [], []
    settings = 0
    for take in folder.session.takes:
        own = [span for span in spans if span.take == take.number]
        if not own:
            continue
        whole, table = _read(folder, take, offset=settings)
        tables.append(table)
        settings += len(table)
        for span in own:
            length = span.stop - span.start
            cut = span.stop - (int(_WATCHED_SHARE * length) if length >= _WATCHED_FROM_FRAMES else 0)
            learnt.append(whole.excerpt(span.start, cut))
            if cut < span.stop:
                watched.append(whole.excerpt(cut, span.stop))
    return Examples(learnt=tuple(learnt), watched=tuple(watched), positions=np.concatenate(tables))


def _read(folder: SessionFolder, take: Take, *, offset: int) -> tuple[Passage, Samples]:
    dry = folder.dry_of(take).mono()
    raw = folder.wet_of(take).samples
    wet = aligned(raw, take, len(dry))
    table, index = folder.track_of(take).motion(folder.session.knobs).table(len(dry))
    counts = counted(take, len(dry))
    return Passage(dry=dry, wet=wet.mean(axis=0) * counts, knobs=index + np.int32(offset), counts=counts), table
