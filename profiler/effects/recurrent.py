"""The recurrent effect: one LSTM whose gates, input gain and output gain the knobs turn.

An LSTM with a linear output is the established small network for amplifiers and pedals (Wright et al. 2020); with
the knobs fed to it as further inputs it follows a digital pedal closer than the other published networks of its
size (Comunita et al. 2025: ESR .0015). Here a small network shapes the knobs first, so that tapers and the product
of drive and level need not be found by the gates.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from profiler.effects.config import check_config
from profiler.effects.effect import Effect, State

__all__ = ["RecurrentEffect"]

_CLEAN_SHARE = 0.1
_SCALINGS = 5  # in, before the gates, clean share, after, out
_LARGEST = {"knob_positions": 256, "hidden": 256, "features": 64, "shaper": 256}


class RecurrentEffect(Effect):
    """dry -> [dry, gain * dry, features] -> LSTM -> gain * (linear + clean share).

    `input_scale` and `output_scale` bring the gear's levels to about 1 and are fixed when training starts. `sparse`
    are the positions of knobs that were recorded at two places only. What lies between two places no recording tells,
    so these act on a straight line, and on the logarithms of the gains rather than on anything else: measured on an amp
    whose gain was recorded at its ends and scored in its middle, ESR .12 without and .055 with (PANAMA, 100 s of
    training). Raises ValueError for sizes outside what any profile has.
    """

    kind = "recurrent"
    memory_frames = 96_000

    further_inputs: ClassVar[int] = 0
    """How many inputs a kind built on this one adds to the gates'."""

    def __init__(  # noqa: PLR0913 - a parameter a size
        self,
        *,
        knob_positions: int,
        hidden: int = 16,
        features: int = 8,
        shaper: int = 16,
        input_scale: float = 1.0,
        output_scale: float = 1.0,
        sparse: Sequence[int] = (),
    ) -> None:
        super().__init__()
        sizes = {"knob_positions": knob_positions, "hidden": hidden, "features": features, "shaper": shaper}
        check_config(sizes, _LARGEST, (input_scale, output_scale), sparse)
        self._sizes = sizes
        self._sparse = list(sparse)
        self.knob_positions = knob_positions
        self.input_scale, self.output_scale = float(input_scale), float(output_scale)
        self.shaper = nn.Sequential(
            nn.Linear(max(knob_positions, 1), shaper), nn.Tanh(), nn.Linear(shaper, features + 3)
        )
        self.lstm = nn.LSTM(2 + features + self.further_inputs, hidden)
        self.out = nn.Linear(hidden, 1)
        if self._sparse:
            self.line = nn.Linear(len(self._sparse), features + 3, bias=False)
            nn.init.zeros_(self.line.weight)
        with torch.no_grad():
            # Gates that start open to the past learn long decays sooner (Jozefowicz et al. 2015).
            cast("Tensor", self.lstm.bias_hh_l0)[hidden : 2 * hidden] += 1.0

    @property
    def config(self) -> Mapping[str, Any]:
        """What rebuilds this effect without its weights."""
        scales = {"input_scale": self.input_scale, "output_scale": self.output_scale}
        return {**self._sizes, **scales, "sparse": self._sparse}

    @property
    def multiply_adds(self) -> int:
        """Those of the four gates, of the cell that they turn, of the output, and of the gains and scales."""
        hidden, inputs = self.lstm.hidden_size, self.lstm.input_size
        return 4 * hidden * (inputs + hidden) + 3 * hidden + hidden + _SCALINGS

    def initial_state(self, channels: int) -> State:
        """Return hidden and cell state at rest, each of shape (1, channels, hidden)."""
        rest = self.out.weight.new_zeros(1, channels, self._sizes["hidden"])
        return rest, rest

    def conditioned(self, knobs: Tensor) -> Tensor:
        """Return gate features in [-1, 1], then three gains: before the gates, of the clean share, at the output."""
        shaped = self.shaped(2 * self.padded(knobs) - 1)
        split = self._sizes["features"]
        return torch.cat([torch.tanh(shaped[..., :split]), torch.exp(shaped[..., split:])], dim=-1)

    def shaped(self, knobs: Tensor) -> Tensor:
        """Return what the knobs, from -1 to 1, make of themselves before they are limited."""
        shaped: Tensor = self.shaper(knobs)
        if self._sparse:
            curved = knobs.clone()
            curved[..., self._sparse] = 0
            shaped = self.shaper(curved) + self.line(knobs[..., self._sparse])
        return shaped

    def restrain(self, rate: float | Tensor) -> None:
        """Draw sparse knobs towards what input and output gains alone can do, against a learning rate.

        Adam moves a weight by up to its rate a step, so one that the takes ask for settles at no more than 1.
        """
        if self._sparse:
            with torch.no_grad():
                self.line.weight[:-3] *= 1 - rate

    def padded(self, knobs: Tensor) -> Tensor:
        """Return positions of at least one knob: gear without any has a single one that never moves."""
        return nn.functional.pad(knobs, (0, 1)) if self.knob_positions == 0 else knobs

    def run(self, dry: Tensor, features: Tensor, state: State) -> tuple[Tensor, State]:
        """Return wet (channels, frames) and the state after it."""
        x = (dry * self.input_scale).T.unsqueeze(-1)  # (frames, channels, 1), the layout the LSTM runs in
        features = features.transpose(0, 1).expand(*x.shape[:2], -1)
        split = self._sizes["features"]
        before, clean, after = features[..., split:].split(1, dim=-1)
        further, after_further = self.heard(x.squeeze(-1), state[2:])
        h, after_state = self.lstm(torch.cat([x, before * x, features[..., :split], *further], dim=-1), state[:2])
        wet = after * (self.out(h) + _CLEAN_SHARE * clean * x)
        return wet.squeeze(-1).T * self.output_scale, (*after_state, *after_further)

    def heard(self, x: Tensor, state: State) -> tuple[State, State]:  # noqa: ARG002 - for kinds that hear more
        """Return further inputs, each (frames, channels, any), for scaled dry (frames, channels); and what is kept."""
        return (), state
