"""An effect of one weight, and a small one with something to learn."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from profiler.effects import Effect, RecurrentEffect, State
from profiler.training.examples import Examples, Passage
from profiler.training.state import TrainingState


class Gain(Effect):
    """Multiplies by a gain that knobs do not change."""

    kind = "gain"
    knob_positions, memory_frames, multiply_adds, config = 0, 0, 1, {}

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor(gain))

    def initial_state(self, channels: int) -> State:
        return (torch.zeros(channels),)

    def conditioned(self, knobs: torch.Tensor) -> torch.Tensor:
        return knobs

    def run(self, dry: torch.Tensor, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        return dry * self.gain + 0 * features.sum(), state


@pytest.fixture
def gained() -> Callable[[float], Effect]:
    """A function that makes an effect of this gain."""
    return Gain


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Keep torch to one thread, as training does: on effects this small its threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def softly_clipped() -> Callable[..., Examples]:
    """A function that makes noise and what a soft clipper makes of it at two settings of its gain."""

    def make(*, seconds: float = 1.0, watched: bool = True) -> Examples:
        rng = np.random.default_rng(0)
        positions = np.asarray([[0.0], [1.0]], np.float32)

        def passage(frames: int) -> Passage:
            dry = rng.normal(0, 0.2, frames).astype(np.float32)
            knobs = (np.arange(frames) // 700 % 2).astype(np.int32)
            wet = np.tanh((1 + 4 * positions[knobs, 0]) * dry)
            return Passage(dry=dry, wet=wet, knobs=knobs, counts=np.ones(len(dry), np.bool_))

        learnt = passage(int(48_000 * seconds))
        return Examples(learnt=(learnt,), watched=(passage(9600),) if watched else (), positions=positions)

    return make


@pytest.fixture
def small_state() -> Callable[[], TrainingState]:
    """A function that makes a small effect before its first step."""

    def make() -> TrainingState:
        torch.manual_seed(0)
        effect = RecurrentEffect(knob_positions=1, hidden=6, features=2, shaper=4, output_scale=2.0)
        return TrainingState.fresh(effect, seed=0)

    return make
