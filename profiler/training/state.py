"""The state of a training: all that a step touches, and all that a checkpoint keeps."""

import copy
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from profiler.effects import Effect, build_effect
from profiler.profile import CurvePoint, Stage
from profiler.training.checkpoint import Checkpoint
from profiler.training.device import PROCESSOR, placed
from profiler.training.recipe import Recipe, recipe_for
from profiler.training.replay import Replay
from profiler.training.soap import Soap

__all__ = ["TrainingState", "weights_of"]

_NORMS = 64
_LEAST_NORMS = 8
_OVER_USUAL = 1.5
_SLIPPED, _SLOWER = 1.5, 0.7
_LATELY, _USUALLY, _ASTRAY = 8, 64, 3.0
_LEAST_LOSSES = 32


@dataclass(eq=False)
class TrainingState:
    """Weights, their running average, the best of both so far, and where the training stands.

    `seconds` and `audio_frames` count over all runs; `norms` are those of the latest gradients; `curve` is the learning
    curve. `ending_from` is how much of the schedule was over when there was nothing left to learn. `slowed` is the
    share of the recipe's rate that is left after slips. `is_slow` says that much of the error changes slower than a
    window of training lasts, so that it can only be learnt through all the past.
    """

    effect: Effect
    average: Effect
    recipe: Recipe
    optimizer: torch.optim.Optimizer
    rng: np.random.Generator
    best: dict[str, Tensor]
    best_esr: float = math.inf
    step: int = 0
    seconds: float = 0.0
    audio_frames: int = 0
    ending_from: float | None = None
    slowed: float = 1.0
    is_slow: bool = False
    norms: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    curve: list[CurvePoint] = field(default_factory=list)
    _recorded: Replay | None = None

    @classmethod
    def fresh(cls, effect: Effect, *, seed: int) -> Self:
        """Return the state before the first step."""
        average = copy.deepcopy(effect).requires_grad_(requires_grad=False)
        recipe = recipe_for(effect)
        return cls(effect, average, recipe, recipe.optimizer(effect), np.random.default_rng(seed), weights_of(average))

    def apply(self, gradients: list[Tensor], rate: float) -> bool:
        """Take one step down clipped gradients and move the average. Return False, with nothing done, for NaN.

        `rate` is a share of the recipe's peak rate.
        """
        norm = float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(each) for each in gradients])))
        if not math.isfinite(norm):
            return False
        shrink = min(1.0, self._limit(norm) / (norm + 1e-12))
        self.step += 1
        keep = min(self.recipe.averaging, (1 + self.step) / (10 + self.step))
        self._move(gradients, shrink, rate * self.recipe.peak_rate * self.slowed, keep)
        return True

    def _move(self, gradients: Sequence[Tensor], shrink: float, rate: float, keep: float) -> None:
        """Take a step, on a GPU a recorded one."""
        if not isinstance(self.optimizer, Soap) or self.effect.device.type == "cpu":
            self._step(gradients, shrink, rate, keep)
            return
        if self._recorded is None:
            changed = [*self.effect.parameters(), *self.average.parameters(), *self.optimizer.tensors()]
            self._recorded = Replay(lambda numbers, *each: self._step(each, *numbers.unbind()), changed=changed)
        self.optimizer.make_ready()
        self._recorded(torch.tensor([shrink, rate, keep]), *gradients)

    @torch.no_grad()
    def _step(
        self, gradients: Sequence[Tensor], shrink: float | Tensor, rate: float | Tensor, keep: float | Tensor
    ) -> Sequence[Tensor]:
        for parameter, gradient in zip(self.effect.parameters(), gradients, strict=True):
            parameter.grad = gradient * shrink
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.effect.restrain(rate)
        for mean, parameter in zip(self.average.parameters(), self.effect.parameters(), strict=True):
            mean.lerp_(parameter, 1 - keep)
        return ()

    def is_led_astray(self, loss: float) -> bool:
        """Remember a loss; where all the latest are far above the usual, go on from the average, slower.

        One batch may be eighty times as hard as the usual one, and half of eight ten times, but eight in a row never
        were three times as hard, but on weights that large steps had led away: on a diode clipper to 1,000 times the
        loss within a hundred steps.
        """
        self.losses = [*self.losses, loss][-_USUALLY:]
        least = min(self.losses[-_LATELY:])
        if len(self.losses) < _LEAST_LOSSES or least <= _ASTRAY * statistics.median(self.losses):
            return False
        self.effect.load_state_dict(self.average.state_dict())
        self.slowed *= _SLOWER
        self.losses = self.losses[:-_LATELY]
        return True

    def recover(self) -> None:
        """Go on from the best weights, and slower, when the last look at them shows that steps have led far away.

        A fuzz did so after 1,700 steps, to three to eight times its error, and had not come back 800 steps later.
        """
        errors = [point.esr for point in self.curve]
        if len(errors) > 1 and errors[-1] > _SLIPPED * min(errors[:-1]):
            self.go_back()

    def go_back(self) -> None:
        """Go on from the best weights so far, and slower."""
        self.effect.load_state_dict(self.best)
        self.average.load_state_dict(self.best)
        self.slowed *= _SLOWER

    def _limit(self, norm: float) -> float:
        """Return the largest norm that a gradient may have now, and remember this one's."""
        if self.recipe.largest_gradient is not None:
            return self.recipe.largest_gradient
        limit = _OVER_USUAL * statistics.median(self.norms) if len(self.norms) >= _LEAST_NORMS else norm
        self.norms = [*self.norms, norm][-_NORMS:]
        return limit

    def checkpoint(self, fingerprint: str) -> Checkpoint:
        """Return everything that it takes to go on exactly."""
        tensors = {"effect." + name: tensor for name, tensor in weights_of(self.effect).items()}
        tensors |= {"average." + name: tensor for name, tensor in weights_of(self.average).items()}
        tensors |= {"best." + name: tensor for name, tensor in self.best.items()}
        for number, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value).clone() for name, value in slots.items()}
        values = {
            "effect": [self.effect.kind, dict(self.effect.config)],
            "best_esr": self.best_esr if math.isfinite(self.best_esr) else None,
            "step": self.step,
            "seconds": self.seconds,
            "audio_frames": self.audio_frames,
            "ending_from": self.ending_from,
            "slowed": self.slowed,
            "is_slow": self.is_slow,
            "norms": self.norms,
            "losses": self.losses,
            "curve": [[point.seconds, point.step, point.esr] for point in self.curve],
            "rng": self.rng.bit_generator.state,
        }
        return Checkpoint(fingerprint=fingerprint, tensors=tensors, values=values)

    @classmethod
    def restored(cls, checkpoint: Checkpoint, device: torch.device = PROCESSOR) -> Self:
        """Return the state that a checkpoint was taken of, on the device, if effects of its kind learn there."""
        kind, config = checkpoint.values["effect"]
        state = cls.fresh(placed(build_effect(Stage(kind=kind, config=config, prefix="")), device), seed=0)
        state._restore(checkpoint)
        return state

    def _restore(self, checkpoint: Checkpoint) -> None:
        groups: dict[str, dict[str, Tensor]] = {"effect": {}, "average": {}, "best": {}, "optimizer": {}}
        for name, tensor in checkpoint.tensors.items():
            group, _, rest = name.partition(".")
            groups[group][rest] = tensor
        self.effect.load_state_dict(groups["effect"])
        self.average.load_state_dict(groups["average"])
        self.best = groups["best"]
        slots: dict[int, dict[str, Any]] = {}
        for name, tensor in groups["optimizer"].items():
            number, _, slot = name.partition(".")
            slots.setdefault(int(number), {})[slot] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": slots})
        values = checkpoint.values
        self.best_esr = math.inf if values["best_esr"] is None else values["best_esr"]
        self.step, self.seconds = values["step"], values["seconds"]
        self.ending_from, self.slowed, self.is_slow = (values[name] for name in ("ending_from", "slowed", "is_slow"))
        self.audio_frames = values["audio_frames"]
        self.norms, self.losses = values["norms"], values["losses"]
        self.curve = [CurvePoint(seconds=seconds, step=step, esr=esr) for seconds, step, esr in values["curve"]]
        self.rng.bit_generator.state = values["rng"]


def weights_of(effect: Effect) -> dict[str, Tensor]:
    """Return copies of an effect's tensors by name, on the processor."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in effect.state_dict().items()}
