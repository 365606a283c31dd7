"""Baking: folds what the knobs do to a convolutional network into its weights, and takes off what silence would give.

Weights lie in runs that one scale and one gain multiply, or of taps that silence, the same at every frame, adds up.
Both are sums over runs on the way back or forth, which torch's indexing does many times slower on a processor.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from profiler.effects.convolution import learn
from profiler.effects.network_shape import NetworkShape

__all__ = ["Baking", "neutral_features"]

_HEAD_SCALE = 0.01


class Runs(nn.Module):
    """Runs of weights that belong together, for where each begins in a flat vector of so many."""

    _run: Tensor

    def __init__(self, starts: NDArray[np.intp], count: int) -> None:
        super().__init__()
        self._starts, self._lengths = starts, np.diff(starts, append=count)
        self.register_buffer(
            "_run", torch.from_numpy(np.repeat(np.arange(len(starts)), self._lengths)), persistent=False
        )

    def sums(self, values: Tensor) -> Tensor:
        """Return the sums of values (rows, weights) over runs, (rows, runs)."""
        if values.device.type != "cpu":
            return values.new_zeros(len(values), len(self._starts)).index_add_(1, self._run, values)
        with np.errstate(all="ignore"):  # infinite weights are told by whoever meets them, as in torch
            return torch.from_numpy(np.add.reduceat(values.numpy(), self._starts, axis=1))

    def spread(self, values: Tensor) -> Tensor:
        """Return for each weight what values (rows, runs) have for its run, (rows, weights)."""
        if values.device.type != "cpu":
            return values.index_select(1, self._run)
        return torch.from_numpy(np.repeat(values.numpy(), self._lengths, axis=1))


class Baking(nn.Module):
    """Weights of the plain network that a network is at certain features. It moves to the device that its effect is on.

    Features are (rows, any): a scale and a shift for each channel of each layer, (layers, 2, channels) flattened, and
    an input and an output gain.
    """

    _scale: Tensor
    _gain: Tensor
    _fixed: Tensor
    _biases: Tensor

    def __init__(self, shape: NetworkShape, input_scale: float, output_scale: float) -> None:
        super().__init__()
        self._shape = shape
        c = shape.channels
        fixed = np.ones(shape.weight_count, np.float32)
        runs: list[tuple[int, int, int]] = []  # where it begins; its scale, 0 for one; its gain, 0 for one
        for part in shape.parts:
            own = slice(part.start, part.stop)
            if part.name in ("entry", "mix"):
                fixed[own] = input_scale
            if part.name.startswith("head"):
                fixed[own] = output_scale * _HEAD_SCALE
            gain = {"entry": 1, "mix": 1, "head": 2, "head_bias": 2}.get(part.name, 0)
            if part.name in ("convolution", "bias", "mix"):
                starts = np.linspace(part.start, part.stop, c, endpoint=False).astype(int)
                runs += [(int(start), 1 + part.layer * c + number, gain) for number, start in enumerate(starts)]
            else:
                runs.append((part.start, 0, gain))
        starts, scale, gain_of = np.asarray(runs).T
        self._scaled = Runs(starts, shape.weight_count)
        self._taps = Runs(_tap_starts(shape), shape.weight_count)
        self._silent = _still(shape)
        indices = {"scale": scale.copy(), "gain": gain_of.copy(), "biases": shape.indices("bias"), "fixed": fixed}
        for name, values in indices.items():
            self.register_buffer(f"_{name}", torch.from_numpy(values), persistent=False)

    def forward(self, weights: Tensor, features: Tensor) -> Tensor:
        """Return flat weights (rows, weight_count) whose offset at silence is left in."""
        rows = len(features)
        pairs = features[:, :-2].reshape(rows, self._shape.layers, 2, self._shape.channels)
        one = features.new_ones(rows, 1)
        scales = torch.cat([one, pairs[:, :, 0].flatten(1)], dim=1).index_select(1, self._scale)
        gains = torch.cat([one, features[:, -2:]], dim=1).index_select(1, self._gain)
        scaled: Tensor = _Scaled.apply(weights * self._fixed, scales * gains, self._scaled)  # type: ignore[no-untyped-call]
        return scaled.index_add(1, self._biases, pairs[:, :, 1].flatten(1))

    def silenced(self, weights: Tensor, features: Tensor) -> Tensor:
        """Return those weights with what they make of silence taken off the head's bias."""
        baked = self(weights, features)
        added_up: Tensor = _AddedUp.apply(baked, self._taps)  # type: ignore[no-untyped-call]
        offset = learn(self._silent, baked.new_zeros(len(baked), 1), added_up)
        return torch.cat([baked[:, :-1], baked[:, -1:] - offset], dim=1)


def neutral_features(shape: NetworkShape) -> Tensor:
    """Return the features, (1, any), of knobs that do nothing."""
    neutral = torch.zeros(1, shape.layers, 2, shape.channels)
    neutral[:, :, 0] = 1
    return torch.cat([neutral.flatten(1), torch.ones(1, 2)], dim=1)


def _still(shape: NetworkShape) -> NetworkShape:
    """Return the network that gives for one frame of silence what `shape` gives for endless silence."""
    one = (1,) * shape.layers
    return replace(shape, taps=one, dilations=one, head_taps=1)


def _tap_starts(shape: NetworkShape) -> NDArray[np.intp]:
    """Return where each run of taps begins that join the same two channels."""
    found = [
        np.arange(part.start, part.stop, part.shape[-1] if part.name in ("convolution", "head") else 1)
        for part in shape.parts
    ]
    return np.concatenate(found)


class _Scaled(torch.autograd.Function):
    """(weights,) and a factor for each row and run, to (rows, weights)."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, factors: Tensor, runs: Runs) -> Tensor:
        spread = runs.spread(factors.detach())
        ctx.kept = weights.detach(), spread, runs
        return weights * spread

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        weights, spread, runs = ctx.kept
        (gradient,) = gradients
        return torch.linalg.vecdot(gradient, spread, dim=0), runs.sums(gradient * weights), None


class _AddedUp(torch.autograd.Function):
    """(rows, weights) to their sums over runs, (rows, runs)."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, runs: Runs) -> Tensor:
        ctx.runs = runs
        return runs.sums(weights.detach())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.runs.spread(gradients[0]), None
