"""The hardware rig: real effects behind JACK, told apart from their own offline output by next to nothing."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture.gear import open_gear
from capture.hardware_rig import HardwareRig
from capture.knob_turner import HandTurner
from capture.plan import PlannedTake
from capture.plugin_rig import PluginRig
from capture.recorder import PlayedTake, keep_take, play_take
from capture.set_up import Level, find_level
from capture.take_judge import judge_take
from profiler.checks import check_session
from profiler.errors import GearError, TakeRejectedError
from profiler.knob_track import KnobTrack
from profiler.session import CaptureSession, Gear, Wiring
from profiler.session_folder import SessionFolder
from profiler.split import Split, divide

pytestmark = pytest.mark.hardware

RATE = 48_000
PERIOD_FRAMES = 1024
AMP = "http://guitarix.sourceforge.net/plugins/gx_amp#GUITARIX"
GEAR = Gear(name="Amp", kind="hardware")
SHORT = PlannedTake(number=0, form="brief", seed=5, seconds=8.0, settings={})
SHORT_FRAMES = 8 * RATE - 1000


def rig_of(wiring: Wiring) -> HardwareRig:
    """Return a rig without knobs."""
    return HardwareRig(GEAR, (), wiring, sample_rate=RATE, turner=HandTurner(lambda _: None))


def kept(tmp_path: Path, wiring: Wiring, *takes: PlayedTake) -> SessionFolder:
    """Return a session of these takes."""
    session = CaptureSession(gear=GEAR, knobs=(), sample_rate=RATE, wiring=wiring)
    folder = SessionFolder.create(tmp_path / "session", session)
    for take in takes:
        keep_take(folder, take)
    return SessionFolder.open(tmp_path / "session")


def errors(played: PlayedTake) -> set[str]:
    """Return the kinds of findings for which a take should be recorded again."""
    return {each.kind for each in judge_take(played) if each.severity == "error"}


@pytest.mark.usefixtures("lv2")
def test_an_amp_through_jack_is_its_own_offline_output(jack, wired: Callable[..., Wiring], tmp_path: Path):
    """A take of guitarix's amp is kept raw with its latency, passes, and is what the plugin plays by itself."""
    jack.plug_effect(AMP)
    wiring = wired("amp")
    played = play_take(rig_of(wiring), SHORT)
    assert played.latency_frames == PERIOD_FRAMES
    assert played.measured_latency_frames == pytest.approx(PERIOD_FRAMES, abs=1.0)
    assert played.wet.frames == played.dry.frames + RATE
    assert errors(played) == set()

    folder = kept(tmp_path, wiring, played)
    (take,) = folder.session.takes
    assert folder.session.wiring == wiring
    assert np.array_equal(folder.wet_of(take).samples, played.wet.samples)
    dry, wet = folder.excerpt(take, 0, played.dry.frames)
    with PluginRig(open_gear(f"lv2:{AMP}"), (), sample_rate=RATE) as plugin:
        offline = plugin.play(played.dry, KnobTrack.still({}), on_done=lambda _: None).samples
    assert np.array_equal(dry, played.dry.samples)
    error = float(np.sum((wet - offline) ** 2) / np.sum(offline**2))
    assert error < 1e-6
    assert check_session(folder).makes_sense
    assert divide(folder.session, Split()).train


def test_latency_is_that_of_each_take(jack, wired: Callable[..., Wiring]):
    """A detour of a period is told when the way changes between takes; by a loopback it is the gear's own and stays."""
    jack.plug_thru()
    straight = wired("thru")
    rigs = [rig_of(each) for each in (straight, replace(straight, return_channel=2))]
    rigs.append(rig_of(replace(straight, return_channel=2, loopback_channel=1)))
    jack.connect("thru:output_1", "thru:input_2")  # a loop, which JACK delays by a period
    plain, late, looped = (play_take(rig, SHORT) for rig in rigs)
    for played, periods in ((plain, 1), (late, 2), (looped, 1)):
        assert played.latency_frames == periods * PERIOD_FRAMES
        assert played.measured_latency_frames == pytest.approx(periods * PERIOD_FRAMES, abs=0.05)
        assert played.polarity == 1
    assert looped.loopback is not None
    for found, periods in ((late.wet, 2), (looped.wet, 2), (looped.loopback, 1)):
        begin = periods * PERIOD_FRAMES
        assert np.array_equal(found.samples[:, begin:][:, :SHORT_FRAMES], plain.dry.samples[:, :SHORT_FRAMES])


def test_a_take_whose_gear_is_unplugged_is_to_be_redone(jack, wired: Callable[..., Wiring]):
    """Pulled out in the midst of it, the return falls silent and the judge says so; before it, it is not there."""
    program = jack.plug_thru()
    rig = rig_of(wired("thru"))
    puller = threading.Timer(6.5, program.kill)
    puller.start()
    played = play_take(rig, SHORT)
    puller.join()
    assert "cut-off" in errors(played)
    with pytest.raises(GearError, match="thru is gone"):
        play_take(rig, SHORT)


def test_a_silent_return_is_told(jack, wired: Callable[..., Wiring]):
    """Send and return that are not connected give a silent take, and set-up goes no louder than it must to know."""
    jack.plug_thru("one")
    jack.plug_thru("two")
    wiring = replace(wired("one"), input="two")
    assert "silent" in errors(play_take(rig_of(wiring), SHORT))
    heard: list[Level] = []
    with pytest.raises(GearError, match=r"return is silent, with -24 dBFS sent"):
        find_level(wiring, RATE, on_level=heard.append)
    assert [each.send_db for each in heard] == [-60, -48, -36, -24]
    with pytest.raises(TakeRejectedError, match="loopback is silent"):
        play_take(rig_of(replace(wiring, input="one", loopback_channel=2)), SHORT)


def test_a_bypassed_effect_is_refused_at_set_up(jack, wired: Callable[..., Wiring]):
    """A cable in place of gear gives back what was sent."""
    jack.plug_thru()
    with pytest.raises(GearError, match="what was sent, unchanged"):
        find_level(wired("thru"), RATE)


@pytest.mark.usefixtures("lv2")
def test_set_up_finds_a_level_that_does_not_clip(jack, wired: Callable[..., Wiring]):
    """The level goes up step by step, and ends at the loudest that came back clean."""
    jack.plug_effect(AMP)
    heard: list[Level] = []
    found = find_level(wired("amp"), RATE, on_level=heard.append)
    assert [each.send_db for each in heard][:4] == [-60, -48, -36, -24]
    assert found in heard
    assert found.return_db > -40
