"""The loss: error beside how loud the wet is there, a share of it after pre-emphasis."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from profiler.training.examples import Examples
from profiler.training.usual_power import usual_power

__all__ = ["CONVOLUTIONAL_SHARE", "EMPHASIS", "RECURRENT_SHARE", "Loss"]

EMPHASIS = 0.95

# By trial, 1,500 steps on an overdrive with two knobs, median and worst ESR at unseen settings (without pre-emphasis):
# a share of 0 .0020 and .0024, .35 .0023 and .0037, .7 .0016 and .0023, .85 .0009 and .0013, .95 .0012 and .0016.
CONVOLUTIONAL_SHARE = 0.85
# 2,500 steps on the demo's chain: .35 .0021 and .0032, .85 .0052 and .0078.
RECURRENT_SHARE = 0.35


@dataclass(frozen=True, kw_only=True, eq=False)
class Loss:
    """Error power beside half the row's own power and half the usual power of the wet at its knobs.

    Quiet settings count like loud ones. Within a setting loud playing counts for more, as it does in the score: beside
    the row's own power alone, a fuzz erred three times as much and an amp half as much again. A share is measured after
    pre-emphasis (Wright & Valimaki 2020), or the bass, which holds most of the energy, would be learnt alone.

    `usual` is the power for each row of the table of positions, `emphasised` how much of it pre-emphasis leaves, and
    `share` how much of the loss is measured after it.
    """

    usual: Tensor
    emphasised: float
    share: float

    @classmethod
    def of(cls, examples: Examples, share: float) -> Self:
        """Return the loss for these examples. Raises TrainingError when they are silent."""
        whole = examples.levels()[1] ** 2 * examples.learnt_frames
        left = sum(
            float(np.square(np.diff(each.wet) + (1 - EMPHASIS) * each.wet[:-1], dtype=np.float64).sum())
            for each in examples.learnt
        )
        return cls(usual=torch.from_numpy(usual_power(examples)), emphasised=max(left / whole, 1e-6), share=share)

    def __call__(self, target: Tensor, predicted: Tensor, knobs: Tensor) -> Tensor:
        """Return the mean over rows, for (rows, frames), and for every row or frame a row of the table (rows, any)."""
        usual, error = self.usual[knobs].mean(dim=1), predicted - target
        flat = _relative(target, error, usual)
        emphasised = _relative(_emphasised(target), _emphasised(error), self.emphasised * usual)
        return (1 - self.share) * flat + self.share * emphasised


def _relative(target: Tensor, error: Tensor, usual: Tensor) -> Tensor:
    return (2 * error.square().mean(dim=1) / (target.square().mean(dim=1) + usual)).mean()


def _emphasised(signal: Any) -> Any:
    """Return a tensor or an array of shape (rows, frames) after pre-emphasis, a frame shorter."""
    return signal[:, 1:] - EMPHASIS * signal[:, :-1]
