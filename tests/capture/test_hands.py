"""Plans for hands: round values, as many takes as fit, and how many knobs are turned."""

import itertools

import pytest

from capture.hands import Hands, guided_plan, plan_seconds, turned, with_dials
from capture.plan import fixed_plan
from profiler.composer import compose, length_seconds
from profiler.errors import SessionError
from profiler.knob import Knob

KNOBS = tuple(Knob(id=f"k{number}", name="k", maximum=10.0, default=5.0) for number in range(6))
SWITCH = Knob(id="bright", name="bright", choices=("off", "on"), default="off")


@pytest.mark.parametrize("knobs", [KNOBS[:count] for count in range(1, 7)] + [(*KNOBS[:2], SWITCH)], ids=len)
@pytest.mark.parametrize("minutes", [5, 20])
def test_a_plan_fits_its_time(knobs, minutes):
    """Hands included; it scores on settings that are not learnt from, has a replicate, and uses most of the time."""
    plan = guided_plan(knobs, time_seconds=minutes * 60)
    seconds = plan_seconds(plan)
    assert seconds <= minutes * 60
    assert seconds > 0.8 * minutes * 60 or len(plan) == len(guided_plan(knobs))
    held_out = [tuple(take.settings.values()) for take in plan if take.held_out]
    assert held_out
    assert not {tuple(take.settings.values()) for take in plan if not take.held_out} & set(held_out)
    assert plan[-1].replicate_of is not None
    assert [take.number for take in plan] == list(range(len(plan)))


def test_slower_hands_get_fewer_takes():
    """The seconds for each knob turned are part of the plan's time."""
    quick = guided_plan(KNOBS, time_seconds=1200, hands=Hands(turn_seconds=2))
    slow = guided_plan(KNOBS, time_seconds=1200, hands=Hands(turn_seconds=15))
    assert len(slow) < 0.6 * len(quick)


def test_bounds_that_cannot_be_are_told():
    """Both at once, or less time than the shortest plan takes."""
    with pytest.raises(SessionError, match="not by both"):
        guided_plan(KNOBS, captures=3, time_seconds=60)
    with pytest.raises(
        SessionError, match=r"60 s are too short: 4 takes, the fewest for these knobs, last \d+ s with 5"
    ):
        guided_plan(KNOBS, time_seconds=60)
    assert sum(not take.held_out for take in guided_plan(KNOBS[:2], captures=7)) == 7


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 10, 1), (0, 1, 0.1), (-20, 20, 2.5), (0, 7, 0.5), (0, 11, 1), (0, 100, 10)]
)
def test_dials_have_round_marks(low, high, step):
    """Ten or a few more, with both ends among them."""
    (dial,) = with_dials([Knob(id="a", name="a", minimum=low, maximum=high, default=low)])
    assert dial.step == pytest.approx(step)
    assert (dial.value_at(0), dial.value_at(1)) == (low, pytest.approx(high))


@pytest.mark.parametrize(("count", "share"), [(2, 0.9), (3, 0.75), (4, 0.75), (5, 0.75), (6, 0.75)])
def test_round_values_turn_fewer_knobs(count, share):
    """At least a quarter fewer than a plan of any values, of two knobs a tenth."""

    def moves(plan):
        return sum(len(turned(one.settings, other.settings)) for one, other in itertools.pairwise(plan))

    assert moves(guided_plan(KNOBS[:count], replicate=False)) < share * moves(fixed_plan(KNOBS[:count]))


@pytest.mark.parametrize(("form", "seconds"), [("short", None), ("brief", 9.0), ("held-out", None), ("quick", None)])
def test_lengths_are_known_beforehand(form, seconds):
    """To about a second."""
    _, dry = compose(form, seed=0, sample_rate=48_000, seconds=seconds)
    assert length_seconds(form, seconds=seconds) == pytest.approx(dry.frames / 48_000, abs=1.0)
