"""Plugins as gear: by name or in a chain, on the move, killed in mid-take and gone on with."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture.gear import choose_knobs, gear_knobs, open_gear
from capture.plan import PlannedTake, moving_plan
from capture.plugin_rig import PluginRig
from capture.recorder import record
from profiler.audio import Audio
from profiler.errors import GearError, SessionError
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.pedalboard_effect import PedalboardEffect
from profiler.plugins import HostedPlugin
from profiler.progress import Progress
from profiler.session import CaptureSession
from profiler.session_folder import SessionFolder

RATE = 48_000
GUITARIX = "http://guitarix.sourceforge.net/plugins/"
TUBE_SCREAMER = f"lv2:{GUITARIX}gxts9#ts9sim"
COMPRESSOR = "lv2:urn:zamaudio:ZamComp"
DRY = Audio(samples=np.full((1, 20_000), 0.1, np.float32), sample_rate=RATE)


def unheard(_: float) -> None:
    """Tell nobody."""


@pytest.mark.usefixtures("lv2")
def test_a_plugin_is_gear_by_its_uri():
    """Its name and version are the plugin's own, its knobs go by their symbols, and without any it is gear too."""
    gear = open_gear(TUBE_SCREAMER)
    assert gear.name == "GxTubeScreamer"
    assert gear.chain is not None
    assert (gear.chain.slots[0].kind, gear.chain.slots[0].ref) == ("plugin", TUBE_SCREAMER)
    assert gear.chain.slots[0].version.startswith("GxTubeScreamer ")
    (drive,) = choose_knobs(gear, ["fslider2_=0:1"])
    assert (drive.name, drive.default) == ("Drive", 0.5)
    with PluginRig(gear, (), sample_rate=RATE) as rig:
        wet = rig.play(DRY, KnobTrack.still({}), on_done=unheard)
    with HostedPlugin(TUBE_SCREAMER) as plugin:
        assert np.array_equal(wet.samples, plugin.process(DRY.samples, RATE))


def test_a_plugin_file_is_gear_from_any_folder(vst3: Path, monkeypatch: pytest.MonkeyPatch):
    """A path from here is kept in full, so that the session plays from anywhere."""
    monkeypatch.chdir(vst3)
    gear = open_gear("ZamComp.vst3")
    assert gear.name == "ZamComp"
    assert gear.chain is not None
    assert (gear.chain.slots[0].ref, gear.chain.slots[0].version) == (str(vst3 / "ZamComp.vst3"), "ZamComp 4.1.0")


@pytest.mark.usefixtures("lv2")
def test_knobs_of_a_plugin_move_at_the_very_frame():
    """A moving plan's breakpoints lie on the plugin's grid: a gain jumps at the frame that each of them names."""
    gear = open_gear(COMPRESSOR)
    knobs = choose_knobs(gear, ["mak=0:20"])
    track = moving_plan(knobs, sample_rate=RATE, minutes=0.2)[0].track
    assert track is not None
    dry = Audio(samples=np.full((1, RATE * 10), 0.01, np.float32), sample_rate=RATE)
    with PluginRig(gear, knobs, sample_rate=RATE) as rig:
        wet = rig.play(dry, track, on_done=unheard).samples[0]
    expected = np.zeros(dry.frames)
    for point in track.breakpoints:
        expected[point.frame :] = 0.01 * 10 ** (float(point.settings["mak"]) / 20)
    assert len([point for point in track.breakpoints if point.frame < dry.frames]) > 5
    # The compressor at rest is a gain; its own rounding to single precision leaves a thousandth of a percent.
    np.testing.assert_allclose(wet, expected, rtol=1e-5)


@pytest.mark.usefixtures("lv2")
def test_a_ramp_of_a_plugin_slides_in_steps_of_its_grid():
    """Within a ramp each 64 frames sound as the setting does at which they begin, and no frame is lost."""
    gear = open_gear(COMPRESSOR)
    knobs = choose_knobs(gear, ["mak=0:20"])
    points = (
        Breakpoint(frame=0, settings={"mak": 0.0}),
        Breakpoint(frame=6400, settings={"mak": 20.0}, ramp_frames=6400),
    )
    with PluginRig(gear, knobs, sample_rate=RATE) as rig:
        wet = rig.play(DRY, KnobTrack(breakpoints=points), on_done=unheard).samples[0]
    steps = np.clip((np.arange(20_000) // 64 * 64 - 6400) / 6400, 0, 1)
    np.testing.assert_allclose(wet, 0.1 * 10 ** (20 * steps / 20), rtol=1e-5)


@pytest.mark.usefixtures("lv2")
def test_plugins_and_effects_stand_in_one_chain(tmp_path: Path, vst3: Path):
    """A chain of an effect, an LV2 and a VST3 beside the file plays what its parts play one after the other."""
    (tmp_path / "ZamEQ2.vst3").symlink_to(vst3 / "ZamEQ2.vst3")
    slots = [
        {"id": "boost", "kind": "pedalboard", "ref": "Gain", "settings": {"gain_db": 6}},
        {"id": "screamer", "kind": "plugin", "ref": TUBE_SCREAMER, "settings": {"fslider2_": 0.9}},
        {"id": "eq", "kind": "plugin", "ref": "ZamEQ2.vst3"},
    ]
    (tmp_path / "chain.json").write_text(json.dumps({"version": 0, "slots": slots}))
    gear = open_gear(str(tmp_path / "chain.json"))
    ids = {knob.id: knob.default for knob in gear_knobs(gear)}
    assert (ids["screamer.fslider2_"], ids["boost.gain_db"], ids["eq.boost_cut_1_db"]) == (
        0.9,
        6.0,
        pytest.approx(0, abs=1e-5),
    )
    knobs = choose_knobs(gear, ["boost_cut_1_db=-20:20"])
    dry = Audio(samples=np.random.default_rng(0).normal(0, 0.1, (1, 9600)).astype(np.float32), sample_rate=RATE)
    with PluginRig(gear, knobs, sample_rate=RATE) as rig:
        wet = rig.play(dry, KnobTrack.still({"eq.boost_cut_1_db": 12}), on_done=unheard)
        again = rig.play(dry, KnobTrack.still({"eq.boost_cut_1_db": 12}), on_done=unheard)
    expected = PedalboardEffect("Gain", {"gain_db": 6}).process(dry.samples, RATE)
    for ref, settings in ((TUBE_SCREAMER, {"fslider2_": 0.9}), (str(tmp_path / "ZamEQ2.vst3"), {"boost_cut_1_db": 12})):
        with HostedPlugin(ref, settings) as plugin:
            expected = plugin.process(expected, RATE)
    assert np.array_equal(wet.samples, expected)
    assert np.array_equal(again.samples, wet.samples)


def planned() -> list[PlannedTake]:
    """Return three short takes at settings of their own."""
    return [
        PlannedTake(number=number, form="short", seed=number, settings={"fslider2_": number / 2}) for number in range(3)
    ]


@pytest.mark.usefixtures("lv2")
def test_a_plugin_killed_in_mid_take_costs_that_take_alone(tmp_path: Path):
    """One clear error; what was recorded before is whole, and the next run records what is missing."""
    gear = open_gear(TUBE_SCREAMER)
    knobs = choose_knobs(gear, ["fslider2_=0:1"])
    session = CaptureSession(gear=gear, knobs=knobs, sample_rate=RATE)
    folder = SessionFolder.create(tmp_path / "session", session)
    with PluginRig(gear, knobs, sample_rate=RATE) as rig:
        plugin = rig.processors["effect"]
        assert isinstance(plugin, HostedPlugin)

        def kill(progress: Progress) -> None:
            if progress.done > 0.5:
                os.kill(plugin.pid, signal.SIGKILL)

        with pytest.raises(GearError, match=r"gxts9#ts9sim crashed while playing: .*SIGKILL"):
            record(folder, rig, planned(), on_progress=kill)
    found = SessionFolder.open(tmp_path / "session")
    assert [take.number for take in found.session.takes] == [0]
    assert found.wet_of(found.session.takes[0]).frames == found.session.takes[0].frames
    with PluginRig(gear, knobs, sample_rate=RATE) as rig:
        record(SessionFolder.create(tmp_path / "session", session), rig, planned())
    assert [take.number for take in SessionFolder.open(tmp_path / "session").session.takes] == [0, 1, 2]


@pytest.mark.usefixtures("lv2")
def test_a_session_goes_on_with_the_same_plugin_only(tmp_path: Path):
    """Another version of the plugin is other gear: the session is not gone on with."""
    gear = open_gear(TUBE_SCREAMER)
    session = CaptureSession(gear=gear, knobs=(), sample_rate=RATE)
    SessionFolder.create(tmp_path / "session", session)
    SessionFolder.create(tmp_path / "session", session)
    assert gear.chain is not None
    newer = replace(gear.chain.slots[0], version="GxTubeScreamer 99.0")
    with pytest.raises(SessionError, match="other gear"):
        SessionFolder.create(
            tmp_path / "session", replace(session, gear=replace(gear, chain=replace(gear.chain, slots=(newer,))))
        )


@pytest.mark.usefixtures("lv2")
def test_stereo_answers_are_found(tmp_path: Path):
    """A chorus that answers mono in stereo is averaged, and its take says so; a tube screamer's says nothing."""
    for ref, kinds in ((f"lv2:{GUITARIX}gx_chorus_stereo#_chorus_stereo", ["stereo"]), (TUBE_SCREAMER, [])):
        gear = open_gear(ref)
        folder = SessionFolder.create(tmp_path / gear.name, CaptureSession(gear=gear, knobs=(), sample_rate=RATE))
        with PluginRig(gear, (), sample_rate=RATE) as rig:
            record(folder, rig, [PlannedTake(number=0, form="short", seed=1, settings={})])
        found = [each.kind for each in folder.session.takes[0].findings if each.kind == "stereo"]
        assert found == kinds


@pytest.mark.parametrize("plugin", ["lv2:urn:nobody:knows", "/nowhere/amp.vst3"])
def test_a_plugin_that_is_not_there_is_refused(lv2: None, plugin: str):
    """Both kinds are refused by name as the gear is opened."""
    with pytest.raises(GearError, match=plugin.removeprefix("lv2:")):
        open_gear(plugin)
