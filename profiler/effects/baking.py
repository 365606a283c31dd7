"""Baking: folds what the knobs do to a convolutional network into its weights, and takes off what silence would give.

Weights lie in segments: runs that one scale and one gain multiply, or taps that silence, the same at every frame, adds
up. Both are sums over segments on the way back or forth, which torch's indexing does many times slower.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from profiler.effects.convolution import learn
from profiler.effects.network_shape import NetworkShape

__all__ = ["Baking", "neutral_features"]

_HEAD_SCALE = 0.01


class Baking:
    """Weights of the plain network that a network is at certain features.

    Features are (rows, any): a scale and a shift for each channel of each layer, (layers, 2, channels) flattened, and
    an input and an output gain.
    """

    def __init__(self, shape: NetworkShape, input_scale: float, output_scale: float) -> None:
        self._shape = shape
        c = shape.channels
        fixed = np.ones(shape.weight_count, np.float32)
        segments: list[tuple[int, int, int]] = []  # where it begins; its scale, 0 for one; its gain, 0 for one
        for part in shape.parts:
            own = slice(part.start, part.stop)
            if part.name in ("entry", "mix"):
                fixed[own] = input_scale
            if part.name.startswith("head"):
                fixed[own] = output_scale * _HEAD_SCALE
            gain = {"entry": 1, "mix": 1, "head": 2, "head_bias": 2}.get(part.name, 0)
            if part.name in ("convolution", "bias", "mix"):
                starts = np.linspace(part.start, part.stop, c, endpoint=False).astype(int)
                segments += [(int(start), 1 + part.layer * c + number, gain) for number, start in enumerate(starts)]
            else:
                segments.append((part.start, 0, gain))
        self._starts, scale, gain_of = np.asarray(segments).T
        self._scale, self._gain = torch.from_numpy(scale.copy()), torch.from_numpy(gain_of.copy())
        self._fixed = torch.from_numpy(fixed)
        self._biases = torch.from_numpy(shape.indices("bias"))
        self._silent = _still(shape)
        self._tap_starts = _tap_starts(shape)

    def __call__(self, weights: Tensor, features: Tensor) -> Tensor:
        """Return flat weights (rows, weight_count) whose offset at silence is left in."""
        rows = len(features)
        pairs = features[:, :-2].reshape(rows, self._shape.layers, 2, self._shape.channels)
        one = features.new_ones(rows, 1)
        scales = torch.cat([one, pairs[:, :, 0].flatten(1)], dim=1)[:, self._scale]
        gains = torch.cat([one, features[:, -2:]], dim=1)[:, self._gain]
        scaled: Tensor = _Scaled.apply(weights * self._fixed, scales * gains, self._starts)  # type: ignore[no-untyped-call]
        return scaled.index_add(1, self._biases, pairs[:, :, 1].flatten(1))

    def silenced(self, weights: Tensor, features: Tensor) -> Tensor:
        """Return those weights with what they make of silence taken off the head's bias."""
        baked = self(weights, features)
        added_up: Tensor = _AddedUp.apply(baked, self._tap_starts)  # type: ignore[no-untyped-call]
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


def _lengths(starts: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    return np.diff(starts, append=count)


def _sums(values: NDArray[np.float32], starts: NDArray[np.intp]) -> NDArray[np.float32]:
    with np.errstate(all="ignore"):  # infinite weights are told by whoever meets them, as in torch
        return np.add.reduceat(values, starts, axis=1)


class _Scaled(torch.autograd.Function):
    """(weights,) and a factor for each row and segment, to (rows, weights)."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, factors: Tensor, starts: NDArray[np.intp]) -> Tensor:
        spread = torch.from_numpy(np.repeat(factors.detach().numpy(), _lengths(starts, len(weights)), axis=1))
        ctx.kept = weights.detach(), spread, starts
        return weights * spread

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        weights, spread, starts = ctx.kept
        (gradient,) = gradients
        factors = _sums((gradient * weights).numpy(), starts)
        return torch.linalg.vecdot(gradient, spread, dim=0), torch.from_numpy(factors), None


class _AddedUp(torch.autograd.Function):
    """(rows, weights) to their sums over segments, (rows, segments)."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, starts: NDArray[np.intp]) -> Tensor:
        ctx.kept = starts, weights.shape[1]
        return torch.from_numpy(_sums(weights.detach().numpy(), starts))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        starts, count = ctx.kept
        return torch.from_numpy(np.repeat(gradients[0].numpy(), _lengths(starts, count), axis=1)), None
