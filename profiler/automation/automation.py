"""What automation is: turns of knobs, each knob by itself, in seconds from the beginning."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from profiler.automation.knob_lanes import KnobLanes
from profiler.errors import KnobError
from profiler.knob import Knob, KnobSettings, checked_settings, find_knob
from profiler.knob_track import Breakpoint, KnobTrack

__all__ = ["GLIDE_SECONDS", "Automation", "Share", "Turn"]

GLIDE_SECONDS = 0.02
"""How long a knob travels where nothing else is said: so that no turn clicks, and none is heard to come late."""

_ANY_RATE = 48_000


@dataclass(frozen=True, kw_only=True)
class Share:
    """A place on the way from one plain value to another; without them, on the way through a knob's whole range."""

    share: float
    low: float | str | None = None
    high: float | str | None = None

    def value_on(self, knob: Knob) -> float | str:
        """Return the plain value there. Raises KnobError for ends that the knob does not take."""
        if self.low is None or self.high is None:
            return knob.value_at(self.share)
        if knob.choices:
            raise KnobError(f"Switch {knob.id} has no range to go through; leave {self.low} and {self.high} away.")
        low, high = (float(knob.position(each)[0]) for each in (self.low, self.high))
        return knob.value_at(low + self.share * (high - low))


Value: TypeAlias = float | str | Share


@dataclass(frozen=True, kw_only=True)
class Turn:
    """From `seconds` on, a knob travels to `value` in a straight line of positions, `glide_seconds` long.

    Raises KnobError for a time that is none.
    """

    seconds: float
    knob: str
    value: Value
    glide_seconds: float = GLIDE_SECONDS

    def __post_init__(self) -> None:
        for name, number in (("time", self.seconds), ("glide", self.glide_seconds)):
            if not (math.isfinite(number) and number >= 0):
                raise KnobError(f"The {name} of a turn of {self.knob} is 0 seconds or more; found {number:g}.")


@dataclass(frozen=True, kw_only=True)
class Automation:
    """Turns in the order in which they happen, at least knob by knob. Of two at once, the later counts."""

    turns: tuple[Turn, ...]

    def of_slot(self, slot: str) -> "Automation":
        """Return what turns knobs of one slot of a chain, by the names that they have there."""
        own = (turn for turn in self.turns if turn.knob.partition(".")[0] == slot and "." in turn.knob)
        return Automation(turns=tuple(replace(turn, knob=turn.knob.partition(".")[2]) for turn in own))

    def beyond(self, seconds: float) -> int:
        """Return how many turns begin when so many seconds are over."""
        return sum(turn.seconds >= seconds for turn in self.turns)

    def check(self, knobs: Sequence[Knob], settings: KnobSettings) -> None:
        """Raise what `lanes` would at any rate, before anything plays."""
        self.lanes(knobs, settings, _ANY_RATE)

    def lanes(self, knobs: Sequence[Knob], settings: KnobSettings, sample_rate: int) -> KnobLanes:
        """Return how the knobs move at a rate, from `settings` on, the rest at their defaults.

        Raises KnobError for a knob that is not there, a value that it does not take, or turns out of order.
        """
        begin = checked_settings(knobs, settings)
        lanes = {id_: [Breakpoint(frame=0, settings={id_: value})] for id_, value in begin.items()}
        for turn in self.turns:
            knob = find_knob(knobs, turn.knob)
            value = turn.value.value_on(knob) if isinstance(turn.value, Share) else knob.checked(turn.value)
            lane, frame = lanes[knob.id], round(turn.seconds * sample_rate)
            if frame < lane[-1].frame:
                raise KnobError(
                    f"The turns of {turn.knob} are out of order: one at {turn.seconds:g} s comes after one at "
                    f"{lane[-1].frame / sample_rate:g} s. Sort them by time."
                )
            if frame == lane[-1].frame:
                lane.pop()
            ramp = round(turn.glide_seconds * sample_rate)
            lane.append(Breakpoint(frame=frame, settings={knob.id: value}, ramp_frames=ramp))
        return KnobLanes(knobs, {id_: KnobTrack(breakpoints=tuple(lane)) for id_, lane in lanes.items()})
