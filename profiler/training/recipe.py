"""Recipes: how each kind of effect is trained, chosen by trial."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from profiler.effects import ConvolutionalEffect, Effect
from profiler.training.soap import Soap

__all__ = ["Recipe", "recipe_for", "refining"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The optimizer, its peak rate, how long weights are averaged, and what limits a gradient.

    A gradient's norm is held to `largest_gradient`, or when that is None to 1.5 times what was usual lately: a single
    window of silence or of a jump can be a hundred times the rest. The rate climbs to its peak over `climb`, a share of
    the schedule.
    """

    optimizer: Callable[[Effect], torch.optim.Optimizer]
    peak_rate: float
    averaging: float
    largest_gradient: float | None
    climb: float = 0.03


def recipe_for(effect: Effect) -> Recipe:
    """Return how an effect of this kind is trained."""
    return _CONVOLUTIONAL if isinstance(effect, ConvolutionalEffect) else _RECURRENT


def refining(recipe: Recipe) -> Recipe:
    """Return the recipe for an effect that is trained already: its optimizer knows nothing yet, so it goes slowly."""
    return replace(recipe, peak_rate=_REFINING_RATE * recipe.peak_rate, climb=_REFINING_CLIMB)


def _adam(effect: Effect) -> torch.optim.Optimizer:
    return torch.optim.Adam(effect.parameters(), betas=(0.9, 0.99))


def _soap(effect: Effect) -> torch.optim.Optimizer:
    if not isinstance(effect, ConvolutionalEffect):
        raise TypeError(f"matrices are known of convolutional effects, not of {effect.kind} ones")
    groups = [{"params": [effect.weights]}]
    if effect.knob_positions:
        groups.append({"params": [each for each in effect.parameters() if each is not effect.weights]})
    matrices = [each.to(effect.device) for each in matrices_of(effect)]
    return Soap(groups, matrices={effect.weights: matrices}, betas=(0.9, 0.97))


def matrices_of(effect: ConvolutionalEffect) -> list[Tensor]:
    """Return where the matrices of a network lie in its flat weights, those of one shape together."""
    found: dict[tuple[int, int], list[Tensor]] = {}
    for part in effect.shape.parts:
        if len(part.shape) > 1:
            at = torch.arange(part.start, part.stop).reshape(part.shape[0], -1)
            found.setdefault((at.shape[0], at.shape[1]), []).append(at)
    return [torch.stack(each) for each in found.values()]


# Measured with 1,500 steps on a minute of guitar through an amp whose profile had heard synthesised playing alone:
# other guitars .034 before and .020 after, other instruments .046 and .033, old playing .0148 and .0094.
_REFINING_RATE, _REFINING_CLIMB = 0.3, 0.1

# Peak rates of the LSTM on the demo's chain, 60 s: .005 gave ESR .014, .01 .0022, .02 .0024.
_RECURRENT = Recipe(optimizer=_adam, peak_rate=0.01, averaging=0.995, largest_gradient=1.0)
_CONVOLUTIONAL = Recipe(optimizer=_soap, peak_rate=0.01, averaging=0.998, largest_gradient=None)
