"""What moving knobs leave, on effects that click and that do not."""

import numpy as np
import pytest

from profiler.audio import Samples
from profiler.knob import Knob
from profiler.knob_moves import Play, knob_moves, move_residue_db
from profiler.knob_track import KnobTrack
from profiler.profile import LoadedProfile

RATE = 48_000
DRIVE = Knob(id="drive_db", name="Drive", maximum=40.0)
TONE = (0.25 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)).astype(np.float32)[None]


def overdrive(*, step_frames: int = 1, thump: float = 0.0) -> Play:
    """Return an overdrive whose knob moves in steps of so many frames, with an offset that follows the knob's speed."""

    def play(dry: Samples, track: KnobTrack) -> Samples:
        position = track.motion((DRIVE,)).at(0, dry.shape[1])[:, 0]
        position = position[np.arange(len(position)) // step_frames * step_frames]
        speed = np.diff(position, prepend=position[:1]) * RATE
        return (np.tanh(10 ** (2 * position) * dry) / 4 + thump * speed).astype(np.float32)

    return play


def left(play: Play, dry: Samples) -> float:
    """Return what a move of the drive leaves, in dBFS."""
    return move_residue_db(play, dry, DRIVE, {"drive_db": 0.0}, RATE)


def test_a_smooth_overdrive_leaves_nothing():
    """From clean to 40 dB of drive in 50 ms: the harmonics grow, and that is all."""
    assert left(overdrive(), TONE) < -70
    assert left(overdrive(), 0 * TONE) == -200


def test_a_stepped_knob_clicks():
    """The larger its steps the more; none of it is heard in silence."""
    small, large = (left(overdrive(step_frames=frames), TONE) for frames in (480, 2400))
    assert -60 < small < large
    assert left(overdrive(step_frames=2400), 0 * TONE) == -200


def test_a_thump_is_found_in_silence():
    """An offset of a hundredth of the knob's speed, which is 20 ranges a second: 0.2 where it moves, -14 dBFS."""
    assert left(overdrive(thump=0.01), 0 * TONE) == pytest.approx(-14, abs=0.1)


def test_a_glide_that_comes_late_is_no_click():
    """The same sound with the knob half a millisecond late is the sound itself."""
    smooth = overdrive()

    def late(dry: Samples, track: KnobTrack) -> Samples:
        first = smooth(dry[:, :24], KnobTrack.still(track.breakpoints[0].settings))
        position = track.motion((DRIVE,)).at(0, dry.shape[1] - 24)[:, 0]
        return np.concatenate([first, np.tanh(10 ** (2 * position) * dry[:, 24:]) / 4], axis=1)

    assert left(late, TONE) < -60


def test_every_knob_that_slides_is_measured(convolutional):
    """A profile's switches flip, so they are left out."""
    loaded: LoadedProfile = convolutional()
    moves = knob_moves(loaded)
    assert [move.knob for move in moves] == ["drive_db", "tone_hz"]
    assert all(-200 <= move.silence_db < 0 and -200 <= move.tone_db < 0 for move in moves)
