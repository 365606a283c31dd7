"""A step of a guided session: which take comes, and which knobs are turned for it, in words."""

from dataclasses import dataclass

from capture.plan import PlannedTake
from profiler.knob import Knob

__all__ = ["Step", "Turn"]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A knob to turn to `value`, from `before` where that is known."""

    knob: Knob
    before: float | str | None
    value: float | str

    @property
    def words(self) -> str:
        """What to do: `gain from 2 to 5.5`."""
        start = "" if self.before is None else f" from {self.knob.spelt(self.before)}"
        return f"{self.knob.name}{start} to {self.knob.spelt(self.value)}"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A take to record: its number counted from 0, of `count`; knobs to turn, and those that stay where they are.

    `recorded` is whether there is a recording of it already. `seconds_left` is about what all open steps take.
    """

    number: int
    count: int
    planned: PlannedTake
    turns: tuple[Turn, ...]
    left_alone: tuple[Knob, ...]
    recorded: bool
    seconds_left: float

    @property
    def title(self) -> str:
        """Which take this is, by the number that it has everywhere, and how far the plan is: `Take 3 (4 of 32)`."""
        kinds = [f"{self.number + 1} of {self.count}"]
        if self.planned.held_out:
            kinds.append("held out: it scores, and is never learnt from")
        if self.planned.replicate_of is not None:
            kinds.append(f"take {self.planned.replicate_of} once more, for the noise")
        if self.recorded:
            kinds.append("recorded already")
        return f"Take {self.number} ({'; '.join(kinds)})"

    @property
    def instruction(self) -> str:
        """What hands do before it: `Turn gain from 2 to 5.5; leave tone and volume.`"""
        if self.planned.track is not None:
            return "The knobs turn themselves."
        if not self.turns:
            return "Leave all knobs where they are." if self.left_alone else "There is no knob to turn."
        verb = "Set" if all(turn.before is None for turn in self.turns) else "Turn"
        doing = f"{verb} {_listed([turn.words for turn in self.turns])}"
        resting = f"; leave {_listed([knob.name for knob in self.left_alone])}" if self.left_alone else ""
        return doing + resting + "."


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
