"""The loss: error beside how loud the wet is there, a share of it after pre-emphasis, and the distance of spectra."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from profiler.training.device import PROCESSOR
from profiler.training.examples import Examples
from profiler.training.spectral_distance import Resolution, spectral_distance
from profiler.training.usual_power import usual_power

__all__ = ["EMPHASIS", "Loss"]

EMPHASIS = 0.95

# By trial, a minute, ESR and MR-STFT on players never heard, with .85 and with .5 of the loss after pre-emphasis: an
# amp .0199 and .68, .0137 and .71 (another seed .0164, .0145), a preamp .0030 and .36, .0018 and .33, high gain .0029
# and .41, .0030 and .31, an overdrive .00006 and .09, .00008 and .10, a fuzz learnt through all its past .0023, .0019.
_CONVOLUTIONAL_SHARE = 0.5
# 2,500 steps on the demo's chain: .35 .0021 and .0032, .85 .0052 and .0078.
_RECURRENT_SHARE = 0.35

_USUAL_RMS = 0.126
_RESOLUTIONS: Sequence[Resolution] = ((1024, 120, 600), (512, 50, 240), (256, 30, 120))

_QUIET = 0.1
"""Rows below this share of the wet's RMS, 20 dB down, are no longer weighted up for recurrent effects."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Loss:
    """Error power beside the row's own power and a floor. A share of it is measured after pre-emphasis.

    The floor keeps quiet rows from counting too much, and pre-emphasis (Wright & Valimaki 2020) keeps the bass, which
    holds most of the energy, from being learnt alone. `floor` is the power for each row of the table of positions,
    `emphasised` how much of it pre-emphasis leaves, and `share` how much of the loss is measured after it.
    """

    floor: Tensor
    emphasised: float
    share: float

    @classmethod
    def of_settings(cls, examples: Examples, device: torch.device = PROCESSOR) -> Self:
        """Return the loss for convolutional effects on this device: beside what is usual at the row's knobs.

        Quiet settings count like loud ones; within a setting loud playing counts for more, as it does in the score.
        Beside each row's own power alone a fuzz erred three times as much, and an amp half as much again.
        Raises TrainingError when the examples are silent.
        """
        whole = examples.levels()[1] ** 2 * examples.learnt_frames
        left = sum(float(np.square(_emphasised(each.wet[None]), dtype=np.float64).sum()) for each in examples.learnt)
        usual = torch.from_numpy(usual_power(examples)).to(device)
        return cls(floor=usual, emphasised=max(left / whole, 1e-6), share=_CONVOLUTIONAL_SHARE)

    @classmethod
    def of_rows(cls, examples: Examples) -> Self:
        """Return the loss for recurrent effects and dynamics: beside each row's own power, down to 20 dB.

        A compressor with three knobs erred .016 so after 3,000 steps, and .026 beside what is usual at its knobs.
        Raises TrainingError when the examples are silent.
        """
        floor = torch.full((len(examples.positions),), (_QUIET * examples.levels()[1]) ** 2)
        return cls(floor=floor, emphasised=(1 - EMPHASIS) ** 2, share=_RECURRENT_SHARE)

    def __call__(self, target: Tensor, predicted: Tensor, knobs: Tensor) -> Tensor:
        """Return the mean over rows, for (rows, frames), and for every row or frame a row of the table (rows, any)."""
        floor, error = self.floor[knobs].mean(dim=1), predicted - target
        flat = _relative(target, error, floor)
        emphasised = _relative(_emphasised(target), _emphasised(error), self.emphasised * floor)
        return (1 - self.share) * flat + self.share * emphasised

    def spectral(self, target: Tensor, predicted: Tensor, knobs: Tensor) -> Tensor:
        """Return the distance of the rows' spectra, at levels of -18 dBFS for what is usual at the row's knobs."""
        scale = _USUAL_RMS / self.floor[knobs].mean(dim=1, keepdim=True).sqrt()
        return spectral_distance(predicted * scale, target * scale, _RESOLUTIONS, mirrored=False)


def _relative(target: Tensor, error: Tensor, floor: Tensor) -> Tensor:
    return (error.square().mean(dim=1) / (target.square().mean(dim=1) + floor)).mean()


def _emphasised(signal: Any) -> Any:
    """Return a tensor or an array of shape (rows, frames) after pre-emphasis, a frame shorter."""
    return signal[:, 1:] - EMPHASIS * signal[:, :-1]
