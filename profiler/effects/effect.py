"""The effect contract: what maps dry to wet, block by block, with knobs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import torch
from torch import Tensor, nn

__all__ = ["Effect", "State"]

State: TypeAlias = tuple[Tensor, ...]
"""Everything an effect remembers between two blocks."""


class Effect(nn.Module, ABC):
    """Maps dry to wet. Rendering in blocks of any size gives the same sound as rendering at once.

    Channels are independent rows: mono effects render stereo as dual mono. Knobs come as positions in [0, 1]
    (`profiler.knob.positions_of`), either one set for a whole block or one for every frame.
    """

    kind: ClassVar[str]
    """The short name under which a profile's stage finds this class. It never changes."""

    knob_positions: int
    """How many positions of knobs it takes: `profiler.knob.positions_width` of the profile's."""

    memory_frames: int
    """How far back the past still matters: so much dry is run before an excerpt to get it right."""

    latency_frames: int = 0
    """By how many frames the wet comes late by construction."""

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    @property
    @abstractmethod
    def config(self) -> Mapping[str, Any]:
        """What rebuilds this effect without its weights; plain JSON values."""

    @property
    @abstractmethod
    def multiply_adds(self) -> int:
        """How many multiply-adds a frame of one channel takes while the knobs rest. Activations are not counted."""

    @abstractmethod
    def initial_state(self, channels: int) -> State:
        """Return the state of an effect that has heard nothing."""

    @abstractmethod
    def conditioned(self, knobs: Tensor) -> Tensor:
        """Return what the knobs do to the effect: positions (..., width) in, features (..., features) out.

        Separate from `run` so that settings which last many frames are computed once.
        """

    def restrain(self, rate: float | Tensor) -> None:
        """Pull on weights that should stay small unless the takes ask for them; called after every training step."""

    @abstractmethod
    def run(self, dry: Tensor, features: Tensor, state: State) -> tuple[Tensor, State]:
        """Return wet (channels, frames) and the state after it, for dry of that shape.

        `features` are (channels or 1, frames or 1, features).
        """

    def forward(self, dry: Tensor, knobs: Tensor, state: State) -> tuple[Tensor, State]:
        """Return wet and state, for knobs of shape (channels or 1, frames or 1, width)."""
        return self.run(dry, self.conditioned(knobs), state)

    def along(self, dry: Tensor, table: Tensor, index: Tensor, state: State) -> tuple[Tensor, State]:
        """Return wet and state, for knobs that are rows of a table: (settings, width) and (channels, frames)."""
        features = nn.functional.embedding(index.T.contiguous(), self.conditioned(table)).transpose(0, 1)
        return self.run(dry, features, state)

    if TYPE_CHECKING:
        # nn.Module calls are untyped; this gives the type checker the signature of `forward`.
        def __call__(self, dry: Tensor, knobs: Tensor, state: State) -> tuple[Tensor, State]: ...
