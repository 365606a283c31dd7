"""Knob ranges as they are typed."""

import pytest

from profiler.errors import KnobError
from profiler.knob import Knob
from profiler.knob_range import KnobRange, parse_knob_range


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("drive=0:10", KnobRange(id="drive", low="0", high="10")),
        ("drive=0:10:linear", KnobRange(id="drive", low="0", high="10", scale="linear")),
        ("amp.cutoff=20:2e4:log", KnobRange(id="amp.cutoff", low="20", high="2e4", scale="log")),
        ("bright=off,on", KnobRange(id="bright", choices=("off", "on"))),
        ("ratio=4,8,all", KnobRange(id="ratio", choices=("4", "8", "all"))),
    ],
)
def test_what_is_typed_is_read(text, expected):
    """Ends, scale and choices come out as they were written."""
    assert parse_knob_range(text) == expected


@pytest.mark.parametrize("text", ["", "drive", "drive=", "=0:1", "drive=5", "drive=0:1:cubic", "drive=0:1:2", "a=off"])
def test_a_misspelt_range_shows_the_grammar(text):
    """The message quotes what was typed and shows what could be."""
    with pytest.raises(KnobError, match=r"is not understood\. Write ID=LOW:HIGH, ID=LOW:HIGH:log or ID=off,on") as told:
        parse_knob_range(text)
    assert repr(text) in str(told.value)


def test_a_knob_stands_in_the_middle_of_its_range():
    """Of a range nothing else is known, so its default is half-way, on its own scale."""
    linear = parse_knob_range("drive=-4:10").knob()
    assert linear == Knob(id="drive", name="drive", minimum=-4, maximum=10, default=3.0)
    log = parse_knob_range("cutoff=20:2000:log").knob()
    assert (log.minimum, log.maximum, log.scale) == (20, 2000, "log")
    assert log.default == pytest.approx(200)


def test_a_switch_stands_at_its_first_choice():
    """Choices keep the order in which they were typed."""
    assert parse_knob_range("bright=on,off").knob() == Knob(
        id="bright", name="bright", choices=("on", "off"), default="on"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("drive=low:high", "both ends must be numbers"),
        ("drive=0:", "both ends must be numbers"),
        ("drive=10:0", "the low end must come first"),
        ("drive=5:5", "the low end must come first"),
        ("drive=nan:1", "the low end must come first"),
        ("drive=0:inf", "the low end must come first"),
        ("cutoff=0:100:log", "must lie above 0"),
        ("bright=on,on", "at least two different choices"),
    ],
)
def test_a_range_that_is_none_is_refused(text, says):
    """What parses may still be no knob, and the message says why."""
    with pytest.raises(KnobError, match=says):
        parse_knob_range(text).knob()


def test_choices_may_be_called_like_ranges():
    """With a comma it is a switch, whatever its positions are called."""
    assert parse_knob_range("ratio=1:4,1:8,in:out").choices == ("1:4", "1:8", "in:out")
