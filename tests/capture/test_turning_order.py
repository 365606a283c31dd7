"""The order in which settings are recorded."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.plan import fixed_plan
from capture.spread import spread_settings
from capture.turning_order import in_turning_order, turning_cost
from profiler.knob import Knob, default_settings

GAIN = Knob(id="gain", name="gain", minimum=-20, maximum=20)
TONE = Knob(id="tone", name="tone", minimum=20, maximum=20_000, default=1000, scale="log")
BASS = Knob(id="bass", name="bass")
VOICE = Knob(id="voice", name="voice", default="clean", choices=("clean", "crunch", "lead"))


def cost_of(knobs, path) -> float:
    """Return what it takes to turn through all settings, beginning at the defaults."""
    return sum(turning_cost(knobs, one, other) for one, other in itertools.pairwise([default_settings(knobs), *path]))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 12), st.integers(0, 1000))
def test_nothing_is_lost_and_nothing_is_longer(count, seed):
    """All settings come once, and the path is no longer than the order they came in."""
    knobs = (GAIN, TONE, VOICE)
    given_order = spread_settings(knobs, 12)
    np.random.default_rng(seed).shuffle(given_order)
    chosen = given_order[:count]
    ordered = in_turning_order(knobs, chosen)
    assert sorted(map(repr, ordered)) == sorted(map(repr, chosen))
    assert cost_of(knobs, ordered) <= cost_of(knobs, chosen) + 1e-9


def test_the_shortest_path_is_found_where_it_is_known():
    """Six shuffled places of one knob come in a row; of a grid only one knob changes at a time."""
    row = [{"gain": float(gain)} for gain in (15, -20, 5, 20, -5, 10)]
    path = in_turning_order((GAIN,), row, start={"gain": -20.0})
    assert [each["gain"] for each in path] == [-20, -5, 5, 10, 15, 20]
    grid = [{"gain": float(gain), "bass": bass} for bass in (0.0, 0.5, 1.0) for gain in (-20, 20, 0)]
    path = in_turning_order((GAIN, BASS), grid, start=grid[0])
    changes = [sum(one[knob] != other[knob] for knob in one) for one, other in itertools.pairwise(path)]
    assert changes == [1] * 8


@pytest.mark.parametrize("knobs", [(GAIN,), (GAIN, TONE), (GAIN, TONE, BASS), (GAIN, VOICE, BASS)])
def test_plans_turn_less(knobs):
    """A whole plan needs at most seven tenths of the travel that it would need in the order it was thought of."""
    taken = [take.settings for take in fixed_plan(knobs, held_out=0)]
    thought_of = spread_settings(knobs, len(taken))
    assert sorted(map(repr, taken)) == sorted(map(repr, thought_of))
    reach = len(knobs) * len(taken)  # when every knob is turned for every take, only the way can be saved
    assert cost_of(knobs, taken) - reach < 0.7 * (cost_of(knobs, thought_of) - reach)
