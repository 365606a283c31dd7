"""The state of a training: all that a step touches, and all that a checkpoint keeps."""

import copy
import math
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from profiler.effects import Effect
from profiler.profile import CurvePoint
from profiler.training.checkpoint import Checkpoint

__all__ = ["TrainingState", "weights_of"]

LARGEST_GRADIENT = 1.0
AVERAGING = 0.995


@dataclass(eq=False)
class TrainingState:
    """Weights, their running average, the best of both so far, and where the training stands.

    `seconds` counts training alone, over all runs; `curve` is the learning curve.
    """

    effect: Effect
    average: Effect
    optimizer: torch.optim.Adam
    rng: np.random.Generator
    best: dict[str, Tensor]
    best_esr: float = math.inf
    step: int = 0
    seconds: float = 0.0
    curve: list[CurvePoint] = field(default_factory=list)

    @classmethod
    def fresh(cls, effect: Effect, *, seed: int) -> Self:
        """Return the state before the first step."""
        average = copy.deepcopy(effect).requires_grad_(requires_grad=False)
        optimizer = torch.optim.Adam(effect.parameters(), betas=(0.9, 0.99))
        return cls(effect, average, optimizer, np.random.default_rng(seed), weights_of(average))

    def apply(self, gradients: list[Tensor], rate: float) -> bool:
        """Take one step down clipped gradients and move the average. Return False, with nothing done, for NaN."""
        norm = float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(each) for each in gradients])))
        if not math.isfinite(norm):
            return False
        shrink = min(1.0, LARGEST_GRADIENT / (norm + 1e-12))
        for parameter, gradient in zip(self.effect.parameters(), gradients, strict=True):
            parameter.grad = gradient * shrink
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.step()
        self.effect.restrain(rate)
        self.step += 1
        keep = min(AVERAGING, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, parameter in zip(self.average.parameters(), self.effect.parameters(), strict=True):
                mean.lerp_(parameter, 1 - keep)
        return True

    def checkpoint(self, fingerprint: str) -> Checkpoint:
        """Return everything that it takes to go on exactly."""
        tensors = {"effect." + name: tensor for name, tensor in weights_of(self.effect).items()}
        tensors |= {"average." + name: tensor for name, tensor in weights_of(self.average).items()}
        tensors |= {"best." + name: tensor for name, tensor in self.best.items()}
        for number, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{name}": torch.as_tensor(value).clone() for name, value in slots.items()}
        values = {
            "best_esr": self.best_esr if math.isfinite(self.best_esr) else None,
            "step": self.step,
            "seconds": self.seconds,
            "curve": [[point.seconds, point.step, point.esr] for point in self.curve],
            "rng": self.rng.bit_generator.state,
        }
        return Checkpoint(fingerprint=fingerprint, tensors=tensors, values=values)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to where a checkpoint was taken."""
        groups: dict[str, dict[str, Tensor]] = {"effect": {}, "average": {}, "best": {}, "adam": {}}
        for name, tensor in checkpoint.tensors.items():
            group, _, rest = name.partition(".")
            groups[group][rest] = tensor
        self.effect.load_state_dict(groups["effect"])
        self.average.load_state_dict(groups["average"])
        self.best = groups["best"]
        adam: dict[int, dict[str, Any]] = {}
        for name, tensor in groups["adam"].items():
            number, _, slot = name.partition(".")
            adam.setdefault(int(number), {})[slot] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": adam})
        values = checkpoint.values
        self.best_esr = math.inf if values["best_esr"] is None else values["best_esr"]
        self.step, self.seconds = values["step"], values["seconds"]
        self.curve = [CurvePoint(seconds=seconds, step=step, esr=esr) for seconds, step, esr in values["curve"]]
        self.rng.bit_generator.state = values["rng"]


def weights_of(effect: Effect) -> dict[str, Tensor]:
    """Return copies of an effect's tensors by name."""
    return {name: tensor.detach().clone() for name, tensor in effect.state_dict().items()}
