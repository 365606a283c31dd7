"""Knobs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import KnobError
from profiler.knob import Knob, checked_settings, default_settings, find_knob, positions_of, positions_width

DRIVE = Knob(id="distortion.drive_db", name="Drive", unit="dB", minimum=0, maximum=40, default=20)
CUTOFF = Knob(id="filter.cutoff_hz", name="Cutoff", unit="Hz", minimum=20, maximum=20_000, default=1000, scale="log")
MODE = Knob(id="filter.mode", name="Mode", choices=("low", "band", "high"), default="low")
KNOBS = (DRIVE, CUTOFF, MODE)

shares = st.floats(0, 1)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), shares)
def test_a_linear_value_survives_its_position(minimum, span, share):
    """Value to position and back is the value, to a millionth of the range."""
    knob = Knob(id="k", name="K", minimum=minimum, maximum=minimum + span, default=minimum)
    value = min(minimum + share * span, knob.maximum)
    position = float(knob.position(value)[0])
    assert 0 <= position <= 1
    assert knob.value_at(position) == pytest.approx(value, abs=1e-6 * span)


@given(st.floats(1e-3, 1e3), st.floats(1.1, 1e6), shares)
def test_a_log_value_survives_its_position(minimum, ratio, share):
    """On a log scale the way there and back keeps the value's ratio."""
    knob = Knob(id="k", name="K", minimum=minimum, maximum=minimum * ratio, default=minimum, scale="log")
    value = min(minimum * ratio**share, knob.maximum)
    position = float(knob.position(value)[0])
    assert position == pytest.approx(share, abs=1e-5)
    assert knob.value_at(position) == pytest.approx(value, rel=1e-5)


@given(st.floats(-100, 100), st.floats(0.01, 10), st.integers(1, 200), shares)
def test_a_stepped_knob_stands_on_its_steps(minimum, step, count, share):
    """Every position snaps to a step, and a step's own position leads back to it."""
    knob = Knob(id="k", name="K", minimum=minimum, maximum=minimum + count * step, default=minimum, step=step)
    value = knob.value_at(share)
    steps = (value - minimum) / step
    assert steps == pytest.approx(round(steps), abs=1e-6)
    assert abs(steps - share * count) <= 0.5 + 1e-6
    assert knob.value_at(float(knob.position(value)[0])) == pytest.approx(value, abs=1e-6 * step)


@given(st.lists(st.text(min_size=1), min_size=2, max_size=9, unique=True), st.data())
def test_a_switch_has_one_position_each_choice(choices, data):
    """A choice is one-hot, and the middle of its share of [0, 1] leads back to it."""
    chosen = data.draw(st.sampled_from(choices))
    knob = Knob(id="k", name="K", choices=tuple(choices), default=choices[0])
    position = knob.position(chosen)
    assert position.shape == (knob.width,) == (len(choices),)
    assert position.sum() == 1
    assert choices[int(position.argmax())] == chosen
    assert knob.value_at((position.argmax() + 0.5) / len(choices)) == chosen


@pytest.mark.parametrize(("position", "value"), [(-0.5, 0), (0, 0), (0.25, 10), (1, 40), (7, 40)])
def test_a_position_outside_the_range_is_its_end(position, value):
    """A network may ask for more than there is; the knob stops at its ends."""
    assert DRIVE.value_at(position) == value


def test_log_positions_are_octaves_apart():
    """The middle of a log knob is the geometric mean of its ends."""
    assert CUTOFF.value_at(0.5) == pytest.approx(math.sqrt(20 * 20_000))
    assert CUTOFF.position(20)[0] == 0
    assert CUTOFF.position(20_000)[0] == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"minimum": 1, "maximum": 1, "default": 1}, "low end must come first"),
        ({"minimum": 2, "maximum": 1, "default": 1}, "low end must come first"),
        ({"maximum": math.inf}, "low end must come first"),
        ({"minimum": math.nan}, "low end must come first"),
        ({"scale": "log"}, "must lie above 0"),
        ({"step": 0.0}, "above 0"),
        ({"step": math.nan}, "above 0"),
        ({"step": math.inf}, "finite"),
        ({"default": 1.5}, "range is 0 to 1"),
        ({"default": math.nan}, "range is 0 to 1"),
        ({"default": "loud"}, "takes a number; found 'loud'"),
        ({"choices": ("only",), "default": "only"}, "two different choices"),
        ({"choices": ("a", "a", "b"), "default": "a"}, "two different choices"),
        ({"choices": ("a", "b"), "default": "c"}, "it takes a, b"),
    ],
)
def test_a_knob_that_cannot_be_is_refused(wrong, says):
    """Empty ranges, log ranges that reach 0, steps of nothing and doubled choices raise KnobError."""
    with pytest.raises(KnobError, match=says):
        Knob(id="k", name="K", **wrong)


@pytest.mark.parametrize("value", [-1, 40.1, math.nan, math.inf, "much"])
def test_a_value_out_of_range_names_knob_and_range(value):
    """The message says which knob, what was found and what it takes."""
    with pytest.raises(KnobError, match=r"distortion.drive_db .*(0 to 40 dB|takes a number)"):
        DRIVE.checked(value)


def test_a_value_a_rounding_beyond_the_end_is_the_end():
    """Values that went through float32 or decimal text are taken, and come back inside the range."""
    assert DRIVE.checked(40.00001) == 40
    assert DRIVE.checked("12.5") == 12.5


def test_a_knob_is_found_by_the_end_of_its_id():
    """The short name finds a knob when only one ends so; otherwise the message lists what there is."""
    assert find_knob(KNOBS, "drive_db") is DRIVE
    assert find_knob(KNOBS, "filter.mode") is MODE
    with pytest.raises(KnobError, match=r"'gain' is not a knob of this gear\. It has: distortion\.drive_db, filter"):
        find_knob(KNOBS, "gain")
    twins = (Knob(id="a.level", name="A"), Knob(id="b.level", name="B"))
    with pytest.raises(KnobError, match="several knobs"):
        find_knob(twins, "level")
    with pytest.raises(KnobError, match="It has: none"):
        find_knob((), "level")


def test_the_whole_id_wins_over_another_ones_end():
    """A knob whose id is the name is meant, even when another id ends with it."""
    knobs = (Knob(id="drive", name="A"), Knob(id="amp.drive", name="B"))
    assert find_knob(knobs, "drive") is knobs[0]


def test_a_knob_is_found_by_its_name_too():
    """Ids of plugins say little; names do, in capitals or not, and are shown where the id does not say them."""
    knobs = (Knob(id="fslider2_", name="Drive"), Knob(id="drive", name="Level"), Knob(id="out_level", name="Out level"))
    assert find_knob(knobs[:1], "DRIVE") is knobs[0]
    assert find_knob(knobs, "drive") is knobs[1]
    assert find_knob(knobs, "out level") is knobs[2]
    with pytest.raises(KnobError, match=r"It has: fslider2_ \(Drive\), drive \(Level\), out_level\."):
        find_knob(knobs, "tone")
    with pytest.raises(KnobError, match="several knobs"):
        find_knob((Knob(id="a", name="Gain"), Knob(id="b", name="gain")), "Gain")


def test_settings_are_completed_and_checked():
    """Given names are resolved, the rest stand at their defaults, unknown ones are refused."""
    assert default_settings(KNOBS) == {"distortion.drive_db": 20, "filter.cutoff_hz": 1000, "filter.mode": "low"}
    assert checked_settings(KNOBS, {"drive_db": "7", "mode": "high"}) == {
        "distortion.drive_db": 7.0,
        "filter.cutoff_hz": 1000,
        "filter.mode": "high",
    }
    with pytest.raises(KnobError, match="'treble' is not a knob"):
        checked_settings(KNOBS, {"treble": 1})


def test_positions_stand_in_the_order_of_the_knobs():
    """All knobs together give one row, switches one-hot; gear without knobs gives an empty one."""
    settings = checked_settings(KNOBS, {"drive_db": 10, "cutoff_hz": 20, "mode": "band"})
    np.testing.assert_array_equal(positions_of(KNOBS, settings), np.float32([0.25, 0, 0, 1, 0]))
    assert positions_width(KNOBS) == 5
    assert positions_of((), {}).shape == (0,)


def test_a_value_is_spelt_with_its_unit():
    """People read the value with its unit, and a switch's choice as it is."""
    assert DRIVE.spelt(12.3456) == "12.35 dB"
    assert MODE.spelt("band") == "band"
    assert Knob(id="k", name="K").spelt(0.5) == "0.5"
