"""Knob lanes: each knob by itself, the same wherever one begins to look."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.automation import KnobLanes
from profiler.errors import KnobError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack

DRIVE = Knob(id="drive", name="Drive", minimum=0.0, maximum=10.0, default=2.0)
TONE = Knob(id="tone", name="Tone", minimum=100.0, maximum=10_000.0, default=1000.0, scale="log")
BRIGHT = Knob(id="bright", name="Bright", default="off", choices=("off", "on"))
KNOBS = (DRIVE, TONE, BRIGHT)
FRAMES = 2000


@st.composite
def tracks(draw: st.DrawFn) -> KnobTrack:
    """Tracks of all three knobs whose ramps may interrupt each other."""
    frames = sorted(draw(st.sets(st.integers(1, FRAMES + 500), max_size=8)))
    values = st.fixed_dictionaries(
        {"drive": st.floats(0, 10)}, optional={"tone": st.floats(100, 10_000), "bright": st.sampled_from(["off", "on"])}
    )
    points = [Breakpoint(frame=0, settings=draw(values))]
    points += [
        Breakpoint(frame=frame, settings=draw(values), ramp_frames=draw(st.sampled_from([0, 1, 50, 700])))
        for frame in frames
    ]
    return KnobTrack(breakpoints=tuple(points))


@given(tracks())
def test_lanes_of_a_track_move_as_the_track_does(track: KnobTrack):
    """Knob by knob or all together, the positions are the same, and so is whether anything moves."""
    lanes = KnobLanes.of_track(track, KNOBS)
    assert np.allclose(lanes.at(0, FRAMES), track.motion(KNOBS).at(0, FRAMES), atol=1e-6)
    assert lanes.is_still == track.motion(KNOBS).is_still


@given(tracks(), st.lists(st.integers(1, FRAMES - 1), max_size=6), st.sampled_from([1, 32, 64]))
def test_stretches_tell_the_same_wherever_they_are_cut(track: KnobTrack, cuts: list[int], step: int):
    """They cover every frame once, and a knob stands at each as if they had never been cut."""
    lanes = KnobLanes.of_track(track, KNOBS)
    edges = [0, *sorted(set(cuts)), FRAMES]
    pieces = [piece for start, stop in pairwise(edges) for piece in lanes.stretches(start, stop, step_frames=step)]
    assert [start for start, _, _ in pieces] == [0, *(stop for _, stop, _ in pieces[:-1])]
    assert pieces[-1][1] == FRAMES
    whole = list(lanes.stretches(0, FRAMES, step_frames=step))
    for start, _, settings in pieces:
        (expected,) = (each for begin, end, each in whole if begin <= start < end)
        assert settings == expected


def test_a_ramp_stands_still_for_a_step_at_a_time():
    """From the frame at which it begins, and it ends at its end."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive": 0.0}),
            Breakpoint(frame=10, settings={"drive": 10.0}, ramp_frames=100),
        )
    )
    lanes = KnobLanes.of_track(track, (DRIVE,))
    found = [(start, stop, round(float(at["drive"]), 5)) for start, stop, at in lanes.stretches(0, 200, step_frames=40)]
    assert found == [(0, 10, 0.0), (10, 50, 0.0), (50, 90, 4.0), (90, 110, 8.0), (110, 200, 10.0)]


def test_plain_values_come_back_as_they_were_given():
    """A knob that stands at 440 Hz, and a switch."""
    track = KnobTrack.still({"drive": 3.3, "tone": 440.0, "bright": "on"})
    ((start, stop, settings),) = KnobLanes.of_track(track, KNOBS).stretches(5, 9, step_frames=32)
    assert (start, stop, settings["bright"]) == (5, 9, "on")
    assert settings["drive"] == pytest.approx(3.3)
    assert settings["tone"] == pytest.approx(440.0, rel=1e-5)


def test_no_knobs_have_no_positions():
    """A profile without knobs is asked for them too."""
    lanes = KnobLanes((), {})
    assert lanes.is_still
    assert lanes.at(3, 8).shape == (5, 0)


def test_a_value_beyond_the_range_is_refused():
    """By the knob, with its range."""
    with pytest.raises(KnobError, match="0 to 10"):
        KnobLanes.of_track(KnobTrack.still({"drive": 11.0}), (DRIVE,))
