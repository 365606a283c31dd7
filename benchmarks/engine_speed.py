"""How fast the engine trains and plays a network of the A2 shape, beside torch in the same run.

    python benchmarks/engine_speed.py [--json OUT] [--rounds 7]

A step is forward and backward of 8 rows of 8,192 outputs, each with the 6,346 frames of past that it hears. torch runs
the network as its trainers do: one set of weights for all rows, on all cores. The engine's rows have weights of their
own, and torch beside it has one thread, as in training. Rounds alternate, and the medians are compared, so that a busy
machine slows both. Each way takes two steps a round, of which the second counts: for some milliseconds after its own,
torch's threads go on looking for work, on the cores that the next way needs.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from profiler import _engine
from profiler.effects.convolution import SIMD_VARIABLE, learn, play
from profiler.effects.network_shape import A2, LIGHT, NetworkShape

ROWS, FRAMES = 8, 8192
PLAYED_FRAMES = 480_000


class TorchNetwork(nn.Module):
    """The same network in torch's own layers."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        c = shape.channels
        self.entry = nn.Conv1d(1, c, 1, bias=False)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [nn.Conv1d(c, c, taps, dilation=dilation), nn.Conv1d(1, c, 1, bias=False), nn.Conv1d(c, c, 1)]
            )
            for taps, dilation in zip(shape.taps, shape.dilations, strict=True)
        )
        self.head = nn.Conv1d(c, 1, shape.head_taps)
        self.slope = shape.slope

    def forward(self, dry: Tensor) -> Tensor:
        """Return wet (rows, 1, frames) for dry (rows, 1, history + frames)."""
        h, summed = self.entry(dry), None
        for convolution, mix, residual in self.layers:
            z = convolution(h)
            frames = z.shape[-1]
            a = nn.functional.leaky_relu(z + mix(dry[..., -frames:]), self.slope)
            summed = a if summed is None else summed[..., -frames:] + a
            h = h[..., -frames:] + residual(a)
        return self.head(summed)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    results = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        **{name: _steps(shape, options.rounds) for name, shape in (("A2", A2), ("light", LIGHT))},
        "playing": {name: _playing(shape) for name, shape in (("A2", A2), ("light", LIGHT))},
    }
    for name in ("A2", "light"):
        for way, milliseconds in results[name].items():
            ratio = results[name]["torch"] / milliseconds
            print(f"{name:5} step  {way:7} {milliseconds:8.1f} ms  {ratio:6.1f} times torch")
        for way, times in results["playing"][name].items():
            print(f"{name:5} plays {way:7} {times:8.1f} times real time on one core")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


def _steps(shape: NetworkShape, rounds: int) -> dict[str, float]:
    """Return the milliseconds of a training step, by what runs it."""
    network = TorchNetwork(shape)
    dry = torch.randn(ROWS, shape.history + FRAMES) * 0.3
    weights = (torch.randn(ROWS, shape.weight_count) * 0.1).requires_grad_()

    def torch_step() -> None:
        torch.set_num_threads(os.cpu_count() or 1)
        network(dry[:, None]).square().mean().backward()

    def engine_step() -> None:
        torch.set_num_threads(1)
        learn(shape, dry, weights).square().mean().backward()

    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for way in ("torch", *_engine.simd_names()):
            os.environ[SIMD_VARIABLE] = way
            step = torch_step if way == "torch" else engine_step
            step()
            taken.setdefault(way, []).append(_milliseconds(step))
    return {way: statistics.median(each) for way, each in taken.items()}


def _playing(shape: NetworkShape) -> dict[str, float]:
    """Return how many seconds at 48 kHz are played in one."""
    dry, weights = torch.randn(1, PLAYED_FRAMES) * 0.3, torch.randn(1, shape.weight_count) * 0.1
    found = {}
    for simd in _engine.simd_names():
        os.environ[SIMD_VARIABLE] = simd
        state = torch.zeros(1, shape.state_size)
        taken = min(_milliseconds(lambda state=state: play(shape, dry, weights, state)) for _ in range(3))
        found[simd] = PLAYED_FRAMES / 48_000 / (taken / 1000)
    return found


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


if __name__ == "__main__":
    sys.exit(main())
