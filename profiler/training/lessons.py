"""Lessons: what a training loop takes its gradients from, by the kind of effect."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from numpy.random import Generator
from torch import Tensor

from profiler.effects import ConvolutionalEffect, Effect
from profiler.training.examples import Examples
from profiler.training.segments import Crew
from profiler.training.windows import Windows

__all__ = ["Lessons", "lessons_for"]


class Lessons(Protocol):
    """Rounds of steps. Between two rounds, the random generator and the effect are all there is to go on from."""

    @property
    def audio_frames(self) -> int:
        """How much a step learns from."""

    def round(self, rng: Generator, *, slow: bool = False) -> Iterator[tuple[float, list[Tensor]]]:
        """Yield the loss and its gradient for every parameter, step by step.

        `slow` tells that much of the error changes slowly, for effects whose gradients are cut short otherwise.
        """


def lessons_for(effect: Effect, examples: Examples) -> AbstractContextManager[Lessons]:
    """Return what an effect of this kind learns by. Raises TrainingError when there is too little audio."""
    return Windows(effect, examples) if isinstance(effect, ConvolutionalEffect) else Crew(effect, examples)
