"""The convolution: runs a network of a given shape with weights given as flat rows, natively or in torch.

The engine (`profiler._engine`, built from `engine/`) does both passes for rows of audio each with weights of its own;
torch does the same, slower, where the engine could not be built, on a GPU, and in the tests that compare the two.
"""

import os
import threading
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from profiler.effects.network_shape import NetworkShape

try:
    from profiler import _engine
except ImportError:  # installed without a compiler
    _engine = None  # type: ignore[assignment]

__all__ = ["NO_ENGINE", "SIMD_VARIABLE", "engine_name", "learn", "play"]

SIMD_VARIABLE = "TONECAST_SIMD"
"""Set to `torch`, or to one of the engine's instruction sets, to hold it to that."""


_ENGINE_STEP = 48

NO_ENGINE = (
    "torch does the work of the native engine, about ten times slower: it was not built, for want of a compiler, or "
    f"{SIMD_VARIABLE} says so. Install GCC 12 or Clang 15, and Tonecast again"
)
"""What to say where convolutional effects run on torch."""


def engine_name() -> str:
    """Return what convolutional effects run on: an instruction set of the engine, or `torch`."""
    wanted = os.environ.get(SIMD_VARIABLE, "")
    if _engine is None or wanted == "torch":
        return "torch"
    return wanted or _engine.simd_names()[0]


@lru_cache(maxsize=32)
def _network(shape: NetworkShape, simd: str, threads: int, caller: int) -> Any:  # noqa: ARG001 - one does one call at a time
    layers = list(zip(shape.taps, shape.dilations, strict=True))
    return _engine.Network(shape.channels, layers, shape.head_taps, shape.slope, simd, threads)


def learn(shape: NetworkShape, dry: Tensor, weights: Tensor, horizon: int | None = None) -> Tensor:
    """Return wet (rows, frames) for dry (rows, history + frames) and weights (rows, weight_count), to go back through.

    The gradient reaches the weights, not the dry. With a `horizon` it goes no more than so many frames back, rounded up
    to 48, before the first that the head reads, as when a recurrent network is learnt piece by piece.
    """
    if (simd := engine_name()) == "torch" or weights.device.type != "cpu":
        return run_in_torch(shape, dry, weights, horizon)
    wet: Tensor = _Pass.apply(  # type: ignore[no-untyped-call]
        _network(shape, simd, os.cpu_count() or 1, threading.get_ident()), dry, weights, horizon
    )
    return wet


def play(shape: NetworkShape, dry: Tensor, weights: Tensor, state: Tensor, film: Tensor | None = None) -> Tensor:
    """Return wet (rows, frames) for dry of that shape, and move `state` (rows, state_size) on in place.

    `weights` are (rows or 1, weight_count). `film` scales and shifts what goes into each activation, frame by frame:
    (rows or 1, layers, 2, channels, frames).
    """
    if (simd := engine_name()) == "torch" or weights.device.type != "cpu":
        return play_in_torch(shape, dry, weights, state, film)
    network = _network(shape, simd, min(len(dry), os.cpu_count() or 1), threading.get_ident())
    given = None if film is None else film.contiguous().numpy()
    wet = network.play(dry.contiguous().numpy(), weights.contiguous().numpy(), state.numpy(), given)
    return torch.from_numpy(wet)


class _Pass(torch.autograd.Function):
    """The engine's two passes as one step of torch's."""

    @staticmethod
    def forward(ctx: Any, network: Any, dry: Tensor, weights: Tensor, horizon: int | None) -> Tensor:
        wet, ctx.engine_pass = network.forward(dry.contiguous().numpy(), weights.detach().contiguous().numpy(), horizon)
        return torch.from_numpy(wet)

    @staticmethod
    def backward(ctx: Any, *wet_gradients: Tensor) -> tuple[None, None, Tensor, None]:
        gradient = ctx.engine_pass.backward(wet_gradients[0].contiguous().numpy())
        return None, None, torch.from_numpy(gradient), None


def run_in_torch(shape: NetworkShape, dry: Tensor, weights: Tensor, horizon: int | None = None) -> Tensor:
    """Do what `learn` does in torch alone, differentiable in everything."""
    wet, _ = _layers_in_torch(shape, dry, weights, None, None, horizon)
    return wet


def play_in_torch(shape: NetworkShape, dry: Tensor, weights: Tensor, state: Tensor, film: Tensor | None) -> Tensor:
    """Do what `play` does in torch alone, on a GPU with all its digits."""
    with torch.backends.cudnn.flags(allow_tf32=False):
        wet, kept = _layers_in_torch(shape, dry, weights.expand(len(dry), -1), film, state)
    state.copy_(kept)
    return wet


def _layers_in_torch(
    shape: NetworkShape,
    dry: Tensor,
    weights: Tensor,
    film: Tensor | None,
    state: Tensor | None,
    horizon: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return wet and the state after it. With a state each layer's past comes from it, else it is cut off the dry."""
    frames_back = None if horizon is None else _rounded_up(shape.head_taps - 1) + _rounded_up(horizon)
    rows, c = len(dry), shape.channels
    parts = iter([weights[:, part.start : part.stop].reshape(rows, *part.shape) for part in shape.parts])
    pasts = _pasts(shape, state)
    kept: list[Tensor] = []

    def with_past(h: Tensor, span: int) -> Tensor:
        if state is not None:
            h = torch.cat([next(pasts), h], dim=-1)
            kept.append(h[..., h.shape[-1] - span :].reshape(rows, -1))
        return h

    wet_frames = dry.shape[-1] - (shape.history if state is None else 0)
    h = _learnt_back_to(next(parts)[:, :, None] * dry[:, None], frames_back, wet_frames)
    summed = dry.new_zeros(())
    for layer, (span, dilation) in enumerate(zip(shape.spans, shape.dilations, strict=True)):
        convolution, bias, mix, residual, residual_bias = (next(parts) for _ in range(5))
        z = _convolved(with_past(h, span), convolution, dilation)
        frames = z.shape[-1]
        z = z + bias[..., None] + mix[..., None] * dry[:, None, dry.shape[-1] - frames :]
        if film is not None:
            z = z * film[:, layer, 0] + film[:, layer, 1]
        a = functional.leaky_relu(z, shape.slope)
        summed = a if layer == 0 else summed[..., summed.shape[-1] - frames :] + a
        h = h[..., h.shape[-1] - frames :] + _convolved(a, residual[..., None], 1) + residual_bias[..., None]
        h = _learnt_back_to(h, frames_back, wet_frames)
    head, head_bias = next(parts), next(parts)
    wet = _convolved(with_past(summed, shape.head_taps - 1), head.reshape(rows, 1, c, -1), 1)[:, 0] + head_bias
    return wet, torch.cat(kept, dim=1) if kept else dry.new_zeros(rows, 0)


def _rounded_up(frames: int) -> int:
    return -(-frames // _ENGINE_STEP) * _ENGINE_STEP


def _learnt_back_to(h: Tensor, frames_back: int | None, wet_frames: int) -> Tensor:
    """Return the input of a layer, with no gradient more than `frames_back` before the last `wet_frames`."""
    heard = 0 if frames_back is None else max(h.shape[-1] - wet_frames - frames_back, 0)
    return torch.cat([h[..., :heard].detach(), h[..., heard:]], dim=-1) if heard else h


def _pasts(shape: NetworkShape, state: Tensor | None) -> Any:
    at = 0
    for span in (*shape.spans, shape.head_taps - 1):
        size = shape.channels * span
        yield None if state is None else state[:, at : at + size].reshape(len(state), shape.channels, span)
        at += size


def _convolved(h: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    """Return (rows, out, frames) for (rows, in, frames) and a kernel a row, (rows, out, in, taps)."""
    rows, out = kernel.shape[:2]
    found = functional.conv1d(
        h.reshape(1, -1, h.shape[-1]), kernel.reshape(rows * out, *kernel.shape[2:]), dilation=dilation, groups=rows
    )
    return found.reshape(rows, out, -1)


def silent_state(shape: NetworkShape, weights: Tensor) -> Tensor:
    """Return the state (rows, state_size) of a network that has heard nothing but silence, for (rows, weight_count)."""
    state = weights.new_zeros(len(weights), shape.state_size)
    play(shape, weights.new_zeros(len(weights), shape.history), weights, state)
    return state


def starting_weights(shape: NetworkShape) -> Tensor:
    """Return weights to start learning from, (weight_count,), drawn as torch draws its convolutions'."""
    weights = np.zeros(shape.weight_count, np.float32)
    fan = {"entry": 1, "mix": 1, "residual": shape.channels, "residual_bias": shape.channels}
    for part in shape.parts:
        taps = shape.taps[part.layer] if part.layer >= 0 else shape.head_taps
        reach = 1 / np.sqrt(fan.get(part.name, shape.channels * taps))
        weights[part.start : part.stop] = (2 * torch.rand(part.stop - part.start) - 1).numpy() * reach
    return torch.from_numpy(weights)
