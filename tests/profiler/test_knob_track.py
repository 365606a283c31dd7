"""Knob tracks."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import KnobError
from profiler.knob import Knob, positions_of
from profiler.knob_track import Breakpoint, KnobTrack

DRIVE = Knob(id="drive", name="Drive", minimum=0, maximum=10)
CUTOFF = Knob(id="cutoff", name="Cutoff", minimum=20, maximum=20_000, default=20, scale="log")
MODE = Knob(id="mode", name="Mode", choices=("low", "band", "high"), default="low")
KNOBS = (DRIVE, CUTOFF, MODE)
LAST = 400

some_settings = st.fixed_dictionaries(
    {},
    optional={
        "drive": st.floats(0, 10),
        "cutoff": st.floats(20, 20_000),
        "mode": st.sampled_from(MODE.choices),
    },
)
later_points = st.lists(
    st.builds(Breakpoint, frame=st.integers(1, LAST - 1), settings=some_settings, ramp_frames=st.integers(0, LAST)),
    max_size=8,
    unique_by=lambda point: point.frame,
)
tracks = st.builds(
    lambda first, later: KnobTrack(
        breakpoints=(Breakpoint(frame=0, settings=first), *sorted(later, key=lambda point: point.frame))
    ),
    some_settings,
    later_points,
)


def ramp(frames: int, *, start: int = 100) -> KnobTrack:
    """Return a track on which the drive goes from 0 to 10."""
    return KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive": 0}),
            Breakpoint(frame=start, settings={"drive": 10}, ramp_frames=frames),
        )
    )


@given(tracks, st.lists(st.integers(0, LAST), max_size=6))
def test_any_split_gives_the_same_positions(track, cuts):
    """Positions asked for in blocks of any size are those asked for at once, bit for bit."""
    motion = track.motion(KNOBS)
    edges = [0, *sorted(cuts), LAST]
    blocks = [motion.at(start, stop) for start, stop in itertools.pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(blocks), motion.at(0, LAST))


@given(tracks, st.integers(1, LAST))
def test_the_table_says_what_at_says(track, frames):
    """A ramp of at most 512 frames is told exactly by the table."""
    motion = track.motion(KNOBS)
    rows, index = motion.table(frames)
    assert index.shape == (frames,)
    np.testing.assert_array_equal(rows[index], motion.at(0, frames))


def test_the_table_tells_a_long_ramp_in_512_steps():
    """A ramp of many frames needs few rows, and stays within half a step."""
    motion = ramp(100_000).motion(KNOBS)
    rows, index = motion.table(120_000)
    assert len(rows) == 1 + 513
    off = np.abs(rows[index] - motion.at(0, 120_000)).max()
    assert 0 < off < 0.6 / 512


@given(tracks)
def test_positions_stay_between_their_ends(track):
    """Nothing overshoots, and a switch is always at exactly one choice."""
    positions = track.motion(KNOBS).at(0, LAST)
    assert positions.min() >= 0
    assert positions.max() <= 1
    assert set(np.unique(positions[:, 2:])) <= {0, 1}
    assert (positions[:, 2:].sum(axis=1) == 1).all()


def test_a_ramp_is_a_straight_line_that_ends():
    """The knob stands, travels evenly from its breakpoint on, and stands again."""
    drive = ramp(10).motion(KNOBS).at(95, 115)[:, 0]
    np.testing.assert_allclose(drive, [0] * 5 + [0.1 * step for step in range(11)] + [1] * 4, atol=1e-7)


def test_a_log_knob_travels_in_octaves():
    """Half way through its ramp a log knob stands at the geometric mean."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"cutoff": 20}),
            Breakpoint(frame=10, settings={"cutoff": 20_000}, ramp_frames=100),
        )
    )
    assert CUTOFF.value_at(float(track.motion(KNOBS).at(60, 61)[0, 1])) == pytest.approx(np.sqrt(20 * 20_000))


def test_an_interrupted_ramp_goes_on_from_where_it_is():
    """The next breakpoint takes over without a jump."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive": 0}),
            Breakpoint(frame=100, settings={"drive": 10}, ramp_frames=100),
            Breakpoint(frame=150, settings={"drive": 0}, ramp_frames=100),
        )
    )
    drive = track.motion(KNOBS).at(0, 300)[:, 0]
    assert drive.max() == pytest.approx(0.5)
    assert np.abs(np.diff(drive)).max() < 0.011
    assert drive[250] == 0


def test_a_switch_flips_as_the_ramp_begins():
    """A switch has nothing between its choices, so it does not slide."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"mode": "low"}),
            Breakpoint(frame=10, settings={"mode": "high"}, ramp_frames=50),
        )
    )
    np.testing.assert_array_equal(track.motion(KNOBS).at(9, 11)[:, 2:], [[1, 0, 0], [0, 0, 1]])


def test_a_breakpoint_may_name_only_what_moves():
    """The other knobs stay where they were, not at their defaults."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive": 5, "mode": "band"}),
            Breakpoint(frame=10, settings={"drive": 10}),
        )
    )
    expected = positions_of(KNOBS, {"drive": 10, "cutoff": 20, "mode": "band"})
    np.testing.assert_array_equal(track.motion(KNOBS).at(10, 11)[0], expected)


def test_a_still_track_never_moves():
    """One setting for ever, however far one looks, with knobs or without."""
    motion = KnobTrack.still({"drive": 5}).motion(KNOBS)
    assert motion.is_still
    np.testing.assert_array_equal(motion.at(10**9, 10**9 + 1), motion.at(0, 1))
    assert KnobTrack.still({}).motion(()).at(0, 7).shape == (7, 0)
    assert not ramp(10).motion(KNOBS).is_still


def test_no_frames_are_no_positions():
    """An empty block keeps the width."""
    assert ramp(10).motion(KNOBS).at(105, 105).shape == (0, 5)


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([], "at frame 0"),
        ([(5, 0)], "at frame 0"),
        ([(-1, 0)], "at frame 0"),
        ([(0, 0), (10, 0), (10, 0)], "must grow"),
        ([(0, 0), (10, 0), (5, 0)], r"must grow .* \[0, 10, 5\]"),
        ([(0, -1)], "negative"),
        ([(0, 0), (10**30, 0)], "ends by frame"),
        ([(0, 10**30)], "ends by frame"),
    ],
)
def test_breakpoints_out_of_order_are_refused(points, says):
    """A track starts at frame 0, its frames grow, its ramps are not negative, and all of it can be counted."""
    with pytest.raises(KnobError, match=says):
        KnobTrack(breakpoints=tuple(Breakpoint(frame=at, settings={}, ramp_frames=over) for at, over in points))


@pytest.mark.parametrize(("settings", "says"), [({"treble": 1}, "'treble' is not a knob"), ({"drive": 11}, "0 to 10")])
def test_a_track_for_other_knobs_is_refused(settings, says):
    """Knobs and values that the gear does not have raise KnobError before anything is rendered."""
    with pytest.raises(KnobError, match=says):
        KnobTrack.still(settings).motion(KNOBS)
