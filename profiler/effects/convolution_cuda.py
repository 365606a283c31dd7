"""The convolution on a GPU: both passes as few, large products of matrices.

A GPU takes longer to begin a kernel than to run one of these, so what counts is how many there are. torch's own
convolutions, with weights for every row, and its way back through slices of flat weights take five times as many.

What silence gives is worked out as one more frame: at rest all that a layer hears is one and the same vector.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from profiler.effects.network_shape import NetworkShape

__all__ = ["learn_silenced"]


def learn_silenced(shape: NetworkShape, dry: Tensor, weights: Tensor) -> Tensor:
    """Return wet (rows, frames) less what silence gives, for dry (rows, history + frames) and a row of weights each.

    To go back through: the gradient reaches the weights, not the dry.
    """
    wet: Tensor = _Passes.apply(shape, dry, weights)  # type: ignore[no-untyped-call]
    return wet


class _Passes(torch.autograd.Function):
    """Both passes. Signals are (rows, channels, frames + 1), whose last frame is that of silence."""

    @staticmethod
    def forward(ctx: Any, shape: NetworkShape, dry: Tensor, weights: Tensor) -> Tensor:
        parts = iter(_parts(shape, weights.detach()))
        dry = functional.pad(dry, (0, 1))[:, None]
        dry_and_one = torch.cat([dry, torch.ones_like(dry)], dim=1)
        h = next(parts)[..., None] * dry
        kept = []
        summed = h.new_zeros(())
        for layer, (taps, dilation) in enumerate(zip(shape.taps, shape.dilations, strict=True)):
            convolution, bias, mix, residual, residual_bias = (next(parts) for _ in range(5))
            heard = _heard(h, taps, dilation)
            frames = heard.shape[2]
            a = torch.bmm(torch.stack([mix, bias], dim=2), dry_and_one[..., -frames:])
            functional.leaky_relu_(a.baddbmm_(convolution.flatten(2), heard), shape.slope)
            kept.append((h, a))
            summed = a.clone() if layer == 0 else summed[..., -frames:].add_(a)
            h = (h[..., -frames:] + residual_bias[..., None]).baddbmm_(residual, a)
        wet = torch.bmm(next(parts).flatten(1)[:, None], _heard(summed, shape.head_taps, 1))[:, 0]
        ctx.shape, ctx.kept, ctx.dry_and_one, ctx.summed, ctx.weights = shape, kept, dry_and_one, summed, weights
        return wet[:, :-1] - wet[:, -1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, Tensor]:
        shape, dry_and_one, summed = ctx.shape, ctx.dry_and_one, ctx.summed
        mirrored = _parts(shape, ctx.weights.detach().index_select(1, _mirrored_order(shape, ctx.weights.device)))
        nothing = ctx.weights.new_zeros(len(ctx.weights), shape.channels, shape.channels)
        of_wet = torch.cat([gradients[0], -gradients[0].sum(dim=1, keepdim=True)], dim=1)[:, None]
        of_head = torch.bmm(of_wet, _heard(summed, shape.head_taps, 1).mT)
        of_sum = torch.bmm(mirrored[-2], _heard(of_wet, shape.head_taps, 1, margin=shape.head_taps - 1))
        found = [of_head, nothing[:, 0, :1]]
        of_h: Tensor | None = None
        for layer in reversed(range(shape.layers)):
            convolution, _, _, residual, _ = mirrored[1 + 5 * layer : 6 + 5 * layer]
            taps, dilation = shape.taps[layer], shape.dilations[layer]
            h, a = ctx.kept[layer]
            of_a = torch.zeros_like(a) if of_h is None else torch.bmm(residual, of_h)
            of_a[..., -of_sum.shape[2] :].add_(of_sum)
            of_z = torch.ops.aten.leaky_relu_backward(of_a, a, shape.slope, True)  # noqa: FBT003 - of the result
            of_mix_and_bias = torch.bmm(of_z, dry_and_one[..., -of_z.shape[2] :].mT)
            of_residual = [nothing, nothing[:, 0]] if of_h is None else [torch.bmm(of_h, a.mT), of_h.sum(dim=2)]
            of_convolution = torch.bmm(of_z, _heard(h, taps, dilation).mT)
            found = [of_convolution, of_mix_and_bias[..., 1], of_mix_and_bias[..., 0], *of_residual, *found]
            before = torch.bmm(convolution.flatten(2), _heard(of_z, taps, dilation, margin=(taps - 1) * dilation))
            if of_h is not None:
                before[..., -of_h.shape[2] :].add_(of_h)
            of_h = before
        found = [torch.bmm(of_h, dry_and_one[:, :1].mT), *found]  # type: ignore[arg-type]  # there is a layer
        return None, None, torch.cat([each.flatten(1) for each in found], dim=1)


def _parts(shape: NetworkShape, weights: Tensor) -> list[Tensor]:
    """Return the tensors of each row of flat weights, (rows, ...)."""
    return [weights[:, part.start : part.stop].unflatten(1, part.shape) for part in shape.parts]


@lru_cache(maxsize=8)
def _mirrored_order(shape: NetworkShape, device: torch.device) -> Tensor:
    """Return where in flat weights those lie that lead back through each matrix and convolution, in the same layout."""
    order = np.arange(shape.weight_count)
    found = []
    for part in shape.parts:
        own = order[part.start : part.stop].reshape(part.shape)
        if part.name == "convolution":
            own = own.swapaxes(0, 1)[..., ::-1]
        if part.name == "residual":
            own = own.T
        if part.name == "head":
            own = own[:, ::-1]
        found.append(own.ravel())
    return torch.from_numpy(np.concatenate(found)).to(device)


def _heard(h: Tensor, taps: int, dilation: int, *, margin: int = 0) -> Tensor:
    """Return what each frame of a convolution's result hears, (rows, channels * taps, frames + 1).

    `margin` is how much silence the signal has before it and after it.
    """
    if taps == 1:
        return h
    signal = functional.pad(h[..., :-1], (margin, margin)) if margin else h[..., :-1]
    frames = signal.shape[2] - (taps - 1) * dilation
    heard = h.new_empty(*h.shape[:2], taps, frames + 1)
    heard[..., :-1] = signal.unfold(2, frames, dilation)
    heard[..., -1:] = h[:, :, None, -1:]
    return heard.flatten(1, 2)
