"""One's own playing through real effects behind JACK: what is added to the session, and what training makes of it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from capture.gear import open_gear
from capture.hardware_rig import HardwareRig
from capture.knob_turner import HandTurner
from capture.plan import PlannedTake
from capture.plugin_rig import PluginRig
from capture.recorder import keep_take, play_take
from profiler.audio import Audio
from profiler.audio_file import write_audio
from profiler.knob_track import KnobTrack
from profiler.programme import programme
from profiler.session import CaptureSession, Gear, Take, Wiring
from profiler.session_folder import SessionFolder

pytestmark = [pytest.mark.hardware, pytest.mark.usefixtures("lv2")]

RATE = 48_000
AMP = "http://guitarix.sourceforge.net/plugins/gx_amp#GUITARIX"
SEND_DB = -6.0


def playing(seconds: float, *, seed: int = 77) -> np.ndarray:
    """Return playing that no capture has, of shape (frames,)."""
    return (0.5 * programme(seed, sample_rate=RATE, frames=int(seconds * RATE))).astype(np.float32)


@pytest.fixture
def session(jack, wired: Callable[..., Wiring], tmp_path: Path) -> Path:
    """An amp between an output and input 1 of a desk, whose input 2 is a guitar's, captured in one short take."""
    jack.plug_effect(AMP)
    jack.plug_thru("desk")
    jack.connect("amp:out", "desk:input_1")
    wiring = wired("amp", send_db=SEND_DB)
    wiring = Wiring(output="amp", input="desk", host=wiring.host, send_db=SEND_DB)
    gear = Gear(name="Amp", kind="hardware")
    folder = SessionFolder.create(tmp_path / "s", CaptureSession(gear=gear, knobs=(), sample_rate=RATE, wiring=wiring))
    rig = HardwareRig(gear, (), wiring, sample_rate=RATE, turner=HandTurner(lambda _: None))
    keep_take(folder, play_take(rig, PlannedTake(number=0, form="brief", seed=5, seconds=12.0, settings={})))
    return tmp_path / "s"


def plug_guitar(jack, tmp_path: Path, sound: np.ndarray) -> None:
    """Have a guitarist play into input 2 of the desk, over and over."""
    write_audio(tmp_path / "guitar.wav", Audio(samples=sound[None], sample_rate=RATE))
    script = str(Path(__file__).with_name("guitar.py"))
    command = [sys.executable, script, "desk", "2", str(tmp_path / "guitar.wav")]
    jack.programs.append(subprocess.Popen(command, stdin=subprocess.PIPE))
    time.sleep(3.0)


def error_beside_plugin(folder: SessionFolder, take: Take) -> float:
    """Return the ESR of a take against what the plugin makes of its dry by itself, a second in."""
    dry = folder.dry_of(take)
    sent = Audio(samples=dry.samples * np.float32(10 ** (SEND_DB / 20)), sample_rate=RATE)
    with PluginRig(open_gear(f"lv2:{AMP}"), (), sample_rate=RATE) as plugin:
        offline = plugin.play(sent, KnobTrack.still({}), on_done=lambda _: None).samples[0, RATE:]
    # The amp's own filters look like a frame or two of delay, which a take may have taken for the way there.
    errors = []
    for late in range(take.latency_frames - 2, take.latency_frames + 1):
        wet = folder.wet_of(take).samples[0, late:][: dry.frames][RATE:]
        count = min(len(wet), len(offline))
        errors.append(float(np.sum((wet[:count] - offline[:count]) ** 2) / np.sum(offline[:count] ** 2)))
    return min(errors)


def test_a_guitar_is_passed_on_and_recorded_with_what_returns(jack, session: Path, command: list[str], tmp_path: Path):
    """The dry is the guitar to the bit, the wet what the amp makes of it, in time; the take before is as it was."""
    sound = playing(5.0)
    plug_guitar(jack, tmp_path, sound)
    before = SessionFolder.open(session).session
    done = subprocess.run(
        [*command, "capture", "play", str(session), "--guitar", "2", "--time", "10s", "--json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    folder = SessionFolder.open(session)
    assert folder.session.takes[:1] == before.takes
    (added,) = folder.session.takes[1:]
    assert told["added"] == [added.number] == [1]
    assert added.settings == {}
    dry = folder.dry_of(added).samples[0]
    assert len(dry) == pytest.approx(10 * RATE, abs=1024)
    turned = np.tile(sound, 4)
    spectrum = np.fft.rfft(turned, 1 << 21) * np.conj(np.fft.rfft(dry, 1 << 21))
    at = int(np.argmax(np.fft.irfft(spectrum)[: len(sound)]))
    assert np.array_equal(dry, turned[at : at + len(dry)])
    assert abs(added.latency_frames - before.takes[0].latency_frames) <= 1
    assert error_beside_plugin(folder, added) < 1e-3


def test_silence_and_a_kill_leave_the_session_as_it_was(jack, session: Path, command: list[str]):
    """Nothing played is told; kill -9 while somebody plays loses what was being played and nothing else."""
    before = (session / "session.json").read_bytes()
    words = [*command, "capture", "play", str(session), "--guitar", "2", "--time"]
    done = subprocess.run([*words, "6s"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Input 2 is silent. Is the guitar plugged in there" in done.stderr
    with subprocess.Popen([*words, "60s"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "20%" in line:
                break
        process.kill()
    assert (session / "session.json").read_bytes() == before
    folder = SessionFolder.open(session)
    assert folder.wet_of(folder.session.takes[0]).frames > 12 * RATE
    with folder.writing():
        pass


def test_training_goes_on_with_playing(jack, session: Path, command: list[str], tmp_path: Path):
    """A dry file is played through the amp; the profile that goes on with it errs less on such playing, held out."""

    def run(*words: object) -> dict:
        whole = [*command, *map(str, words), "--json"]
        done = subprocess.run(whole, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    run("train", session, "--out", tmp_path / "p.tonecast", "--steps", 60, "--no-light", "--seed", 1)
    riff = tmp_path / "riff.wav"
    write_audio(riff, Audio(samples=playing(42.0)[None], sample_rate=RATE))
    played = run("capture", "play", session, "--dry", riff)
    assert played["added"] == [1, 2]
    folder = SessionFolder.open(session)
    learnt, scored = folder.session.takes[1:]
    assert (learnt.held_out, scored.held_out) == (False, True)
    assert error_beside_plugin(folder, learnt) < 1e-3
    run(
        *("train", session, "--out", tmp_path / "q.tonecast", "--steps", 60, "--no-light", "--seed", 1),
        *("--warm-start", tmp_path / "p.tonecast"),
    )
    errors = [
        {take["take"]: take["esr"] for take in run("evaluate", tmp_path / name, "--session", session)["takes"]}
        for name in ("p.tonecast", "q.tonecast")
    ]
    assert errors[1][2] < 0.8 * errors[0][2]
