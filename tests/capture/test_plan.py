"""Plans: where the takes stand, and that what is held out is new."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.plan import PlannedTake, fixed_plan, moving_plan
from profiler.knob import Knob, KnobSettings

RATE = 48_000

GAIN = Knob(id="gain", name="gain", minimum=-20, maximum=20)
TONE = Knob(id="tone", name="tone", minimum=20, maximum=20_000, default=1000, scale="log")
LEVEL = Knob(id="level", name="level")
STEPPED = Knob(id="stepped", name="stepped", maximum=10, step=1)
VOICE = Knob(id="voice", name="voice", default="clean", choices=("clean", "crunch", "lead"))


def spelt(settings: KnobSettings | None) -> tuple[tuple[str, float | str], ...]:
    """Return settings as something to compare."""
    assert settings is not None
    return tuple(sorted(settings.items()))


def trained(plan: list[PlannedTake]) -> list[PlannedTake]:
    """Return the takes to learn from."""
    return [take for take in plan if not take.held_out]


@pytest.mark.parametrize(
    ("knobs", "captures", "held_out"),
    [((), 1, 0), ((GAIN,), 5, 2), ((GAIN, TONE), 13, 3), ((GAIN, TONE, LEVEL), 26, 6)],
)
def test_a_fixed_plan_has_as_many_takes_as_it_says(knobs: tuple[Knob, ...], captures: int, held_out: int):
    """1, 5, 13 or 26 captures for no to three knobs, and 0, 2, 3 or 6 held-out settings beside them."""
    plan = fixed_plan(knobs)
    assert [take.number for take in plan] == list(range(captures + held_out))
    assert len(trained(plan)) == captures
    assert all(take.form == ("held-out" if take.held_out else "short" if captures > 1 else "quick") for take in plan)


def test_fixed_takes_may_be_brief():
    """With a length of their own, all takes but the first hold programme alone; settings and held-out takes stay."""
    usual, brief = fixed_plan((GAIN, TONE)), fixed_plan((GAIN, TONE), seconds=10, replicate=True)
    assert [(take.form, take.seconds) for take in trained(brief)] == [("short", None)] + 12 * [("brief", 10)]
    assert [take.settings for take in usual] == [take.settings for take in brief[:-1]]
    assert (brief[-1].form, brief[-1].replicate_of) == ("held-out", brief[-2].number)
    (only,) = fixed_plan((), seconds=10)
    assert (only.form, only.seconds) == ("quick", None)


def test_a_fixed_plan_of_many_knobs_grows_by_its_formula():
    """Beyond three knobs there are 2^(k-1) + 10 k captures and 3 k held-out settings."""
    knobs = [Knob(id=f"k{number}", name="k") for number in range(5)]
    plan = fixed_plan(knobs)
    assert len(trained(plan)) == 2**4 + 10 * 5
    assert len(plan) - len(trained(plan)) == 15


def test_every_corner_is_captured():
    """All combinations of the knobs' ends are among the takes to learn from."""
    plan = fixed_plan((GAIN, TONE))
    assert {(take.settings["gain"], round(take.settings["tone"], 6)) for take in trained(plan) if take.settings} >= {
        (low, high) for low in (-20, 20) for high in (20, 20_000)
    }


@pytest.mark.parametrize("captures", [2, 6, 7])
def test_few_captures_stand_all_along_every_way(captures: int):
    """Fewer than twice the corners: of so many equal parts of a way, as heard, each has one in the middle."""
    plan = trained(fixed_plan((GAIN, TONE), captures=captures))
    for knob in (GAIN, TONE):
        stands = sorted(float(knob.position(take.settings[knob.id])[0]) for take in plan if take.settings)
        assert stands == pytest.approx([(part + 0.5) / captures for part in range(captures)], abs=1e-6)


@pytest.mark.parametrize(
    ("knobs", "captures"), [((GAIN, TONE), 5), ((GAIN, TONE, LEVEL), 6), ((GAIN, TONE, LEVEL), 26)]
)
def test_scores_are_of_where_knobs_stand(knobs: tuple[Knob, ...], captures: int):
    """Held-out settings are apart from those learnt, and none has all of its knobs at ends."""
    plan = fixed_plan(knobs, captures=captures)
    learnt, apart = (
        np.asarray(
            [[knob.position(take.settings[knob.id])[0] for knob in knobs] for take in plan if take.held_out is held]
        )
        for held in (False, True)
    )
    assert np.linalg.norm(learnt[:, None] - apart[None], axis=2).min() > 0.15
    assert not ((apart < 0.1) | (apart > 0.9)).all(axis=1).any()


@settings(deadline=None, max_examples=30)
@given(
    knobs=st.lists(st.sampled_from([GAIN, TONE, LEVEL]), min_size=1, max_size=3, unique_by=lambda knob: knob.id),
    captures=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_held_out_settings_are_new_and_apart(knobs: list[Knob], captures: int, seed: int):
    """No held-out setting is trained on or comes twice, and no two captures are the same."""
    plan = fixed_plan(knobs, captures=captures, seed=seed)
    learnt = [spelt(take.settings) for take in trained(plan)]
    apart = [spelt(take.settings) for take in plan if take.held_out]
    assert len(learnt) == captures
    assert len(set(learnt)) == len(learnt)
    assert len(set(apart)) == len(apart) > 0
    assert not set(learnt) & set(apart)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), captures=st.integers(2, 20))
def test_no_two_takes_play_the_same(seed: int, captures: int):
    """Each take has a programme of its own, and held-out seeds are far from those of training."""
    plan = fixed_plan((GAIN, TONE), captures=captures, seed=seed)
    seeds = [take.seed for take in plan]
    assert len(set(seeds)) == len(seeds)
    assert min(take.seed for take in plan if take.held_out) > max(take.seed for take in trained(plan)) + 1000


def test_settings_fill_the_space():
    """Thirteen captures of two knobs leave no point of the square further than 0.3 from one."""
    plan = trained(fixed_plan((GAIN, LEVEL)))
    points = [
        (float(GAIN.position(take.settings["gain"])[0]), float(take.settings["level"]))
        for take in plan
        if take.settings
    ]
    grid = [(x / 20, y / 20) for x in range(21) for y in range(21)]
    furthest = max(min((x - a) ** 2 + (y - b) ** 2 for a, b in points) for x, y in grid)
    assert furthest**0.5 < 0.3


def test_a_plan_is_the_same_by_its_seed():
    """The same seed gives the same plan; another one other playing and, on the move, another track."""
    assert fixed_plan((GAIN,), seed=4) == fixed_plan((GAIN,), seed=4)
    assert fixed_plan((GAIN,), seed=4) != fixed_plan((GAIN,), seed=5)
    one, same, other = (moving_plan((GAIN,), sample_rate=RATE, minutes=1, seed=seed) for seed in (4, 4, 5))
    assert one == same
    assert one[0].track != other[0].track


def test_switches_and_steps_stand_where_they_can():
    """A switch takes all of its choices and no other; a stepped knob stands on its steps and at both ends."""
    plan = fixed_plan((VOICE, STEPPED))
    taken = [take.settings for take in plan if take.settings]
    assert {each["voice"] for each in taken} == {"clean", "crunch", "lead"}
    steps = {each["stepped"] for each in taken}
    assert {0.0, 10.0} <= steps
    assert all(float(step).is_integer() for step in steps)
    track = moving_plan((VOICE, STEPPED), sample_rate=RATE, minutes=2)[0].track
    assert track is not None
    assert {point.settings["voice"] for point in track.breakpoints} == {"clean", "crunch", "lead"}
    assert all(float(point.settings["stepped"]).is_integer() for point in track.breakpoints)


@pytest.mark.parametrize("knobs", [(VOICE,), (STEPPED,), (VOICE, STEPPED), (GAIN, VOICE)], ids=str)
def test_held_out_settings_of_switches_and_steps_are_new_too(knobs: tuple[Knob, ...]):
    """Where knobs have few positions, what is held out is still not trained on."""
    plan = fixed_plan(knobs)
    learnt = {spelt(take.settings) for take in trained(plan)}
    assert all(spelt(take.settings) not in learnt for take in plan if take.held_out)


def test_a_single_switch_is_captured_once_at_each_position():
    """With three positions there are three captures and nothing new to hold out; on the move one of them is scored."""
    plan = fixed_plan((VOICE,))
    assert sorted(str(take.settings["voice"]) for take in plan if take.settings) == ["clean", "crunch", "lead"]
    assert not any(take.held_out for take in plan)
    bypass = Knob(id="bypass", name="bypass", default="off", choices=("off", "on"))
    held_out = [take.settings for take in moving_plan((bypass,), sample_rate=RATE, minutes=1) if take.held_out]
    assert held_out == [{"bypass": "off"}, {"bypass": "on"}]


def test_gear_without_knobs_is_taken_once():
    """With nothing to turn there is one take of the long form, or one that stands still."""
    (only,) = fixed_plan(())
    assert (only.form, only.settings, only.held_out) == ("quick", {}, False)
    moving = moving_plan((), sample_rate=RATE, minutes=1)
    assert [take.form for take in moving if not take.held_out] == ["moving"]
    assert moving[0].track is not None
    assert len(moving[0].track.breakpoints) == 1


def test_a_moving_take_jumps_every_second_or_two():
    """The knobs stand still over the blips, then jump every one to two seconds to the end, over their whole range."""
    plan = moving_plan((GAIN,), sample_rate=RATE, minutes=2)
    track = plan[0].track
    assert track is not None
    frames = [point.frame for point in track.breakpoints]
    assert frames[:2] == [0, int(2.5 * RATE)]
    assert all(frame % 64 == 0 for frame in frames)  # the grid of hosted plugins
    gaps = [(later - earlier) / RATE for earlier, later in itertools.pairwise(frames[1:])]
    assert 1.0 - 64 / RATE <= min(gaps) <= max(gaps) <= 2.0
    assert 118 * RATE < frames[-1] < 120 * RATE
    values = [float(point.settings["gain"]) for point in track.breakpoints]
    assert min(values) < -16
    assert max(values) > 16
    assert plan[0].seconds == 120


def test_the_replicate_repeats_a_take_exactly():
    """A replicate has the dry and settings of the take it names, is the last one, and comes only when asked for."""
    for plan in (
        fixed_plan((GAIN,), replicate=True),
        moving_plan((GAIN,), sample_rate=RATE, minutes=1, replicate=True),
        fixed_plan((), replicate=True),
    ):
        again = plan[-1]
        assert again.replicate_of is not None
        first = plan[again.replicate_of]
        assert (first.form, first.seed, first.settings, first.held_out) == (
            again.form,
            again.seed,
            again.settings,
            again.held_out,
        )
        assert [take.number for take in plan] == list(range(len(plan)))
    assert all(take.replicate_of is None for take in fixed_plan((GAIN,)))
