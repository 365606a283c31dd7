"""Windows: how convolutional effects learn, from short stretches anywhere in the takes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from profiler.effects import ConvolutionalEffect
from profiler.errors import TrainingError
from profiler.training.examples import Examples, Passage
from profiler.training.loss import Loss
from profiler.training.replay import Replay

__all__ = ["WINDOW_FRAMES", "Windows", "stretches_for"]

# By trial on a two-knob overdrive, equal work (ESR at unseen settings on real playing, median and worst): 16 windows of
# 4096 frames .0037 and .0046, 16 of 2048 .0025 and .0025, 8 of 2048 .0015 and .0017.
ROWS = 8
# On an H200 twice as many rows take a sixth more time a step. In a minute an amp came to .0102 with 8, .0103 with 16.
_GPU_ROWS = 16
WINDOW_FRAMES = 2048
_ROUND_STEPS = 16
# Gradients go 10 ms back before a window, not through all of its past: a step costs two thirds. After 1,200 steps the
# watched error on an amp with slow dynamics was .0126 through all the past, .0147 with 240 frames, .0184 with none. But
# where much of the error is slower than a window, all of the past is worth its time: a minute on a fuzz whose bias
# shifts .0023 for .0045; on an amp .027 for .020, on high gain .0064 for .0029, on a preamp .0035 for .0030.
_HORIZON_FRAMES = 480
_LEAST_FRAMES = 1024
# What is far below the sound hardly shows in the error, and is heard. By trial, a minute, MR-STFT and ESR: high gain
# with a cabinet .73 and .0023 without, .28 and .0023 so, .22 and .0034 with .003; an amp 1.17 and .018, .76 and .022,
# .58 and .016; an overdrive .09 and .00003, .09 and .00006, .07 and .00005. Seeds differ as much in the ESR on the
# first two. A share of .01 cost the amp a third in ESR, and a preamp nothing.
_SPECTRAL_EVERY, _SPECTRAL_SHARE = 8, 0.0005


class Windows:
    """Gradients of windows over which knobs hardly move, each after all the past that it hears. A context manager.

    Raises TrainingError when there is no stretch long enough for the shortest window.
    """

    def __init__(self, effect: ConvolutionalEffect, examples: Examples) -> None:
        self.effect = effect
        self._device = effect.device
        self._rows = ROWS if self._device.type == "cpu" else _GPU_ROWS
        self._positions = torch.from_numpy(examples.positions).to(self._device)
        self._loss = Loss.of_settings(examples, self._device)
        self._replays: dict[bool, Replay] = {}
        self._history = effect.memory_frames
        stretches, self._frames = stretches_for(examples, self._history)
        self._middle = self._history + self._frames // 2
        self._examples = replace(examples, learnt=tuple(stretches))
        self.audio_frames = self._rows * self._frames
        self._threads_before = torch.get_num_threads()

    def __enter__(self) -> Self:
        # The engine has threads of its own; what is left to torch is too small to share out.
        torch.set_num_threads(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        torch.set_num_threads(self._threads_before)

    def round(self, rng: Generator, *, slow: bool = False) -> Iterator[tuple[float, list[Tensor]]]:
        """Yield the loss of a batch of windows, and its gradient for every parameter, a few times."""
        for number in range(1, _ROUND_STEPS + 1):
            yield self.step(rng, slow=slow, spectral=number % _SPECTRAL_EVERY == 0)

    def step(self, rng: Generator, *, slow: bool = False, spectral: bool = False) -> tuple[float, list[Tensor]]:
        """Return the loss and the gradients of one batch; where it is `spectral`, spectra count too.

        Where the error is `slow` gradients go through all the past.
        """
        rows = self._examples.rows(rng, count=self._rows, frames=self._history + self._frames)
        settings = rows.knobs[:, self._middle, None]
        heard = (rows.dry, rows.wet[:, self._history :], rows.counts[:, self._history :], settings)
        loss, *gradients = self._lesson(slow, spectral)(*(torch.from_numpy(each) for each in heard))
        return float(loss), gradients

    def _lesson(self, slow: bool, spectral: bool) -> Callable[..., Sequence[Tensor]]:  # noqa: FBT001 - as in `step`
        lesson = partial(self._learnt, horizon=None if slow else _HORIZON_FRAMES, spectral=spectral)
        if self._device.type == "cpu":
            return lesson
        if spectral not in self._replays:
            self._replays[spectral] = Replay(lesson)
        return self._replays[spectral]

    def _learnt(
        self, dry: Tensor, wet: Tensor, counts: Tensor, knobs: Tensor, *, horizon: int | None, spectral: bool
    ) -> Sequence[Tensor]:
        """Return the loss, and its gradient for every parameter."""
        features = self.effect.conditioned(self._positions[knobs[:, 0]])
        heard = wet, self.effect.learn(dry, features, horizon) * counts, knobs
        loss = self._loss(*heard)
        if spectral:
            loss = loss + _SPECTRAL_EVERY * _SPECTRAL_SHARE * self._loss.spectral(*heard)
        return loss.detach(), *torch.autograd.grad(loss, list(self.effect.parameters()))


def stretches_for(examples: Examples, history: int) -> tuple[Sequence[Passage], int]:
    """Return the stretches that windows are cut from, each with `history` frames before it, and a window's length.

    Knobs that seldom rest for long would leave few places for a window after a past at the same settings. The past is
    then what was played before at others, which the gear has mostly forgotten, and windows are shorter. Raises
    TrainingError when none is long enough for the shortest.
    """
    lengths = np.sort(np.asarray([stop - start for _, start, stop in examples.calm_spans], np.int64))
    if lengths.max(initial=0) < _LEAST_FRAMES:
        raise TrainingError(
            f"The longest passage to learn from, with the knobs at rest, has {lengths.max(initial=0)} frames; at least "
            f"{_LEAST_FRAMES} are needed."
        )
    # Half of all calm frames lie in stretches that are at least so long.
    usual = int(lengths[np.searchsorted(np.cumsum(lengths), lengths.sum() / 2)])
    if usual >= history + 2 * WINDOW_FRAMES:
        return examples.calm_stretches, WINDOW_FRAMES
    long = [span for span in examples.calm_spans if span[2] - span[1] >= _LEAST_FRAMES]
    return [with_past(*span, frames=history) for span in long], min(max(usual // 2, _LEAST_FRAMES), WINDOW_FRAMES)


def with_past(whole: Passage, start: int, stop: int, *, frames: int) -> Passage:
    """Return a passage from start to stop after so many frames that come before, silence where it has none."""
    found = whole.excerpt(max(start - frames, 0), stop)
    lead = (max(frames - start, 0), 0)
    return Passage(
        dry=np.pad(found.dry, lead),
        wet=np.pad(found.wet, lead),
        knobs=np.pad(found.knobs, lead, "edge"),
        counts=np.pad(found.counts, lead),
    )
