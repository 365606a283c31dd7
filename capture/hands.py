"""Plans for hands: knobs at round values on their dials, as many takes as fit a time, knobs turned one by one."""

import bisect
import functools
import itertools
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from capture.plan import PlannedTake, capture_count, fixed_plan, held_out_count
from profiler.composer import length_seconds
from profiler.errors import SessionError
from profiler.knob import Knob, KnobSettings

__all__ = ["HANDS", "Hands", "guided_plan", "plan_seconds", "turned", "with_dials"]

_MARKS = 10  # a dial is read to a tenth of its way without looking twice
_MOST_MARKS = 25
_EVEN = 1e-6
_LEAST_CAPTURES = 2
_LENGTHS_SECONDS = (None, 24.0, 12.0)  # of a take; the first is the form's own


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What a plan takes hands to be: seconds for each knob turned, and for reading a step and pressing Enter."""

    turn_seconds: float = 5.0
    step_seconds: float = 3.0

    def seconds(self, turns: int) -> float:
        """Return how long it takes until a take begins for which so many knobs are turned."""
        return self.step_seconds + self.turn_seconds * turns


HANDS = Hands()


def guided_plan(  # noqa: PLR0913 - what bounds a plan
    knobs: Sequence[Knob],
    *,
    captures: int | None = None,
    time_seconds: float | None = None,
    seconds: float | None = None,
    seed: int = 0,
    replicate: bool = True,
    hands: Hands = HANDS,
    self_turning: Collection[str] = (),
) -> list[PlannedTake]:
    """Return takes for knobs that a hand turns, with held-out settings: so many, or what fits `time_seconds`.

    Without either there are as many as in any fixed plan. Within a time there are no more than that, takes get shorter
    (`seconds` each, if told, else 24 or 12) before there are fewer; of those no more than one in five is held out.
    Knobs whose ids are `self_turning` take no time and stand at any value.

    Raises SessionError for both bounds at once, or when not even the shortest plan fits.
    """
    if captures is not None and time_seconds is not None:
        raise SessionError("A plan is bounded by a number of captures or by a time, not by both. Leave one out.")
    dials = with_dials(knobs, self_turning=self_turning)
    planned = functools.partial(
        fixed_plan,
        dials,
        seed=seed,
        replicate=replicate,
        reached_for=[knob for knob in dials if knob.id not in self_turning],
    )
    if time_seconds is None:
        return planned(captures=captures, seconds=seconds)

    most = capture_count(knobs)
    counts = range(min(_LEAST_CAPTURES, most), most)

    def plan_of(count: int, length: float | None) -> list[PlannedTake]:
        usual = held_out_count(knobs)
        held_out = usual if count == most else min(usual, max(1, count // 4))
        return planned(captures=count, held_out=held_out, seconds=length)

    needed = functools.partial(plan_seconds, hands=hands, self_turning=self_turning)

    lengths = _LENGTHS_SECONDS if seconds is None else (seconds,)
    plan = _fullest(plan_of, counts, lengths, lambda plan: needed(plan) <= time_seconds)
    if plan is None:
        shortest = plan_of(counts.start, lengths[-1])
        raise SessionError(
            f"{time_seconds:.0f} s are too short: {len(shortest)} takes, the fewest for these knobs, last "
            f"{needed(shortest):.0f} s with {hands.turn_seconds:g} s for each knob turned. "
            "Give more time."
        )
    return plan


def _fullest(
    plan_of: Callable[[int, float | None], list[PlannedTake]],
    counts: range,
    lengths: Sequence[float | None],
    fits: Callable[[Sequence[PlannedTake]], bool],
) -> list[PlannedTake] | None:
    """Return the plan of the longest takes that fits with all of them, else of the most of the shortest; or None."""
    for length in lengths:
        if fits(plan := plan_of(counts.stop, length)):
            return plan
    fewer = bisect.bisect_left(counts, 1, key=lambda count: not fits(plan_of(count, lengths[-1])))
    return plan_of(counts[fewer - 1], lengths[-1]) if fewer else None


def plan_seconds(
    plan: Sequence[PlannedTake],
    *,
    hands: Hands = HANDS,
    start: KnobSettings | None = None,
    self_turning: Collection[str] = (),
) -> float:
    """Return about how long a plan takes, hands included; unless told where knobs stand, all are set at first."""
    playing = sum(length_seconds(take.form, seconds=take.seconds) for take in plan)
    stands: list[KnobSettings | None] = [start, *(take.settings for take in plan)]
    turns = (len(set(turned(one, other)) - set(self_turning)) for one, other in itertools.pairwise(stands))
    return playing + sum(hands.seconds(count) for count in turns)


def turned(before: KnobSettings | None, after: KnobSettings | None) -> list[str]:
    """Return the ids of the knobs that are turned from one setting to another; all of them when it is not known."""
    if after is None:
        return []
    return [id_ for id_, value in after.items() if before is None or before.get(id_) != value]


def with_dials(knobs: Iterable[Knob], *, self_turning: Collection[str] = ()) -> tuple[Knob, ...]:
    """Return knobs that stand at round values only, a tenth of their way or less apart, which a hand finds again.

    Logarithmic knobs, which have no even dial, those that have steps or choices, and the `self_turning` stay as they
    are.
    """
    return tuple(
        knob
        if knob.choices or knob.step is not None or knob.scale == "log" or knob.id in self_turning
        else replace(knob, step=_round_step(knob))
        for knob in knobs
    )


def _round_step(knob: Knob) -> float:
    """Return 1, 2, 2.5 or 5 times a power of ten that divides the knob's range into ten marks or a few more."""
    way = knob.maximum - knob.minimum
    power = 10.0 ** math.floor(math.log10(way / _MARKS))
    steps = (factor * power for factor in (10.0, 5.0, 2.5, 2.0, 1.0))
    even = (step for step in steps if way / step > _MARKS - 0.5 and abs(way / step - round(way / step)) < _EVEN)
    return next((step for step in even if way / step < _MOST_MARKS), way / _MARKS)
