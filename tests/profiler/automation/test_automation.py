"""Automation: turns of knobs in seconds, each knob by itself."""

import math

import numpy as np
import pytest

from profiler.automation import Automation, Share, Turn
from profiler.errors import KnobError
from profiler.knob import Knob

DRIVE = Knob(id="pedal.drive", name="Drive", minimum=0.0, maximum=10.0, default=2.0)
TONE = Knob(id="tone", name="Tone", minimum=100.0, maximum=10_000.0, default=1000.0, scale="log")
BRIGHT = Knob(id="bright", name="Bright", default="off", choices=("off", "mid", "on"))
KNOBS = (DRIVE, TONE, BRIGHT)


def turned(*turns: Turn) -> Automation:
    """Return an automation."""
    return Automation(turns=turns)


def test_knobs_stand_where_they_were_set_until_they_are_turned():
    """`settings` and defaults at first; a turn at the very beginning takes their place at once."""
    lanes = turned(
        Turn(seconds=0.0, knob="bright", value="on"), Turn(seconds=0.5, knob="drive", value="7.5", glide_seconds=0.0)
    ).lanes(KNOBS, {"tone": 100.0}, 1000)
    at = lanes.at(0, 1000)
    assert np.allclose(at[:500, 0], 0.2)
    assert np.allclose(at[500:, 0], 0.75)
    assert np.all(at[:, 1] == 0)
    assert np.all(at[:, 2:] == [0, 0, 1])


def test_one_knob_glides_on_while_another_is_turned():
    """Unlike in a moving take, whose knobs travel together."""
    lanes = turned(
        Turn(seconds=0.1, knob="drive", value=10.0, glide_seconds=0.4),
        Turn(seconds=0.2, knob="tone", value=10_000.0, glide_seconds=0.0),
    ).lanes(KNOBS, {"drive": 0.0}, 1000)
    assert np.allclose(lanes.at(100, 500)[:, 0], np.arange(400) / 400, atol=1e-6)


def test_a_glide_that_is_interrupted_goes_on_from_where_it_is():
    """Half way up and down again, without a jump."""
    lanes = turned(
        Turn(seconds=0.1, knob="drive", value=10.0, glide_seconds=0.1),
        Turn(seconds=0.15, knob="drive", value=0.0, glide_seconds=0.1),
    ).lanes(KNOBS, {"drive": 0.0}, 1000)
    drive = lanes.at(0, 300)[:, 0]
    assert drive.max() == pytest.approx(0.5)
    assert np.abs(np.diff(drive)).max() < 0.011
    assert drive[-1] == 0


def test_of_two_turns_at_once_the_later_counts():
    """As of a controller of 14 bits whose two halves come one after the other."""
    at_once = [Turn(seconds=0.1, knob="drive", value=value, glide_seconds=0.0) for value in (9.0, 4.0)]
    assert turned(*at_once).lanes(KNOBS, {}, 1000).at(100, 101)[0, 0] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("share", "knob", "value"),
    [
        (Share(share=0.5), DRIVE, 5.0),
        (Share(share=0.5), TONE, 1000.0),
        (Share(share=0.25, low="8", high="4"), DRIVE, 7.0),
        (Share(share=0.5, low=100.0, high=1000.0), TONE, 316.22776),
        (Share(share=0.0), BRIGHT, "off"),
        (Share(share=0.5), BRIGHT, "mid"),
        (Share(share=1.0), BRIGHT, "on"),
    ],
)
def test_a_share_is_a_place_on_the_way(share: Share, knob: Knob, value: float | str):
    """Of the range or of a part of it, up or down, as the knob's scale goes; a switch has as many parts as choices."""
    found = share.value_on(knob)
    assert found == value if isinstance(value, str) else found == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        (Turn(seconds=1.0, knob="volume", value=1.0), "volume.*drive, tone, bright"),
        (Turn(seconds=1.0, knob="drive", value=11.0), "0 to 10"),
        (Turn(seconds=1.0, knob="drive", value="loud"), "'loud'"),
        (Turn(seconds=1.0, knob="bright", value=0.5), "off, mid, on"),
        (Turn(seconds=1.0, knob="tone", value=Share(share=0.5, low=0.0, high=200.0)), "100 to"),
        (Turn(seconds=1.0, knob="bright", value=Share(share=0.5, low=0.0, high=1.0)), "Switch bright"),
    ],
)
def test_what_a_knob_does_not_take_is_told(turn: Turn, told: str):
    """A knob that is not there, a value out of range or of another kind."""
    with pytest.raises(KnobError, match=told):
        turned(turn).lanes(KNOBS, {}, 1000)


def test_turns_out_of_order_are_told():
    """A knob cannot go back in time."""
    turns = [Turn(seconds=seconds, knob="drive", value=1.0) for seconds in (2.0, 1.0)]
    with pytest.raises(KnobError, match="out of order: one at 1 s comes after one at 2 s"):
        turned(*turns).lanes(KNOBS, {}, 1000)


@pytest.mark.parametrize("number", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["seconds", "glide_seconds"])
def test_a_time_is_a_time(number: float, name: str):
    """Neither before the beginning nor after all ends."""
    with pytest.raises(KnobError, match="0 seconds or more"):
        Turn(**{"seconds": 1.0, "knob": "drive", "value": 1.0, name: number})


def test_a_slot_has_its_own_turns():
    """By the names that its knobs have there."""
    automation = turned(
        Turn(seconds=1.0, knob="amp.gain", value=1.0),
        Turn(seconds=2.0, knob="pedal.stage.gain", value=2.0),
        Turn(seconds=3.0, knob="amp", value=3.0),
    )
    assert [(turn.seconds, turn.knob) for turn in automation.of_slot("amp").turns] == [(1.0, "gain")]
    assert [turn.knob for turn in automation.of_slot("pedal").turns] == ["stage.gain"]
    assert automation.beyond(2.0) == 2
