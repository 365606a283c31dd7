"""The recorder: each take is safe before the next begins, and a stopped capture goes on where it was."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture.plan import PlannedTake, fixed_plan, moving_plan
from capture.plugin_rig import PluginRig, choose_knobs, open_gear
from capture.recorder import record
from profiler.audio import Audio
from profiler.errors import GearError, SessionError
from profiler.knob_track import KnobTrack
from profiler.manifest import to_json
from profiler.progress import Progress
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder

RATE = 16_000


class FailingRig(PluginRig):
    """A plugin that breaks in the middle of a take."""

    fails_at = 2

    def play(self, dry: Audio, track: KnobTrack, *, on_done: Callable[[float], None]) -> Audio:
        """Play, until it is one take too many."""
        self.fails_at -= 1
        if self.fails_at < 0:
            on_done(0.5)
            raise GearError("The cable came off.")
        return super().play(dry, track, on_done=on_done)


def rig_of(
    plugin: str = "pedalboard:Distortion", knob: str | None = "drive_db=0:40", rig: type = PluginRig
) -> PluginRig:
    """Return a rig of one effect with one knob, or none."""
    gear = open_gear(plugin)
    return rig(gear, choose_knobs(gear, [knob] if knob else []), sample_rate=RATE)


def folder_at(path: Path, rig: PluginRig) -> SessionFolder:
    """Return a session for this rig, new or gone on with."""
    return SessionFolder.create(path, CaptureSession(gear=rig.gear, knobs=rig.knobs, sample_rate=RATE))


def small_plan(rig: PluginRig, *, seed: int = 0) -> list[PlannedTake]:
    """Return a moving take, two held-out takes and a replicate."""
    return moving_plan(rig.knobs, sample_rate=RATE, minutes=0.6, seed=seed, replicate=True)


def files_of(folder: SessionFolder) -> dict[str, bytes]:
    """Return everything in a session's folder that is not hidden."""
    found = (path for path in folder.path.rglob("[!.]*") if path.is_file())
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in found}


def take_of(folder: SessionFolder, number: int) -> Take:
    """Return a take that must be there."""
    take = folder.session.take(number)
    assert take is not None
    return take


def test_every_take_is_what_its_rig_plays(tmp_path: Path):
    """On disk are the dry, the wet that the rig plays for it at the take's settings, and the plan's marks."""
    rig = rig_of()
    folder, plan = folder_at(tmp_path / "s", rig), small_plan(rig)
    record(folder, rig, plan)
    session = SessionFolder.open(tmp_path / "s").session
    assert [take.number for take in session.takes] == [0, 1, 2, 3]
    for planned, take in zip(plan, session.takes, strict=True):
        assert (take.settings, take.held_out, take.replicate_of) == (
            planned.settings,
            planned.held_out,
            planned.replicate_of,
        )
        wet = rig.play(folder.dry_of(take), folder.track_of(take), on_done=lambda _: None)
        assert np.array_equal(folder.wet_of(take).samples, wet.samples)
        assert take.frames == wet.frames
    assert folder.track_of(session.takes[0]) == plan[0].track


def test_a_replicate_plays_the_same_dry(tmp_path: Path):
    """The dry of the take it repeats is used again, not stored a second time."""
    rig = rig_of()
    folder = folder_at(tmp_path / "s", rig)
    record(folder, rig, small_plan(rig))
    assert len(folder.session.dries) == 3
    assert folder.session.takes[3].dry == folder.session.takes[2].dry


def test_a_stopped_capture_goes_on_where_it_was(tmp_path: Path):
    """A rig that fails leaves the takes before it; going on gives the session of one never stopped."""
    rig = rig_of()
    plan = small_plan(rig)
    stopped = folder_at(tmp_path / "stopped", rig)
    with pytest.raises(GearError, match="cable"):
        record(stopped, rig_of(rig=FailingRig), plan)
    assert [take.number for take in SessionFolder.open(tmp_path / "stopped").session.takes] == [0, 1]
    kept = (stopped.path / "takes" / "000.wav").stat().st_mtime_ns

    told: list[Progress] = []
    record(folder_at(tmp_path / "stopped", rig), rig, plan, on_progress=told.append)
    assert (stopped.path / "takes" / "000.wav").stat().st_mtime_ns == kept
    assert told[0].note == "take 1 of 2"

    whole = folder_at(tmp_path / "whole", rig)
    record(whole, rig, plan)
    assert files_of(stopped).keys() == files_of(whole).keys()
    assert len(files_of(whole)) == 1 + 3 + 4 + 1
    resumed = SessionFolder.open(stopped.path)
    assert resumed.session == whole.session
    for take in whole.session.takes:
        assert np.array_equal(resumed.wet_of(take_of(resumed, take.number)).samples, whole.wet_of(take).samples)
        assert np.array_equal(resumed.dry_of(take_of(resumed, take.number)).samples, whole.dry_of(take).samples)
        assert resumed.track_of(take) == whole.track_of(take)


def test_recording_a_finished_plan_again_changes_nothing(tmp_path: Path):
    """With every take there, nothing is played and no file is written."""
    rig = rig_of()
    folder, plan = folder_at(tmp_path / "s", rig), small_plan(rig)
    record(folder, rig, plan)
    before = files_of(folder)
    broken = rig_of(rig=FailingRig)
    broken.fails_at = 0
    record(folder_at(tmp_path / "s", rig), broken, plan)
    assert files_of(folder) == before


def test_another_plan_in_the_same_folder_is_refused(tmp_path: Path):
    """Another seed, other settings, another track or other marks than the takes there have are a SessionError."""
    rig = rig_of()
    folder, plan = folder_at(tmp_path / "s", rig), small_plan(rig)
    record(folder, rig, plan)
    before = files_of(folder)
    track = plan[0].track
    assert track is not None
    shorter = replace(plan[0], track=KnobTrack(breakpoints=track.breakpoints[:-1]))
    for other in (
        small_plan(rig, seed=1),
        [shorter],
        [plan[0], replace(plan[1], settings={"drive_db": 1.0})],
        [plan[0], replace(plan[1], held_out=False)],
        fixed_plan(rig.knobs),
    ):
        with pytest.raises(SessionError, match="another plan"):
            record(folder, rig, other)
    assert files_of(folder) == before


def test_more_captures_are_added_to_those_there(tmp_path: Path):
    """A plan that begins as the takes there do is gone on with."""
    rig = rig_of("pedalboard:Gain", "gain_db=-20:0")
    folder = folder_at(tmp_path / "s", rig)
    plan = [take for take in fixed_plan(rig.knobs, captures=2) if take.held_out]
    plan = [replace(take, number=number) for number, take in enumerate(plan)]
    record(folder, rig, plan[:1])
    record(folder, rig, plan)
    assert [take.number for take in folder.session.takes] == [0, 1]


def test_brief_takes_keep_their_length(tmp_path: Path):
    """Fixed takes last as long as asked; gone on with at another length, they are another plan."""
    rig = rig_of("pedalboard:Gain", "gain_db=-20:0")
    folder = folder_at(tmp_path / "s", rig)
    brief, longer = (
        [replace(take, number=0) for take in fixed_plan(rig.knobs, seconds=seconds) if take.number == 1]
        for seconds in (8, 9)
    )
    record(folder, rig, brief)
    assert take_of(folder, 0).frames / RATE == pytest.approx(8, abs=0.01)
    record(folder, rig, brief)
    with pytest.raises(SessionError, match="another plan"):
        record(folder, rig, longer)


def test_silent_gear_is_found(tmp_path: Path):
    """A gate that never opens gives a warning on its takes, and the takes are kept."""
    rig = rig_of("pedalboard:Gain", None)
    silent = PluginRig(replace(rig.gear, chain=replace_settings(rig.gear, {"gain_db": -100.0})), (), sample_rate=RATE)
    folder = folder_at(tmp_path / "s", silent)
    record(folder, silent, one_held_out())
    (take,) = SessionFolder.open(tmp_path / "s").session.takes
    assert [(found.kind, found.severity) for found in take.findings] == [("silent", "warning")]


def replace_settings(gear: Gear, settings: dict[str, float]) -> object:
    """Return the gear's chain with its only slot at these settings."""
    assert gear.chain is not None
    return replace(gear.chain, slots=(replace(gear.chain.slots[0], settings=settings),))


def one_held_out() -> list[PlannedTake]:
    """Return the shortest plan there is."""
    return [PlannedTake(number=0, form="held-out", seed=1, settings={})]


@pytest.mark.parametrize(
    ("plugin", "kinds"),
    [("pedalboard:Distortion", []), ("pedalboard:Invert", ["polarity"]), ("pedalboard:BrickwallLimiter", [])],
)
def test_findings_tell_what_the_blips_show(tmp_path: Path, plugin: str, kinds: list[str]):
    """Gear that inverts is told of; a latency that the host takes out is not."""
    rig = rig_of(plugin, None)
    folder = folder_at(tmp_path / "s", rig)
    record(folder, rig, one_held_out())
    assert [found.kind for found in folder.session.takes[0].findings] == kinds


def test_a_delay_without_dry_sound_is_found_late(tmp_path: Path):
    """What comes late by the effect's own doing is told in frames and kept as sound."""
    rig = rig_of("pedalboard:Delay", None)
    late = PluginRig(
        replace(rig.gear, chain=replace_settings(rig.gear, {"mix": 1.0, "delay_seconds": 0.0125, "feedback": 0.0})),
        (),
        sample_rate=RATE,
    )
    folder = folder_at(tmp_path / "s", late)
    record(folder, late, one_held_out())
    (take,) = folder.session.takes
    (found,) = take.findings
    assert found.kind == "latency"
    assert "200 frames" in found.message
    assert take.latency_frames == 0


def test_progress_counts_takes_and_climbs(tmp_path: Path):
    """Progress goes from 0 to 1 without a step back, and names the take."""
    rig = rig_of()
    told: list[Progress] = []
    record(folder_at(tmp_path / "s", rig), rig, small_plan(rig), on_progress=told.append)
    done = [each.done for each in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0.0, 1.0)
    assert {each.note for each in told} == {f"take {number} of 4" for number in (1, 2, 3, 4)}


def test_what_is_written_can_be_read_again_as_it_was(tmp_path: Path):
    """The session in memory is the one on disk, to the last byte."""
    rig = rig_of()
    folder = folder_at(tmp_path / "s", rig)
    record(folder, rig, small_plan(rig))
    assert to_json(SessionFolder.open(tmp_path / "s").session) == to_json(folder.session)
