"""The hardware rig: real effects behind JACK, told apart from their own offline output by next to nothing."""

import subprocess
import sys
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
from profiler.errors import GearError
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
    assert PERIOD_FRAMES <= played.latency_frames <= PERIOD_FRAMES + 2  # an amp's filters look like a little delay
    assert played.wet.frames == played.dry.frames + RATE
    assert errors(played) == set()

    folder = kept(tmp_path, wiring, played)
    (take,) = folder.session.takes
    assert folder.session.wiring == wiring
    assert np.array_equal(folder.wet_of(take).samples, played.wet.samples)
    assert np.array_equal(folder.dry_of(take).samples, played.dry.samples)
    wet = played.wet.samples[:, PERIOD_FRAMES:][:, : played.dry.frames]
    with PluginRig(open_gear(f"lv2:{AMP}"), (), sample_rate=RATE) as plugin:
        offline = plugin.play(played.dry, KnobTrack.still({}), on_done=lambda _: None).samples
    error = float(np.sum((wet - offline) ** 2) / np.sum(offline**2))
    assert error < 1e-6
    assert check_session(folder).makes_sense
    assert divide(folder.session, Split())[0]


def test_latency_is_that_of_each_take(jack, wired: Callable[..., Wiring]):
    """A detour of a period is latency as far as the return tells; beside a loopback it is the gear's own, and stays."""
    jack.plug_thru()
    straight = wired("thru")
    jack.plug_thru("two")
    jack.connect("thru:output_1", "two:input_1")
    jack.connect("two:output_1", "thru:input_2")  # a loop, which JACK delays by a period
    rigs = [rig_of(replace(straight, return_channel=2, loopback_channel=each)) for each in (None, 1)]
    late, looped = (play_take(rig, SHORT) for rig in rigs)
    for played, periods in ((late, 2), (looped, 1)):
        assert played.latency_frames == periods * PERIOD_FRAMES
        assert played.measured_latency_frames == pytest.approx(periods * PERIOD_FRAMES, abs=0.05)
        assert played.polarity == 1
    assert looped.loopback is not None
    for found, periods in ((late.wet, 2), (looped.wet, 2), (looped.loopback, 1)):
        begin = periods * PERIOD_FRAMES
        assert np.array_equal(found.samples[:, begin:][:, :SHORT_FRAMES], late.dry.samples[:, :SHORT_FRAMES])


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
    heard: list[Level] = []
    with pytest.raises(GearError, match=r"return is silent, with -24 dBFS sent"):
        find_level(wiring, RATE, on_level=heard.append)
    assert [each.send_db for each in heard] == [-60, -48, -36, -24]
    played = play_take(rig_of(wiring), SHORT)
    assert "silent" in errors(played)
    assert (played.latency_frames, played.measured_latency_frames) == (0, None)


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


CAPTURING = """
import sys
from pathlib import Path
from capture.hardware_rig import HardwareRig
from capture.interface import find_interface
from capture.knob_turner import HandTurner
from capture.plan import PlannedTake
from capture.recorder import record
from profiler.session import CaptureSession, Gear, Wiring
from profiler.session_folder import SessionFolder

found = find_interface("thru")
wiring = Wiring(output="thru", input="thru", host=found.host)
gear = Gear(name="Cable", kind="hardware")
folder = SessionFolder.create(Path(sys.argv[1]), CaptureSession(gear=gear, knobs=(), sample_rate=48_000, wiring=wiring))
turner = HandTurner(lambda settings: print("turned", flush=True))
rig = HardwareRig(gear, (), wiring, sample_rate=48_000, turner=turner, earlier=lambda: folder.session.takes)
plan = [PlannedTake(number=n, form="brief", seed=n, seconds=7.0, settings={}) for n in (0, 1)]
record(folder, rig, plan, on_progress=lambda progress: print(progress.done, flush=True))
"""


def test_a_capture_killed_in_mid_take_goes_on(jack, tmp_path: Path):
    """kill -9 while the second take plays leaves the first; the same again records what is missing and no more."""
    jack.plug_thru()
    command = [sys.executable, "-c", CAPTURING, str(tmp_path / "session")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith("turned") and float(line) > 0.7:
                break
        process.kill()
    before = SessionFolder.open(tmp_path / "session")
    assert [take.number for take in before.session.takes] == [0]
    first = before.wet_of(before.session.takes[0]).samples
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.count("turned") == 1
    after = SessionFolder.open(tmp_path / "session")
    assert [take.number for take in after.session.takes] == [0, 1]
    assert after.session.takes[0] == before.session.takes[0]
    assert np.array_equal(after.wet_of(after.session.takes[0]).samples, first)
    for take in after.session.takes:
        dry, wet = after.dry_of(take).samples, after.wet_of(take).samples
        assert np.array_equal(wet[:, take.latency_frames :][:, : dry.shape[1]], dry)
