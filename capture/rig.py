"""A rig: what a capture plays through."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from profiler.audio import Audio
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
