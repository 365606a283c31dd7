"""Controllers of MIDI files that turn knobs."""

import contextlib
from pathlib import Path

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiler.automation import Automation, Controller, Share, read_automation
from profiler.errors import AutomationError

Event = tuple[int, int, int, int]


def midi(path: Path, *tracks: list[Event | mido.MetaMessage], kind: int = 1) -> Path:
    """Write a file of 480 ticks a beat: (ticks since the event before, channel from 1, controller, value)."""
    file = mido.MidiFile(type=kind, ticks_per_beat=480)
    for events in tracks:
        track = mido.MidiTrack()
        for event in events:
            if isinstance(event, mido.MetaMessage):
                track.append(event)
            else:
                time, channel, control, value = event
                track.append(
                    mido.Message("control_change", time=time, channel=channel - 1, control=control, value=value)
                )
        file.tracks.append(track)
    file.save(path)
    return path


def read(path: Path, *controllers: Controller) -> Automation:
    """Read what these controllers turn."""
    return read_automation(path, sample_rate=48_000, controllers=controllers)


def told(automation: Automation) -> list[tuple[float, str, float]]:
    """Return seconds, knob and share of each turn."""
    return [
        (round(turn.seconds, 6), turn.knob, round(turn.value.share, 6))
        for turn in automation.turns
        if isinstance(turn.value, Share)
    ]


def test_a_controller_turns_a_knob_through_its_range(tmp_path: Path):
    """0 is the low end, 127 the high one; other controllers and notes are left alone; a beat is half a second."""
    path = midi(tmp_path / "a.mid", [(0, 1, 74, 0), (480, 1, 74, 127), (240, 1, 7, 99), (240, 1, 74, 64)])
    assert told(read(path, Controller(number=74, knob="drive"))) == [
        (0.0, "drive", 0.0),
        (0.5, "drive", 1.0),
        (1.0, "drive", round(64 / 127, 6)),
    ]


def test_tempo_changes_are_followed_over_all_tracks(tmp_path: Path):
    """The tempo stands in one track, the controllers in another."""
    tempo = [mido.MetaMessage("set_tempo", tempo=1_000_000), mido.MetaMessage("set_tempo", tempo=250_000, time=960)]
    path = midi(tmp_path / "a.midi", tempo, [(480, 1, 1, 0), (480, 1, 1, 1), (480, 1, 1, 2)])
    seconds = [each for each, _, _ in told(read(path, Controller(number=1, knob="drive")))]
    assert seconds == [1.0, 2.0, 2.25]


def test_two_controllers_of_seven_bits_are_one_of_fourteen(tmp_path: Path):
    """The coarse half comes first, then the fine one; both are one controller."""
    path = midi(tmp_path / "a.mid", [(0, 1, 1, 127), (0, 1, 33, 127), (480, 1, 1, 64), (0, 1, 33, 0)])
    shares = [share for _, _, share in told(read(path, Controller(number=1, knob="drive")))]
    assert shares[1] == 1.0
    assert shares[3] == round(64 * 128 / 16_383, 6)
    with pytest.raises(AutomationError, match="never moves controller 33"):
        read(path, Controller(number=33, knob="drive"))


def test_channels_tell_controllers_apart(tmp_path: Path):
    """Without a channel, all of them turn the knob; one controller may turn two knobs, over ranges of their own."""
    path = midi(tmp_path / "a.mid", [(0, 1, 74, 0), (480, 2, 74, 127)])
    assert len(told(read(path, Controller(number=74, knob="drive")))) == 2
    two = [Controller(number=74, channel=2, knob="drive"), Controller(number=74, knob="tone", low="8", high="4")]
    turns = read(path, *two).turns
    assert [(turn.seconds, turn.knob) for turn in turns] == [(0.0, "tone"), (0.5, "drive"), (0.5, "tone")]
    assert turns[0].value == Share(share=0.0, low="8", high="4")


def test_without_a_map_the_controllers_are_listed(tmp_path: Path):
    """So that one knows what to write."""
    path = midi(tmp_path / "a.mid", [(0, 1, 74, 0), (480, 3, 1, 127)])
    with pytest.raises(AutomationError, match=r"74 on channel 1, 1 on channel 3.*--cc NUMBER=KNOB"):
        read(path)
    with pytest.raises(AutomationError, match=r"never moves controller 5. It moves: 74 on channel 1"):
        read(path, Controller(number=5, knob="drive"))
    with pytest.raises(AutomationError, match="none at all"):
        read(midi(tmp_path / "b.mid", []))


def test_a_table_has_no_controllers(tmp_path: Path):
    """--cc with a CSV is a mistake that is told."""
    (tmp_path / "a.csv").write_text("seconds,knob,value\n1,drive,2\n")
    with pytest.raises(AutomationError, match="no MIDI file"):
        read(tmp_path / "a.csv", Controller(number=1, knob="drive"))


@pytest.mark.parametrize(
    "wrong", [{"number": 128}, {"number": -1}, {"number": 1, "channel": 0}, {"number": 1, "channel": 17}]
)
def test_controllers_and_channels_have_their_ranges(wrong: dict[str, int]):
    """0 to 127, 1 to 16."""
    with pytest.raises(AutomationError, match="a number from"):
        Controller(knob="drive", **wrong)


@given(cut=st.integers(0, 90), noise=st.lists(st.tuples(st.integers(0, 89), st.integers(0, 255)), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_damage_is_told_as_such(tmp_path: Path, cut: int, noise: list[tuple[int, int]]):
    """Files that are cut off or full of noise are read, or refused in words."""
    tempo = [mido.MetaMessage("set_tempo", tempo=400_000), mido.MetaMessage("key_signature", key="D")]
    whole = bytearray(midi(tmp_path / "a.mid", tempo, [(n, 1, 74, n) for n in range(8)]).read_bytes())
    for place, value in noise:
        whole[place % len(whole)] = value
    (tmp_path / "b.mid").write_bytes(whole[: len(whole) - cut])
    with contextlib.suppress(AutomationError):
        read(tmp_path / "b.mid", Controller(number=74, knob="drive"))


def test_no_midi_at_all_is_told(tmp_path: Path):
    """A file that is not there, or text, or two songs in one file."""
    with pytest.raises(AutomationError, match="No such file"):
        read(tmp_path / "none.mid")
    (tmp_path / "text.mid").write_text("no music")
    with pytest.raises(AutomationError, match=r"text.mid is no MIDI file that can be followed"):
        read(tmp_path / "text.mid")
    with pytest.raises(AutomationError, match="no MIDI file that can be followed"):
        read(midi(tmp_path / "two.mid", [(0, 1, 74, 0)], [(0, 1, 74, 0)], kind=2), Controller(number=74, knob="drive"))
