"""Automation files: knob tracks, tables, and what is wrong with them."""

import json
from pathlib import Path

import numpy as np
import pytest

from profiler.automation import Automation, Turn, read_automation
from profiler.errors import AutomationError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.manifest import write_manifest

DRIVE = Knob(id="drive", name="Drive", minimum=0.0, maximum=10.0, default=2.0)
TONE = Knob(id="tone", name="Tone", minimum=0.0, maximum=1.0, default=0.5)


def written(tmp_path: Path, content: str | bytes, name: str = "a.csv") -> Path:
    """Return a file that holds this."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, sample_rate: int = 48_000) -> Automation:
    """Read an automation for a track at 48 kHz."""
    return read_automation(path, sample_rate=sample_rate)


def test_a_table_is_a_turn_a_line(tmp_path: Path):
    """Knobs by name, in lanes of their own; `glide` where it is given; numbers and choices alike as text."""
    text = "\ufeffseconds,knob,value,glide\n0,drive,3\n\n2.5, amp.mode ,lead,0\n1.25,tone,0.75,0.5\n"
    assert read(written(tmp_path, text)).turns == (
        Turn(seconds=0.0, knob="drive", value="3"),
        Turn(seconds=2.5, knob="amp.mode", value="lead", glide_seconds=0.0),
        Turn(seconds=1.25, knob="tone", value="0.75", glide_seconds=0.5),
    )


def test_a_moving_takes_track_moves_the_same_as_automation(tmp_path: Path):
    """Frame for frame, ramps that the next breakpoint interrupts included."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive": 1.0}),
            Breakpoint(frame=777, settings={"tone": 1.0}, ramp_frames=2000),
            Breakpoint(frame=1500, settings={"drive": 9.0}, ramp_frames=100),
            Breakpoint(frame=9001, settings={"drive": 0.0, "tone": 0.0}),
        )
    )
    write_manifest(tmp_path / "track.json", track)
    lanes = read(tmp_path / "track.json").lanes((DRIVE, TONE), {}, 48_000)
    assert np.allclose(lanes.at(0, 10_000), track.motion((DRIVE, TONE)).at(0, 10_000), atol=1e-6)


@pytest.mark.parametrize(("named", "seconds"), [(None, 1.0), (44_100, 48_000 / 44_100)])
def test_a_tracks_frames_count_at_its_own_rate_or_at_the_files(tmp_path: Path, named: int | None, seconds: float):
    """A take's own track tells no rate: it is the recording's."""
    track = {"breakpoints": [{"frame": 0, "settings": {"drive": 1}}, {"frame": 48_000, "settings": {"drive": 2}}]}
    path = written(tmp_path, json.dumps(track | ({"sample_rate": named} if named else {})), "a.json")
    assert [turn.seconds for turn in read(path).turns] == pytest.approx([0.0, seconds])


WRONG = {
    "no such file": (None, "nothing.csv", ["nothing.csv", "No such file"]),
    "another kind": ("x", "a.txt", ["a.txt", ".json, a .csv or a .mid"]),
    "empty": ("", "a.csv", ["turns nothing", "seconds, knob, value"]),
    "only a header": ("seconds,knob,value\n", "a.csv", ["turns nothing"]),
    "no column of seconds": ("time,knob,value\n1,drive,2\n", "a.csv", ["line 1", "seconds"]),
    "not text": (b"\xff\xfe\x00seconds", "a.csv", ["UTF-8"]),
    "zeros": (b"seconds,knob,value\n\0\0\0\n", "a.csv", ["line 2"]),
    "a cell missing": ("seconds,knob,value\n1,drive\n2,drive,3\n", "a.csv", ["line 2", "value"]),
    "a decimal comma": ("seconds,knob,value\n1,5,drive,2\n", "a.csv", ["line 2", "4 cells", "3"]),
    "no number": ("seconds,knob,value\nsoon,drive,2\n", "a.csv", ["line 2", "'soon'", "seconds"]),
    "not a number": ("seconds,knob,value\nnan,drive,2\n", "a.csv", ["line 2", "nan"]),
    "before the beginning": ("seconds,knob,value\n-1,drive,2\n", "a.csv", ["line 2", "0 seconds or more", "-1"]),
    "no knob": ("seconds,knob,value\n1,,2\n", "a.csv", ["line 2", "knob"]),
    "no value": ("seconds,knob,value\n1,drive,\n", "a.csv", ["line 2", "value"]),
    "out of order": ("seconds,knob,value\n2,drive,2\n1,tone,0\n1,drive,3\n", "a.csv", ["line 4", "at 2 s", "sort"]),
    "twice at once": ("seconds,knob,value\n2,drive,2\n2,drive,3\n", "a.csv", ["line 3", "at 2 s"]),
    "many wrong lines": ("seconds,knob,value\n" + 30 * "x,drive,1\n", "a.csv", ["line 2", "line 21", "and 10 more"]),
    "no JSON": ("{", "a.json", ["a.json", "not JSON"]),
    "another document": ('{"slots": []}', "a.json", ["a.json", "breakpoints"]),
    "not from the beginning": ('{"breakpoints": [{"frame": 5, "settings": {}}]}', "a.json", ["frame 0"]),
    "a rate of nothing": ('{"sample_rate": 0, "breakpoints": [{"frame": 0, "settings": {}}]}', "a.json", ["rate"]),
    "a newer version": ('{"version": 3, "breakpoints": []}', "a.json", ["version 3", "Update"]),
}


@pytest.mark.parametrize(("content", "name", "told"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told(tmp_path: Path, content: str | bytes | None, name: str, told: list[str]):
    """With the line, what was found, and what was expected."""
    path = tmp_path / name if content is None else written(tmp_path, content, name)
    with pytest.raises(AutomationError) as caught:
        read(path)
    for words in told:
        assert words in str(caught.value)
