"""Rounded lanes: corners of glides are rounded, the same however the frames are cut."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from profiler.automation import Automation, KnobLanes, RoundedLanes, Turn
from profiler.knob import Knob

RATE, WINDOW = 1000, 8
KNOBS = (
    Knob(id="drive", name="Drive", maximum=10.0),
    Knob(id="bright", name="Bright", choices=("off", "on"), default="off"),
)
TURNS = (
    Turn(seconds=0.1, knob="drive", value=10.0, glide_seconds=0.05),
    Turn(seconds=0.2, knob="bright", value="on", glide_seconds=0.0),
    Turn(seconds=0.22, knob="drive", value=4.0, glide_seconds=0.0),
)


def straight() -> KnobLanes:
    """Return lanes of a glide, a switch and a jump."""
    return Automation(turns=TURNS).lanes(KNOBS, {"drive": 0.0, "bright": "off"}, RATE)


def test_every_position_is_the_mean_of_the_last_few():
    """From half as long behind; a still knob stands exactly where it did."""
    lanes = straight()
    way, soft = lanes.at(0, 300)[:, 0].astype(np.float64), RoundedLanes(lanes, WINDOW).at(0, 300)[:, 0]
    for frame in (100, 103, 110, 149, 152, 220, 224):
        assert abs(soft[frame] - way[frame - WINDOW + 1 : frame + 1].mean()) < 1e-6
    speed = np.diff(soft)
    assert np.abs(np.diff(speed[90:165])).max() < 1.01 / 50 / WINDOW  # a straight glide's corner is 1 / 50
    assert (soft[:100] == 0).all()
    assert (soft[158:220] == 1).all()
    assert np.array_equal(soft[228:], lanes.at(228, 300)[:, 0])


def test_a_switch_flips_to_the_frame():
    """There is nothing between its positions."""
    soft = RoundedLanes(straight(), WINDOW).at(0, 300)
    assert (soft[:200, 1:] == [1, 0]).all()
    assert (soft[200:, 1:] == [0, 1]).all()


@given(st.lists(st.integers(1, 299), max_size=6, unique=True))
def test_cuts_change_nothing(cuts: list[int]):
    """Any stretches joined are the whole."""
    lanes = RoundedLanes(straight(), WINDOW)
    edges = [0, *sorted(cuts), 300]
    joined = np.concatenate([lanes.at(one, other) for one, other in pairwise(edges)])
    assert np.array_equal(joined, lanes.at(0, 300))


def test_what_stands_still_says_so():
    """And stands where it is set."""
    lanes = RoundedLanes(Automation(turns=()).lanes(KNOBS, {"drive": 3.0}, RATE), WINDOW)
    assert lanes.is_still
    assert lanes.at(0, 1)[0, 0] == np.float32(0.3)
