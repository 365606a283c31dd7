"""A rig: what a capture plays through."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from profiler.audio import Audio
from profiler.finding import Finding
from profiler.knob import Knob
from profiler.knob_track import KnobTrack
from profiler.session import Gear
from profiler.stimulus import Stimulus

__all__ = ["Played", "Rig"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Played:
    """What came back for one dry signal, raw: `latency_frames` late, and `polarity` -1 when it is upside down.

    Both are undone before training. `measured_latency_frames` is what this recording alone says. `findings` are what
    was noticed; `loopback` came back by a cable alone. `track` is how the knobs really stood or moved, where the rig
    knows that better than the plan, and `masked` are spans of the wet in which that is not sure.
    """

    wet: Audio
    latency_frames: int = 0
    measured_latency_frames: float | None = None
    polarity: Literal[-1, 1] = 1
    findings: tuple[Finding, ...] = ()
    loopback: Audio | None = None
    track: KnobTrack | None = None
    masked: tuple[tuple[int, int], ...] = ()


class Rig(ABC):
    """Gear that can be played through, and whose knobs can be turned."""

    gear: Gear
    knobs: tuple[Knob, ...]
    sample_rate: int

    @abstractmethod
    def record(
        self, stimulus: Stimulus, dry: Audio, track: KnobTrack, *, on_done: Callable[[float], None] = lambda _: None
    ) -> Played:
        """Return what comes back for `dry`, the sound of `stimulus`, along a knob track.

        `on_done` hears how much has been played, from 0 to 1. Raises GearError when the gear fails, TakeRejectedError
        when what came back cannot be used.
        """

    def close(self) -> None:  # noqa: B027 - most rigs hold nothing but memory
        """Let go of the gear."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
