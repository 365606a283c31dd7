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
from profiler.knob_track import KnobTrack
from profiler.session_folder import SessionFolder

pytestmark = [pytest.mark.hardware, pytest.mark.usefixtures("lv2")]

RATE = 48_000
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
        return subprocess.run(whole, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200, check=False)

    return run


@pytest.fixture
def offline() -> Iterator[Callable[[Audio, dict[str, float | str]], np.ndarray]]:
    """A function that returns what the pedal makes of a dry signal at settings of `drive` and `level`, by itself."""
    gear = open_gear(f"lv2:{TS9}")
    with PluginRig(gear, choose_knobs(gear, ["fslider2_=0:1", "fslider0_=-20:4"]), sample_rate=RATE) as rig:

        def play(dry: Audio, settings: dict[str, float | str]) -> np.ndarray:
            values = {"fslider2_": settings["drive"], "fslider0_": settings["level"]}
            return rig.play(dry, KnobTrack.still(values), on_done=lambda _: None).samples[0]

        yield play


def test_midi_turns_knobs_for_an_unattended_capture(pedal, tonecast, offline, tmp_path: Path):
    """Nobody is asked; every take is the pedal at the settings that are kept, which are values that MIDI has.

    The map is in the session: a capture that was stopped goes on, and more is recorded, without it being named again.
    """
    wanted = ("capture", "hardware", "--interface", "amp", *KNOBS, *MAP, "--send-db", -18, "--captures", 2)
    done = tonecast(*wanted, "--seconds", 7, "--out", tmp_path / "s", "--seed", 3)
    assert done.returncode == 0, done.stderr
    assert "drive is heard " in done.stdout
    assert "Press" not in done.stderr
    folder = SessionFolder.open(tmp_path / "s")
    assert folder.session.wiring is not None
    assert folder.session.wiring.midi is not None
    assert folder.session.wiring.midi.sent_as == ("drive=cc:74", "level=cc:75")
    assert len(folder.session.takes) == 5
    for take in folder.session.takes:
        assert take.settings is not None
        for id_, low, way in (("drive", 0.0, 1.0), ("level", -20.0, 24.0)):
            value = float(take.settings[id_])
            assert (value - low) / way * 127 == pytest.approx(round((value - low) / way * 127), abs=1e-6)
        dry = folder.dry_of(take)
        sent = Audio(samples=dry.samples * np.float32(10 ** (-18 / 20)), sample_rate=RATE)
        wet = folder.wet_of(take).samples[0][1024:][: dry.frames]
        plugin = offline(sent, dict(take.settings))
        assert np.sum((wet - plugin) ** 2) < 1e-3 * np.sum(plugin**2)

    last = folder.session.takes[-1]
    manifest = json.loads((tmp_path / "s" / "session.json").read_text())
    manifest["takes"] = manifest["takes"][:-1]  # as after a kill before the last
    (tmp_path / "s" / "session.json").write_text(json.dumps(manifest))
    resumed = tonecast("capture", "hardware", "--resume", tmp_path / "s")
    assert resumed.returncode == 0, resumed.stderr
    again = SessionFolder.open(tmp_path / "s").session.takes[-1]
    assert (again.number, again.settings) == (last.number, last.settings)


def test_a_moving_take_says_when_its_moves_were_heard(pedal, tonecast, offline, tmp_path: Path):
    """The knob track that is kept is on time with the return: to the middle of a period, and within about one."""
    wanted = ("capture", "hardware", "--interface", "amp", *KNOBS, *MAP, "--send-db", -18, "--moving", "--minutes", 0.6)
    done = tonecast(*wanted, "--out", tmp_path / "s")
    assert done.returncode == 0, done.stderr
    folder = SessionFolder.open(tmp_path / "s")
    take = folder.session.takes[0]
    assert take.settings is None
    assert "knob-delay" in {finding.kind for finding in take.findings}
    dry, points = folder.dry_of(take), folder.track_of(take).breakpoints
    sent = Audio(samples=dry.samples * np.float32(10 ** (-18 / 20)), sample_rate=RATE)
    wet = folder.wet_of(take).samples[0][take.latency_frames :][: dry.frames]
    late = []
    before = offline(sent, dict(points[0].settings))
    for point in points[1:12]:
        after = offline(sent, dict(point.settings))
        at = np.arange(point.frame - 4800, point.frame + 4800)
        if np.sum((before[at] - after[at]) ** 2) > 0.02 * np.sum(wet[at] ** 2):
            turning = np.cumsum((wet[at] - before[at]) ** 2 - (wet[at] - after[at]) ** 2)
            late.append(int(np.argmin(turning)) + 1 - 4800)
        before = after
    assert len(late) >= 6
    assert abs(np.median(late)) < 512
    assert np.abs(late).max() < 2.5 * 1024
    assert len(take.masked) >= 6


def test_a_wrong_controller_is_told_before_the_first_take(pedal, tonecast, tmp_path: Path):
    """Knobs that nobody hears turn are no capture: all takes would be at one setting."""
    wrong = ("--midi", "drive=cc:20", "--midi", "level=cc:21", "--midi-port", "amp midi")
    done = tonecast(
        "capture", "hardware", "--interface", "amp", *KNOBS, *wrong, "--send-db", -18, "--out", tmp_path / "s"
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
