"""An effect of one weight."""

from collections.abc import Callable

import pytest
import torch

from profiler.effects import Effect, State


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
