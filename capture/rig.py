"""A rig: what a capture plays through."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from profiler.audio import Audio
from profiler.finding import Finding
from profiler.knob import Knob
from profiler.knob_track import KnobTrack
from profiler.session import Gear

__all__ = ["Rig"]


class Rig(ABC):
    """Gear that can be played through, and whose knobs can be turned."""

    gear: Gear
    knobs: tuple[Knob, ...]
    sample_rate: int

    @abstractmethod
    def play(self, dry: Audio, track: KnobTrack, *, on_done: Callable[[float], None]) -> Audio:
        """Return the wet recording of `dry` along a knob track, of the same length.

        `on_done` hears how much has been played, from 0 to 1. Raises GearError when the gear fails.
        """

    def findings(self) -> Sequence[Finding]:
        """Return what the last play showed that its recording does not."""
        return ()

    def close(self) -> None:  # noqa: B027 - most rigs hold nothing but memory
        """Let go of the gear."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
