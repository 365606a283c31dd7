"""Gear that turns its own knobs, captured by the command: a plugin in jalv whose controls follow JACK MIDI."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from capture.gear import choose_knobs, open_gear
from capture.midi_port import MidiPort, midi_ports, open_midi
from capture.plugin_rig import PluginRig
from profiler.audio import Audio
from profiler.errors import GearError
from profiler.knob import KnobSettings
from profiler.knob_track import KnobTrack
from profiler.session import MidiControl, Take
from profiler.session_folder import SessionFolder

pytestmark = [pytest.mark.hardware, pytest.mark.usefixtures("lv2")]

RATE = 48_000
PERIOD_FRAMES = 1024
SEND_DB = -18
TS9 = "http://guitarix.sourceforge.net/plugins/gxts9#ts9sim"
MAP = ("--midi", "drive=cc:74", "--midi", "level=cc:75", "--midi-port", "amp midi")
KNOBS = ("--knob", "drive=0:1", "--knob", "level=-20:4")


@pytest.fixture
def pedal(jack) -> Iterator[None]:
    """An overdrive at interface `amp`, whose drive and level follow controllers 74 and 75 at port `amp midi`."""
    script = str(Path(__file__).with_name("midi_amp.py"))
    program = jack.plug("amp", sys.executable, script, "amp", TS9, "74=fslider2_:0:1", "75=fslider0_:-20:4")
    until = time.monotonic() + 20
    while not any("amp midi" in port for port in midi_ports()):
        assert time.monotonic() < until, "the pedal's MIDI port does not appear"
    yield
    program.stdin.close()  # it ends its plugin before itself
    program.wait(10)


@pytest.fixture
def tonecast(command: list[str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs the command without a terminal."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        whole = [*command, *map(str, words)]
        return subprocess.run(whole, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400, check=False)

    return run


@pytest.fixture
def offline() -> Iterator[Callable[[Audio, KnobSettings], np.ndarray]]:
    """A function that returns what the pedal makes of a dry signal at settings of `drive` and `level`, by itself."""
    gear = open_gear(f"lv2:{TS9}")
    with PluginRig(gear, choose_knobs(gear, ["fslider2_=0:1", "fslider0_=-20:4"]), sample_rate=RATE) as rig:

        def play(dry: Audio, settings: KnobSettings) -> np.ndarray:
            values = {"fslider2_": settings["drive"], "fslider0_": settings["level"]}
            return rig.play(dry, KnobTrack.still(values), on_done=lambda _: None).samples[0]

        yield play


def sent(folder: SessionFolder, take: Take) -> Audio:
    """Return the dry of a take as loud as it was sent."""
    return Audio(samples=folder.dry_of(take).samples * np.float32(10 ** (SEND_DB / 20)), sample_rate=RATE)


def lateness(folder: SessionFolder, take: Take, offline: Callable[..., np.ndarray]) -> list[int]:
    """Return by how many frames the moves of a moving take are heard later than its knob track says."""
    points = folder.track_of(take).breakpoints
    dry = sent(folder, take)
    wet = folder.wet_of(take).samples[0][take.latency_frames :][: dry.frames]
    found = []
    before = offline(dry, points[0].settings)
    for point in points[1:12]:
        after = offline(dry, point.settings)
        at = np.arange(point.frame - 4800, point.frame + 4800)
        if np.sum((before[at] - after[at]) ** 2) > 0.02 * np.sum(wet[at] ** 2):
            turning = np.cumsum((wet[at] - before[at]) ** 2 - (wet[at] - after[at]) ** 2)
            found.append(int(np.argmin(turning)) + 1 - 4800)
        before = after
    return found


def check_moves(folder: SessionFolder, moving: Take, offline: Callable[..., np.ndarray]) -> None:
    """Check that a moving take says when its moves were heard, and leaves out what is not sure."""
    assert moving.settings is None
    assert "knob-delay" in {finding.kind for finding in moving.findings}
    assert len(moving.masked) >= 6
    late = lateness(folder, moving, offline)
    assert len(late) >= 6
    assert abs(np.median(late)) < PERIOD_FRAMES / 2
    assert np.abs(late).max() < 2.5 * PERIOD_FRAMES  # a message waits for the next period twice: here and at the pedal


def test_midi_turns_knobs_for_an_unattended_capture(pedal, tonecast, offline, tmp_path: Path):
    """Nobody is asked. Takes are the pedal at values that MIDI has, and a moving one says when its moves were heard.

    The map is in the session: a capture that was stopped goes on without it being named again.
    """
    wanted = ("capture", "hardware", "--interface", "amp", *KNOBS, *MAP, "--send-db", SEND_DB)
    done = tonecast(*wanted, "--moving", "--minutes", 1, "--out", tmp_path / "s")
    assert done.returncode == 0, done.stderr
    assert "drive is heard " in done.stdout
    assert "Press" not in done.stderr
    folder = SessionFolder.open(tmp_path / "s")
    assert folder.session.wiring is not None
    assert folder.session.wiring.midi == MidiControl(port="amp midi", sent_as=("drive=cc:74", "level=cc:75"))
    moving, *still = folder.session.takes
    assert len(still) == 3
    for take in still:
        assert take.settings is not None
        for id_, low, way in (("drive", 0.0, 1.0), ("level", -20.0, 24.0)):
            step = (float(take.settings[id_]) - low) / way * 127
            assert step == pytest.approx(round(step), abs=1e-6)
        plugin = offline(sent(folder, take), take.settings)
        wet = folder.wet_of(take).samples[0][PERIOD_FRAMES:][: len(plugin)]
        assert np.sum((wet - plugin) ** 2) < 1e-3 * np.sum(plugin**2)

    check_moves(folder, moving, offline)

    last = still[-1]
    (tmp_path / "s" / last.file).unlink()  # as a kill in the midst of it leaves it
    manifest = json.loads((tmp_path / "s" / "session.json").read_text())
    manifest["takes"].pop()
    (tmp_path / "s" / "session.json").write_text(json.dumps(manifest))
    resumed = tonecast("capture", "hardware", "--resume", tmp_path / "s")
    assert resumed.returncode == 0, resumed.stderr
    again = SessionFolder.open(tmp_path / "s").session.takes
    assert [take.number for take in again] == [0, 1, 2, 3]
    assert again[-1].settings == last.settings
    assert again[:-1] == folder.session.takes[:-1]


def test_a_wrong_controller_is_told_before_the_first_take(pedal, tonecast, tmp_path: Path):
    """Knobs that nobody hears turn are no capture: all takes would be at one setting."""
    wrong = ("--midi", "drive=cc:20", "--midi", "level=cc:21", "--midi-port", "amp midi")
    done = tonecast(
        "capture", "hardware", "--interface", "amp", *KNOBS, *wrong, "--send-db", SEND_DB, "--out", tmp_path / "s"
    )
    assert done.returncode == 2
    assert "Nothing that was sent to MIDI port 'amp midi' is heard: drive=cc:20, level=cc:21" in done.stderr
    assert not (tmp_path / "s").exists()


def send_until_full(port: MidiPort) -> None:
    """Send more than JACK's buffer holds."""
    for _ in range(1000):
        port.send([("control_change", 0, 74, 1)] * 100)


def test_a_server_that_stands_still_holds_nobody_for_long(pedal, jack):
    """With the port open, sending, opening, listing and closing end in seconds, in an error that names the port."""
    port = open_midi("amp midi")
    jack.server.send_signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(GearError, match=r"MIDI port 'amp midi.*' takes nothing any more"):
            send_until_full(port)
        assert time.monotonic() - begun < 20
        begun = time.monotonic()
        port.close()
        assert time.monotonic() - begun < 3
        begun = time.monotonic()
        with pytest.raises(GearError, match=r"cannot be listed|does not open|is no MIDI port here"):
            open_midi("amp midi")
        assert time.monotonic() - begun < 40
    finally:
        os.kill(jack.server.pid, signal.SIGCONT)
