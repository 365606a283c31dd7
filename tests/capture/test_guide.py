"""Guided sessions: what each step says, what becomes of takes, and that what was noted is what is heard."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture.guide import Guide, GuideOptions
from capture.plan import PlannedTake
from capture.plugin_rig import PluginRig, choose_knobs
from capture.recorder import PlayedTake, record
from profiler.audio import Audio
from profiler.chain_file import ChainFile, Slot
from profiler.errors import GearError, KnobError, SessionError, StorageError
from profiler.finding import Finding
from profiler.knob import KnobSettings
from profiler.knob_track import KnobTrack
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder

RATE = 8_000
FAILED = (Finding(kind="clipped", severity="error", message="The return clips."),)
# A sitting in a process of its own, which stops for good in the middle of its third take.
KILLED = """
import sys, time
from pathlib import Path
from capture.guide import Guide
from capture.plugin_rig import PluginRig
from profiler.session_folder import SessionFolder

class Hanging(PluginRig):
    takes = 0

    def play(self, dry, track, *, on_done):
        self.takes += 1
        if self.takes == int(sys.argv[2]):
            Path(sys.argv[1], "reached").touch()
            time.sleep(600)
        return super().play(dry, track, on_done=on_done)

session = SessionFolder.open(Path(sys.argv[1])).session
rig = Hanging(session.gear, session.knobs, sample_rate=8000)
with Guide.resumed(SessionFolder.open(Path(sys.argv[1])), rig) as guide:
    while guide.next_step():
        guide.record()
"""


class Unplugged(PluginRig):
    """Gear whose cable comes off in the middle of a take."""

    def play(self, dry: Audio, track: KnobTrack, *, on_done: Callable[[float], None]) -> Audio:  # noqa: ARG002
        """Fail."""
        on_done(0.5)
        raise GearError("The cable came off.")


def rig_of(kind: type[PluginRig] = PluginRig) -> PluginRig:
    """Return a distortion and a gain behind it, with two knobs, as gear."""
    slots = (
        Slot(id="drive", kind="pedalboard", ref="Distortion"),
        Slot(id="tone", kind="pedalboard", ref="HighShelfFilter"),
    )
    gear = Gear(name="Pedal", kind="plugin", chain=ChainFile(slots=slots))
    knobs = choose_knobs(gear, ["drive.drive_db=0:10", "tone.gain_db=0:10"])
    named = [replace(knob, name=name, unit="") for knob, name in zip(knobs, ("Drive", "Tone"), strict=True)]
    return kind(gear, named, sample_rate=RATE)


def at(drive: float, tone: float) -> KnobSettings:
    """Return settings of its knobs."""
    return {"drive.drive_db": drive, "tone.gain_db": tone}


def plan_of(*settings: tuple[float, float]) -> list[PlannedTake]:
    """Return short takes at these settings of drive and tone, the last held out, and a replicate of the first."""
    places: list[KnobSettings] = [at(drive, tone) for drive, tone in settings]
    takes = [
        PlannedTake(number=number, form="brief", seed=number, seconds=7.0, settings=each)
        for number, each in enumerate(places)
    ]
    takes[-1] = replace(takes[-1], form="held-out", seconds=None, held_out=True)
    return [*takes, replace(takes[0], number=len(takes), replicate_of=0)]


PLAN = plan_of((2.0, 5.0), (5.5, 5.0), (5.5, 8.0), (3.0, 3.0))


@pytest.fixture
def rig() -> PluginRig:
    """A pedal that does as it is told."""
    return rig_of()


@pytest.fixture
def folder(rig: PluginRig, tmp_path: Path) -> SessionFolder:
    """A new session."""
    return new_folder(rig, tmp_path / "s")


def new_folder(rig: PluginRig, path: Path) -> SessionFolder:
    """Return a new session, or the one that is there."""
    return SessionFolder.create(path, CaptureSession(gear=rig.gear, knobs=rig.knobs, sample_rate=RATE))


def take_of(folder: SessionFolder, number: int) -> Take:
    """Return a take that must be on disk."""
    take = SessionFolder.open(folder.path).session.take(number)
    assert take is not None
    return take


def check_heard(folder: SessionFolder, rig: PluginRig) -> None:
    """Every take on disk sounds as the gear does at the settings that were noted for it."""
    found = SessionFolder.open(folder.path)
    for take in found.session.takes:
        wet = rig.play(found.dry_of(take), found.track_of(take), on_done=lambda _: None)
        np.testing.assert_array_equal(found.wet_of(take).samples, wet.samples)


def judging(*verdicts: str) -> GuideOptions:
    """Return options whose judge lets takes pass or not, in this order, then all."""
    coming = list(verdicts)

    def judge(_: PlayedTake) -> Sequence[Finding]:
        return () if not coming or coming.pop(0) == "pass" else FAILED

    return GuideOptions(judge=judge)


def record_all(guide: Guide) -> None:
    """Go through all steps that are left."""
    while guide.next_step():
        guide.record()


def told(guide: Guide) -> tuple[str, str]:
    """Return what the step says."""
    step = guide.next_step()
    assert step is not None
    return step.title, step.instruction


def test_steps_name_only_the_knobs_that_turn(folder, rig):
    """All knobs are set at first; then those that differ are turned, from where they stand."""
    with Guide.begun(folder, rig, PLAN) as guide:
        assert told(guide) == ("Take 0 (1 of 5)", "Set Drive to 2 and Tone to 5.")
        guide.record()
        assert told(guide) == ("Take 1 (2 of 5)", "Turn Drive from 2 to 5.5; leave Tone.")
        guide.record()
        assert told(guide)[1] == "Turn Tone from 5 to 8; leave Drive."
        guide.record()
        assert "held out" in told(guide)[0]
        assert told(guide)[1] == "Turn Drive from 5.5 to 3 and Tone from 8 to 3."
        guide.record()
        assert "take 0 once more" in told(guide)[0]
        guide.record()
        assert guide.next_step() is None
        with pytest.raises(SessionError, match="Every take is recorded"):
            guide.record()
    check_heard(folder, rig)
    assert [take.held_out for take in folder.session.takes] == [False, False, False, True, False]
    assert take_of(folder, 4).replicate_of == 0


def test_time_left_counts_playing_and_hands(folder, rig):
    """Of five takes of 7 s (the held-out one 12) with eight knobs turned; it shrinks with every take."""
    with Guide.begun(folder, rig, PLAN) as guide:
        left = []
        while step := guide.next_step():
            left.append(step.seconds_left)
            guide.record()
    assert left[0] == pytest.approx(4 * 7 + 12 + 5 * 3 + 5 * (2 + 1 + 1 + 2 + 2), abs=1)
    assert left == sorted(left, reverse=True)
    assert left[-1] == pytest.approx(7 + 3 + 2 * 5)


def test_stopped_and_resumed_from_the_folder_alone(folder, rig, tmp_path):
    """Where knobs stand is not known the next day, so all are told; the session ends as one never stopped."""
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.note("tone", 6)
        guide.record()
        guide.skip()
    with Guide.resumed(SessionFolder.open(folder.path), rig) as guide:
        assert told(guide) == ("Take 2 (3 of 5)", "Set Drive to 5.5 and Tone to 8.")
        assert guide.skipped == (1,)
        guide.redo(1)
        record_all(guide)
        assert guide.skipped == ()
    whole = new_folder(rig, tmp_path / "whole")
    with Guide.begun(whole, rig, PLAN) as guide:
        guide.note("tone", 6)
        record_all(guide)
    check_heard(folder, rig)
    for take in whole.session.takes:
        same = take_of(folder, take.number)
        assert (same.settings, same.sha256) == (take.settings, take.sha256)


def test_a_noted_value_is_recorded_and_repeated(folder, rig):
    """A take is kept at what was noted, the next turn starts from there, and what repeats it stands there too."""
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.note("drive", "2.4")
        assert told(guide)[1] == "Set Drive to 2.4 and Tone to 5."
        guide.record()
        assert told(guide)[1] == "Turn Drive from 2.4 to 5.5; leave Tone."
        record_all(guide)
    assert take_of(folder, 0).settings == take_of(folder, 4).settings == at(2.4, 5.0)
    check_heard(folder, rig)


def test_back_at_a_take_a_note_tells_where_a_knob_stood(folder, rig):
    """The recording stays, its settings change, and so does where the knob is now."""
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.record()
        before = take_of(folder, 0)
        guide.back()
        assert "recorded already" in told(guide)[0]
        guide.note("drive", 2.2)
        assert take_of(folder, 0) == replace(before, settings=at(2.2, 5.0))
        guide.skip()
        assert told(guide) == ("Take 1 (2 of 5)", "Turn Drive from 2.2 to 5.5; leave Tone.")
        with pytest.raises(SessionError, match="first take"):
            guide.back(), guide.back()


def test_a_redone_take_is_noted_anew(folder, rig):
    """A note before a take is recorded again is of the new recording: the old one keeps its own till then."""
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.record()
        guide.redo()
        guide.note("tone", 4)
        assert take_of(folder, 0).settings == at(2.0, 5.0)
        assert told(guide)[1] == "Turn Tone from 5 to 4; leave Drive."
        guide.record()
        assert take_of(folder, 0).settings == at(2.0, 4.0)
        assert told(guide)[0] == "Take 1 (2 of 5)"
    check_heard(folder, rig)


def test_what_is_scored_on_is_never_learnt_from(folder, rig):
    """A note that brings a held-out setting and one to learn from together is refused, either way and nearly too."""
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.redo(3)
        guide.note("drive", 5.5)
        guide.note("drive", 3)
        guide.redo(3)
        guide.note("tone", 5)
        with pytest.raises(SessionError, match="take 0 does, which is learnt from"):
            guide.note("drive", 2.1)
        guide.note("tone", 3)
        guide.redo(0)
        guide.note("drive", 3)
        with pytest.raises(SessionError, match="take 3 does, which is held out"):
            guide.note("tone", 3.05)
        record_all(guide)
    learnt = [take.settings for take in folder.session.takes if not take.held_out]
    assert take_of(folder, 3).settings not in learnt


def test_wrong_notes_are_told(folder, rig):
    """A knob or a value that is not there, and a note on a take that repeats another."""
    with Guide.begun(folder, rig, PLAN) as guide:
        with pytest.raises(KnobError, match=r"'presence' is not a knob of this gear\. It has: drive"):
            guide.note("presence", 1)
        with pytest.raises(KnobError, match="cannot stand at 11; its range is 0 to 10"):
            guide.note("drive", 11)
        with pytest.raises(SessionError, match="no take 8; the plan has takes 0 to 4"):
            guide.redo(8)
        with pytest.raises(SessionError, match="Nothing was recorded yet"):
            guide.redo()
        guide.redo(4)
        with pytest.raises(SessionError, match="repeats take 0, so its knobs"):
            guide.note("drive", 3)
        with pytest.raises(SessionError, match="take 0, which is not recorded yet"):
            guide.record()
        guide.skip()
        record_all(guide)
        guide.redo(4)
        guide.record()
        guide.redo(0)
        with pytest.raises(SessionError, match="Take 4 repeats this one"):
            guide.note("drive", 3)


def test_nothing_repeats_a_skipped_take(folder, rig):
    """Without the first take there is no replicate of it, and the session ends without either."""
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.skip()
        record_all(guide)
        assert guide.skipped == (0,)
    assert [take.number for take in folder.session.takes] == [1, 2, 3]


def test_a_failed_take_is_kept_until_a_better_one(folder, rig):
    """It is on disk with the reason; redone it goes, and one that fails again never replaces one that passed."""
    with Guide.begun(folder, rig, PLAN, judging("fail", "pass", "fail")) as guide:
        assert (first := guide.record()).kept
        assert not first.passed
        assert take_of(folder, 0).findings[-1:] == FAILED
        assert guide.failed == (0,)
        guide.redo()
        assert guide.record().passed
        good = take_of(folder, 0)
        assert guide.failed == ()
        guide.redo()
        guide.note("tone", 9)
        third = guide.record()
        assert (third.passed, third.kept, third.findings[-1:]) == (False, False, FAILED)
        assert take_of(folder, 0) == good
    check_heard(folder, rig)


def test_gear_that_fails_takes_nothing(folder, rig):
    """The step stays to be done, earlier recordings stay, and the knobs are known to stand where they were set."""
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.record()
        before = take_of(folder, 0)
        guide.rig = rig_of(Unplugged)
        with pytest.raises(GearError, match="cable"):
            guide.record()
        assert told(guide) == ("Take 1 (2 of 5)", "Leave all knobs where they are.")
        guide.redo(0)
        with pytest.raises(GearError, match="cable"):
            guide.record()
        assert take_of(folder, 0) == before
        guide.rig = rig
        record_all(guide)
    check_heard(folder, rig)


def test_knobs_that_the_rig_turns_are_not_told(folder, rig):
    """A hand turns what is left."""
    with Guide.begun(folder, rig, PLAN, GuideOptions(self_turning=frozenset({"drive.drive_db"}))) as guide:
        assert told(guide)[1] == "Set Tone to 5."
        guide.record()
        assert told(guide)[1] == "Leave all knobs where they are."
        record_all(guide)
    check_heard(folder, rig)


def test_another_plan_or_recorder_is_refused(folder, rig, tmp_path):
    """The plan in the folder is the one to go on with; sessions recorded otherwise have none."""
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.record()
    with Guide.begun(folder, rig, PLAN) as guide:
        assert told(guide)[0] == "Take 1 (2 of 5)"
    with pytest.raises(SessionError, match="begun with another plan"), Guide.begun(folder, rig, PLAN[:3]):
        pass
    other = new_folder(rig, tmp_path / "other")
    record(other, rig, PLAN[:1])
    with pytest.raises(SessionError, match=r"takes without a plan\.json"), Guide.begun(other, rig, PLAN):
        pass
    with pytest.raises(SessionError, match=r"has no plan\.json"), Guide.resumed(other, rig):
        pass


@pytest.mark.parametrize("killed_at", [1, 3])
def test_killed_in_mid_take_and_resumed(folder, rig, killed_at):
    """After kill -9 the folder has every take before; resumed, it ends as one that was never stopped."""
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.note("drive", 2.5)
    with subprocess.Popen([sys.executable, "-c", KILLED, str(folder.path), str(killed_at)]) as process:
        while process.poll() is None and not (folder.path / "reached").exists():
            time.sleep(0.01)
        with pytest.raises(SessionError, match="Another process is recording"), Guide.resumed(folder, rig):
            pass
        process.kill()
    assert [take.number for take in SessionFolder.open(folder.path).session.takes] == list(range(killed_at - 1))
    with Guide.resumed(SessionFolder.open(folder.path), rig) as guide:
        assert told(guide)[0] == f"Take {killed_at - 1} ({killed_at} of 5)"
        record_all(guide)
    check_heard(folder, rig)
    assert take_of(folder, 0).settings == at(2.5, 5.0)
    assert len(SessionFolder.open(folder.path).session.takes) == 5


def test_a_full_disk_takes_nothing(small_disk, rig):
    """A take, a redone take and a note that do not fit change nothing; with space again the session goes on."""
    folder = new_folder(rig, small_disk.path / "s")
    with Guide.begun(folder, rig, PLAN) as guide:
        guide.record()
        before = take_of(folder, 0), (folder.path / "plan.json").read_bytes()
        small_disk.fill(leave=0)
        for step in (lambda: None, lambda: guide.redo(0)):
            step()
            with pytest.raises(StorageError, match="No space left"):
                guide.record()
        guide.redo(1)
        with pytest.raises(StorageError, match="No space left"):
            guide.note("drive", 5.8)
        assert told(guide)[1].startswith("Turn Drive from 2 to 5.5")
        assert (take_of(folder, 0), (folder.path / "plan.json").read_bytes()) == before
        small_disk.free()
        guide.record()
    check_heard(folder, rig)


def test_two_sittings_at_once_are_refused(folder, rig):
    """The second is told, and the first goes on."""
    with Guide.begun(folder, rig, PLAN) as guide:
        again = SessionFolder.open(folder.path)
        with pytest.raises(SessionError, match="Another process is recording"), Guide.resumed(again, rig):
            pass
        with pytest.raises(SessionError, match="Another process is recording"):
            record(again, rig, PLAN)
        guide.record()
    assert len(SessionFolder.open(folder.path).session.takes) == 1
