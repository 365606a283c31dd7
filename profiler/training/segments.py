"""Segments: how recurrent effects learn, following rows of audio piece by piece, the rows shared out over threads.

torch runs an LSTM's time steps one after the other on one thread, so two cores are kept busy by giving each its own
rows. The workload is cut so that what one call allocates stays below 32 MB: above that, glibc returns the memory
to the system after every step and training runs at half the speed (measured, torch 2.13).
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from profiler.effects import Effect, State
from profiler.errors import TrainingError
from profiler.training.examples import Examples, Passage
from profiler.training.loss import Loss

__all__ = ["SEGMENT_FRAMES", "WARM_UP_SEGMENTS", "Crew", "Segments"]

# Chosen by trial on the demo's chain, 60 s of training each (ESR of a 16-wide LSTM on unseen settings and playing):
# segments of 2048 frames .014, 1024 .0022, 512 .0009, 256 .0048.
ROWS = 64
SEGMENT_FRAMES = 512
SEGMENTS = 40
WARM_UP_SEGMENTS = 4

_MOST_WORKERS = 4
_SMALL_TABLE = 4096


@dataclass(eq=False)
class Segments:
    """One worker's rows, gone through segment by segment with the effect's state carried along."""

    passage: Passage
    state: State
    at: int = 0

    def take(self, frames: int) -> Passage:
        """Return the next segment and step past it."""
        self.at += frames
        return self.passage.excerpt(self.at - frames, self.at)


class Crew:
    """Threads that work out losses and gradients of an effect. Use as a context manager.

    Rows start at random places, and truncated back-propagation follows them segment by segment (Wright et al. 2019).
    Raises TrainingError when no passage is as long as the shortest row.
    """

    audio_frames = ROWS * SEGMENT_FRAMES
    """How much a step learns from."""

    def __init__(self, effect: Effect, examples: Examples) -> None:
        self.effect = effect
        self._examples = examples
        self._segments = _segments_that_fit(examples)
        self.positions = torch.from_numpy(examples.positions)
        self._loss = Loss.of_rows(examples)
        self.workers = min(_MOST_WORKERS, 1 << ((os.cpu_count() or 1).bit_length() - 1))
        self._threads_before = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(self.workers)

    def __enter__(self) -> Self:
        # Each worker runs its operations alone: torch's own threads would fight over the same cores.
        torch.set_num_threads(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        torch.set_num_threads(self._threads_before)

    def round(self, rng: Generator, *, slow: bool = False) -> Iterator[tuple[float, list[Tensor]]]:
        """Yield losses and gradients along new rows. `slow` changes nothing: gradients go one segment back."""
        del slow
        warm_up = WARM_UP_SEGMENTS * SEGMENT_FRAMES
        passage = self._examples.rows(rng, count=ROWS, frames=warm_up + self._segments * SEGMENT_FRAMES)
        shares = self.begin(passage, warm_up=warm_up)
        for _ in range(self._segments):
            yield self.step(shares, frames=SEGMENT_FRAMES)

    def begin(self, passage: Passage, *, warm_up: int) -> list[Segments]:
        """Share out rows of shape (rows, frames) and run their first `warm_up` frames, from which nothing is learnt."""
        cuts = np.array_split(np.arange(passage.dry.shape[0]), self.workers)
        shares = [Segments(passage.of_rows(rows), self.effect.initial_state(len(rows))) for rows in cuts if len(rows)]
        list(self._pool.map(lambda share: self._warm_up(share, warm_up), shares))
        return shares

    def step(self, shares: Sequence[Segments], *, frames: int) -> tuple[float, list[Tensor]]:
        """Return the loss over the next `frames` frames of all rows, and its gradient for every parameter."""
        results = list(self._pool.map(lambda share: self._gradients(share, frames, len(shares)), shares))
        gradients = [torch.stack(parts).sum(dim=0) for parts in zip(*(each for _, each in results), strict=True)]
        return sum(loss for loss, _ in results), gradients

    def _warm_up(self, share: Segments, frames: int) -> None:
        with torch.no_grad():
            _, share.state = self._run(share, share.take(frames))

    def _gradients(self, share: Segments, frames: int, shares: int) -> tuple[float, tuple[Tensor, ...]]:
        segment = share.take(frames)
        predicted, state = self._run(share, segment)
        share.state = tuple(part.detach() for part in state)
        target, counts = torch.from_numpy(segment.wet), torch.from_numpy(segment.counts)
        loss = self._loss(target, predicted * counts, torch.from_numpy(segment.knobs)) / shares
        gradients = torch.autograd.grad(loss, list(self.effect.parameters()))
        return float(loss.detach()), gradients

    def _run(self, share: Segments, segment: Passage) -> tuple[Tensor, State]:
        return self.effect.run(torch.from_numpy(segment.dry), self._features(segment), share.state)

    def _features(self, segment: Passage) -> Tensor:
        """Return features (rows, frames, features), each setting worked out once."""
        index = torch.from_numpy(np.ascontiguousarray(segment.knobs.T))
        table = self.positions
        if len(table) > _SMALL_TABLE:
            used, index = torch.unique(index, return_inverse=True)
            table = table[used]
        return torch.nn.functional.embedding(index, self.effect.conditioned(table)).transpose(0, 1)


def _segments_that_fit(examples: Examples) -> int:
    """Return how many segments a row has: fewer than planned when every passage is short."""
    longest = max((passage.frames for passage in examples.learnt), default=0)
    segments = min(SEGMENTS, longest // SEGMENT_FRAMES - WARM_UP_SEGMENTS)
    if segments < 1:
        needed = (WARM_UP_SEGMENTS + 1) * SEGMENT_FRAMES
        raise TrainingError(f"The longest passage to learn from has {longest} frames; at least {needed} are needed.")
    return segments
