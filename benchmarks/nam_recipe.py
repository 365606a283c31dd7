"""Neural Amp Modeler's recipe, trained by Tonecast's engine: the same in everything but what does the arithmetic.

Of NAM 0.13's default training: its A2 network of eight channels, its first weights, batches in its order, its loss,
optimiser, decay, and the best epoch by the ESR of the last nine seconds. NAM trains a smaller network beside this one
in the same pass; they share no weight, so either learns what it would alone. Start values and order are drawn as
`nam_stock` draws them, so the two can be followed step by step.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from profiler.effects.convolution import learn, play, silent_state
from profiler.effects.network_shape import A2
from profiler.training.spectral_distance import spectral_distance

__all__ = ["Material", "epoch_order", "plain", "played", "train"]

EPOCHS, BATCH, FRAMES = 100, 16, 8192
RATE, DECAY, SHRINKING = 0.004, 0.994, 3.17e-7
SPECTRAL_SHARE = 5e-4
LEVEL_DB = -18.0
VALIDATION_SECONDS, VALIDATION_SHARE = 9.0, 0.1
HEAD_SCALE = 0.01
_SMALL_CHANNELS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """Dry and wet of shape (frames,), cut as NAM cuts them; its wet is at -18 dBFS RMS. `gain` undoes that."""

    dry: NDArray[np.float32]
    wet: NDArray[np.float32]
    learnt_frames: int
    gain: float

    @classmethod
    def of(cls, dry: NDArray[np.float32], wet: NDArray[np.float32], rate: int) -> "Material":
        """Cut off the last nine seconds, or a tenth of what is shorter than 90 s, for validation."""
        kept = len(dry) - round(min(VALIDATION_SECONDS * rate, VALIDATION_SHARE * len(dry)))
        rms = float(np.sqrt(np.mean(np.square(wet[:kept], dtype=np.float64))))
        scale = 10 ** (LEVEL_DB / 20) / rms
        return cls(dry=dry, wet=wet * np.float32(scale), learnt_frames=kept, gain=1 / scale)

    @property
    def tiles(self) -> int:
        """How many training examples there are, side by side."""
        return (self.learnt_frames - A2.history) // FRAMES

    def batches(self, order: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield dry (16, history + 8192) and wet (16, 8192); what does not fill a batch is dropped."""
        dry, wet = torch.from_numpy(self.dry), torch.from_numpy(self.wet)
        for tiles in order[: self.tiles // BATCH * BATCH].split(BATCH):
            starts = [int(tile) * FRAMES for tile in tiles]
            yield (
                torch.stack([dry[start : start + A2.history + FRAMES] for start in starts]),
                torch.stack([wet[start + A2.history : start + A2.history + FRAMES] for start in starts]),
            )

    def validation_esr(self, weights: Tensor) -> float:
        """Return the ESR on the frames kept for it, from cold."""
        dry = torch.from_numpy(self.dry[self.learnt_frames :])[None]
        wet = torch.from_numpy(self.wet[self.learnt_frames + A2.history :])
        with torch.no_grad():
            error = learn(A2, dry, weights[None])[0] - wet
        return float((error**2).mean() / (wet**2).mean())


@dataclass
class _State:
    """What is kept of a training after each epoch."""

    weights: nn.Parameter
    optimiser: torch.optim.Adam
    schedule: torch.optim.lr_scheduler.ExponentialLR
    epoch: int = 0
    seconds: float = 0.0
    best: Tensor = field(default_factory=lambda: torch.zeros(0))
    curve: list[tuple[float, float]] = field(default_factory=list)  # mean loss and validation ESR of each epoch

    @classmethod
    def fresh(cls, seed: int) -> "_State":
        weights = nn.Parameter(_first_weights(seed))
        optimiser = torch.optim.Adam([weights], lr=RATE, weight_decay=SHRINKING)
        return cls(weights, optimiser, torch.optim.lr_scheduler.ExponentialLR(optimiser, DECAY))

    def save(self, path: Path) -> None:
        kept = {name: value for name, value in vars(self).items() if name not in ("weights", "optimiser", "schedule")}
        parts = {"optimiser": self.optimiser.state_dict(), "schedule": self.schedule.state_dict()}
        torch.save({**kept, **parts, "weights": self.weights.detach()}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        kept: dict[str, Any] = torch.load(path)
        self.weights.data.copy_(kept.pop("weights"))
        self.optimiser.load_state_dict(kept.pop("optimiser"))
        self.schedule.load_state_dict(kept.pop("schedule"))
        vars(self).update(kept)


def train(
    material: Material, checkpoint: Path, *, seed: int = 0, epochs: int = EPOCHS, steps_out: Path | None = None
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Return the best epoch's weights, (weight_count,), and what became of the training.

    Goes on from `checkpoint`, which is kept after each epoch. Each step's loss is appended to `steps_out`.
    """
    state = _State.fresh(seed)
    if checkpoint.is_file():
        state.load(checkpoint)
    while state.epoch < epochs:
        begun = time.monotonic()
        losses = list(_steps(state, material, epoch_order(material.tiles, seed, state.epoch)))
        state.schedule.step()
        esr = material.validation_esr(_scaled(state.weights.detach()))
        if not state.curve or esr < min(each for _, each in state.curve):
            state.best = state.weights.detach().clone()
        state.curve.append((float(np.mean(losses)), esr))
        state.epoch += 1
        state.seconds += time.monotonic() - begun
        state.save(checkpoint)
        print(f"  epoch {state.epoch}: loss {state.curve[-1][0]:.3e}, ESR {esr:.5f}, {state.seconds:.0f} s", flush=True)
        if steps_out is not None:
            with steps_out.open("a") as file:
                file.writelines(f"{loss:.8e}\n" for loss in losses)
    told = {
        "steps": epochs * (material.tiles // BATCH),
        "seconds": round(state.seconds),
        "best_epoch": 1 + int(np.argmin([esr for _, esr in state.curve])),
        "validation_esr": min(esr for _, esr in state.curve),
    }
    return plain(state.best.numpy(), material.gain), told


def plain(weights: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """Return weights as the engine plays them, from what NAM's recipe learnt at -18 dBFS."""
    return _scaled(torch.from_numpy(weights)).numpy() * _output_gain(gain)


def epoch_order(tiles: int, seed: int, epoch: int) -> Tensor:
    """Return the order in which an epoch takes its tiles, whichever trainer asks and whenever it was resumed."""
    return torch.randperm(tiles, generator=torch.Generator().manual_seed(1000 * seed + epoch))


def played(weights: NDArray[np.float32], dry: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a network with these weights makes of dry, (frames,), silence before it."""
    row = torch.from_numpy(weights)[None]
    return play(A2, torch.from_numpy(dry.copy())[None], row, silent_state(A2, row))[0].numpy()


def _steps(state: _State, material: Material, order: Tensor) -> Iterator[float]:
    # The engine has threads of its own, and spectra on two are many times slower beside other work.
    torch.set_num_threads(1)
    for dry, wet in material.batches(order):
        predicted = learn(A2, dry, _scaled(state.weights).expand(BATCH, -1))
        loss = nn.functional.mse_loss(predicted, wet) + SPECTRAL_SHARE * spectral_distance(predicted, wet)
        state.optimiser.zero_grad()
        loss.backward()
        state.optimiser.step()
        yield float(loss.detach())


def _scaled(weights: Tensor) -> Tensor:
    """Return weights with NAM's scale of the head in them; NAM learns the head without it."""
    return weights * torch.from_numpy(_output_gain(HEAD_SCALE))


def _output_gain(gain: float) -> NDArray[np.float32]:
    """Return the factors, (weight_count,), that turn the output's gain."""
    factors = np.ones(A2.weight_count, np.float32)
    for part in A2.parts:
        if part.name.startswith("head"):
            factors[part.start : part.stop] = gain
    return factors


def _first_weights(seed: int) -> Tensor:
    """Return what NAM draws for the larger of its two networks: each layer is drawn for both at once, then for each."""
    torch.manual_seed(seed)
    small, large = _SMALL_CHANNELS, A2.channels

    def drawn(into: tuple[int, int], out: tuple[int, int], taps: int = 1, *, bias: bool = False) -> list[Tensor]:
        total = sum(into) if into[0] > 1 else 1
        nn.Conv1d(total, sum(out), taps, bias=bias)
        nn.Conv1d(into[0], out[0], taps, bias=bias)
        return [each.detach().flatten() for each in nn.Conv1d(into[1], out[1], taps, bias=bias).parameters()]

    both, one = (small, large), (1, 1)
    found = drawn(one, both)
    for taps in A2.taps:
        found += drawn(both, both, taps, bias=True) + drawn(one, both) + drawn(both, both, bias=True)
    found += drawn(both, one, A2.head_taps, bias=True)
    return torch.cat(found)
