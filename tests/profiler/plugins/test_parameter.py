"""Parameters as knobs: which are, and the raw value of a plain one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.plugins.parameter import is_knob, raw_for


@given(value=st.floats(20, 20_000))
def test_the_raw_value_of_a_frequency_is_found(value: float):
    """Where the text grows by ratios the raw value is found that shows the value, closer than anyone hears."""
    raw = raw_for(value, lambda raw: 20 * 1000**raw)
    assert 20 * 1000**raw == pytest.approx(value, rel=1e-9)


@given(value=st.floats(0, 100))
def test_text_may_fall_and_be_rounded(value: float):
    """A text that falls, shown in tenths, leaves a value within a tenth."""
    raw = raw_for(value, lambda raw: round(100 * (1 - math.sqrt(raw)), 1))
    assert 100 * (1 - math.sqrt(raw)) == pytest.approx(value, abs=0.06)


@pytest.mark.parametrize(
    ("id_", "automatable", "expected"),
    [
        ("drive_db", True, True),
        ("drive_db", False, False),
        ("bypass", True, False),
        ("current_program", True, False),
        ("latency_frames", True, False),
        ("gain_reduction_2_db", True, False),
        ("left_meter_db", True, False),
        ("peak", True, True),
        ("input_level", True, True),
        ("gain_reduction_speed", True, True),
    ],
)
def test_meters_and_the_hosts_own_are_no_knobs(id_: str, automatable: bool, expected: bool):  # noqa: FBT001
    """What cannot be automated is not turned, nor are meters that forgot to say so, nor what the framework adds."""
    assert is_knob(id_, automatable=automatable) == expected
