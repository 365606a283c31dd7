"""The dynamics effect: a recurrent effect that also hears how loud it has been, for compressors, limiters and gates.

What such gear does depends on the level in decibels less a threshold. An LSTM finds neither the logarithm nor the slow
average in a few minutes; given both, the threshold is a plain sum in its gates, which also holds between the settings
that were recorded. Measured on the Invada compressor (benchmarks/real_pairs.py, threshold -20 dB never heard, 100 s of
training): ESR .026 without, .010 with. Distortions without dynamics do worse with it, so training decides by the takes.
"""

from typing import Any

import torch
from torch import Tensor, nn

from profiler.effects.effect import State
from profiler.effects.recurrent import RecurrentEffect

__all__ = ["DynamicsEffect"]

_TIMES_FRAMES = (96, 960, 7200)
_BLOCK_FRAMES = 64
_FAINT = 1e-6


class DynamicsEffect(RecurrentEffect):
    """A recurrent effect whose gates also see the level over 2, 20 and 150 ms, and knobs on a straight path.

    The straight path makes what lies between two settings the middle of them unless the takes say otherwise.
    """

    kind = "dynamics"
    further_inputs = len(_TIMES_FRAMES)

    def __init__(self, *, knob_positions: int, features: int = 8, **sizes: Any) -> None:
        super().__init__(knob_positions=knob_positions, features=features, **sizes)
        self.straight = nn.Linear(max(knob_positions, 1), features + 3, bias=False)
        nn.init.zeros_(self.straight.weight)
        keep = torch.exp(-1 / torch.tensor(_TIMES_FRAMES, dtype=torch.float64))[:, None, None]
        lag = torch.arange(_BLOCK_FRAMES)[None, None] - torch.arange(_BLOCK_FRAMES)[None, :, None]
        # Of shape (times, from, to) and (times, 1, to): what each frame of a block adds to a later one's average, and
        # how much of the average before the block is left.
        self._gathers = torch.where(lag >= 0, (1 - keep) * keep ** lag.clamp_min(0), 0.0).float()
        self._lasts = (keep ** torch.arange(1, _BLOCK_FRAMES + 1)).float()

    @property
    def multiply_adds(self) -> int:
        """The LSTM's, the power, and a one-pole average of it over each time."""
        return super().multiply_adds + 1 + len(_TIMES_FRAMES)

    def initial_state(self, channels: int) -> State:
        """Return the LSTM's state at rest and the power heard so far, (channels, times)."""
        return (*super().initial_state(channels), self.out.weight.new_zeros(channels, len(_TIMES_FRAMES)))

    def shaped(self, knobs: Tensor) -> Tensor:
        """Return the straight path and the curved one together."""
        shaped: Tensor = self.straight(knobs) + super().shaped(knobs)
        return shaped

    @torch.no_grad()
    def heard(self, x: Tensor, state: State) -> tuple[State, State]:
        """Return levels (frames, channels, times), -1 to 1 for -60 to 0 dB, and the power averaged at the end.

        The averages are one-pole low-passes of the power, worked out 64 frames at a time.
        """
        frames, channels = x.shape
        blocks = -(-frames // _BLOCK_FRAMES)
        power = nn.functional.pad(x.square().T, (0, blocks * _BLOCK_FRAMES - frames))
        gathered = torch.einsum("cbf,tfn->tcbn", power.reshape(channels, blocks, _BLOCK_FRAMES), self._gathers)
        carried = state[0].T
        for block in range(blocks):
            gathered[:, :, block] += carried[..., None] * self._lasts
            last = min(frames - block * _BLOCK_FRAMES, _BLOCK_FRAMES) - 1
            carried = gathered[:, :, block, last]
        averages = gathered.reshape(len(_TIMES_FRAMES), channels, -1)[..., :frames]
        levels = (torch.log10(averages + _FAINT) / 3 + 1).permute(2, 1, 0)
        return (levels,), (carried.T.contiguous(),)
