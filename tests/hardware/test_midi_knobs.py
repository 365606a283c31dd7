"""Knobs turned over MIDI, through a JACK server, as another program receives them."""

import faulthandler
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import mido
import pytest

from capture.midi_knobs import MidiKnobs
from capture.midi_map import parse_midi_knob
from capture.midi_port import midi_ports, open_midi
from profiler.errors import GearError, KnobError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack

pytestmark = pytest.mark.hardware

RATE = 48_000
KNOBS = (
    Knob(id="gain", name="Gain", maximum=10.0),
    Knob(id="level", name="Level", maximum=10.0),
    Knob(id="voice", name="Voice", choices=("clean", "lead"), default="clean"),
)
MAP = tuple(map(parse_midi_knob, ("gain=cc:74", "level=nrpn:1:32@2", "voice=pc")))


class Gear:
    """A program that listens at a MIDI port of its own, and notes what comes and when."""

    def __init__(self, client: str) -> None:
        self.heard: list[tuple[float, mido.Message]] = []
        command = [sys.executable, str(Path(__file__).with_name("midi_pedal.py")), client]
        self._program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._listening.wait(20):
            self.close()
            pytest.fail("the gear's program does not listen after 20 s")

    def _read(self) -> None:
        for line in self._program.stdout or ():
            if line.startswith("listening"):
                self._listening.set()
            else:
                at, _, message = line.strip().partition(" ")
                self.heard.append((float(at), mido.Message.from_str(message)))

    def messages(self, count: int) -> list[str]:
        """Return what came, once so much has."""
        until = time.monotonic() + 5
        while len(self.heard) < count and time.monotonic() < until:
            time.sleep(0.01)
        return [str(message).partition(" time=")[0] for _, message in self.heard]

    def close(self) -> None:
        """Switch it off, by force if it does not end by itself."""
        assert self._program.stdin
        self._program.stdin.close()
        try:
            self._program.wait(10)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait(5)
        self._reader.join(5)
        assert self._program.stdout
        self._program.stdout.close()


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """A test that hangs, even in C with Python's lock held, ends the run with every thread's stack after a minute."""
    faulthandler.dump_traceback_later(60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def gear(jack) -> Iterator[Gear]:
    """Gear that is switched on."""
    found = Gear("pedal")
    yield found
    found.close()


def test_gear_hears_what_is_turned(gear):
    """Every knob arrives by its controller, NRPN or program, in order, and turning waits until it has settled."""
    with MidiKnobs(open_midi("pedal in"), KNOBS, MAP, settle_seconds=0.2) as knobs:
        assert knobs.turns == {"gain", "level", "voice"}
        begun = time.monotonic()
        knobs.turn({"gain": 5.0, "level": 10.0, "voice": "lead"})
        assert time.monotonic() - begun >= 0.2
        heard = gear.messages(6)
    controls = [(0, 74, 64), (1, 99, 1), (1, 98, 32), (1, 6, 127), (1, 38, 127)]
    assert heard == [
        *(f"control_change channel={channel} control={number} value={value}" for channel, number, value in controls),
        "program_change channel=0 program=1",
    ]
    assert all(at - begun < 0.2 for at, _ in gear.heard)


def test_a_track_is_followed_in_time(gear):
    """Jumps and a ramp arrive when the clock comes there, within a tenth of a second of a busy machine."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"gain": 0.0, "voice": "clean"}),
            Breakpoint(frame=RATE // 2, settings={"gain": 10.0}),
            Breakpoint(frame=RATE, settings={"gain": 0.0, "voice": "lead"}, ramp_frames=RATE // 2),
        )
    )
    with MidiKnobs(open_midi("pedal in"), KNOBS, MAP) as knobs:
        begun = time.monotonic()
        knobs.follow(track, RATE, lambda: (time.monotonic() - begun) * RATE)
        gear.messages(103)
    gains = [(at - begun, message.value) for at, message in gear.heard if message.type == "control_change"]
    assert gains[0][1] == 0
    assert gains[1][1] == 127
    assert gains[1][0] == pytest.approx(0.5, abs=0.1)
    ramp = gains[2:]
    assert len(ramp) > 90  # a step each 5 ms
    assert [value for _, value in ramp] == sorted((value for _, value in ramp), reverse=True)
    assert ramp[-1][1] == 0
    for at, value in ramp:
        assert at == pytest.approx(1.0 + 0.5 * (1 - value / 127), abs=0.1)
    programs = [(at - begun, message.program) for at, message in gear.heard if message.type == "program_change"]
    assert [program for _, program in programs] == [0, 1]
    assert programs[1][0] == pytest.approx(1.0, abs=0.1)
    assert 0 <= knobs.late_seconds < 0.1


def test_following_can_be_stopped(gear):
    """A take that ends early stops its knobs; a clock that stands still is told by name."""
    track = KnobTrack(
        breakpoints=(Breakpoint(frame=0, settings={"gain": 0.0}), Breakpoint(frame=RATE, settings={"gain": 9.0}))
    )
    stop = threading.Event()
    with MidiKnobs(open_midi("pedal in"), KNOBS, MAP) as knobs:
        threading.Timer(0.2, stop.set).start()
        knobs.follow(track, RATE, lambda: None if stop.is_set() else 0.0)
        assert len(gear.messages(1)) == 1
        with pytest.raises(GearError, match="stands still at frame 7"):
            knobs.follow(track, RATE, lambda: 7.0)


def test_a_port_that_is_not_there_is_told(gear):
    """With what there is, and so is a name that fits several."""
    assert any("pedal in" in port for port in midi_ports())
    with pytest.raises(GearError, match=r"'fx8' is no MIDI port here. There are: .*pedal in"):
        open_midi("fx8")
    other = Gear("second")
    try:
        with pytest.raises(GearError, match="'pedal in' means several MIDI ports"):
            open_midi("pedal in")
    finally:
        other.close()


def test_wrong_maps_and_knobs_are_told(gear):
    """A knob that is not in the map, a value out of its range, a map of strange knobs; nothing is sent then."""
    port = open_midi("pedal in")
    with pytest.raises(KnobError, match=r"--midi presence: that is not a knob of this capture\. It has: gain, level"):
        MidiKnobs(port, KNOBS, [parse_midi_knob("presence=cc:1")])
    with pytest.raises(KnobError, match="names one twice"):
        MidiKnobs(port, KNOBS, [MAP[0], MAP[0]])
    with MidiKnobs(port, KNOBS, MAP[:1], settle_seconds=0) as knobs:
        with pytest.raises(KnobError, match="Knob voice is not in the MIDI map, which has: gain"):
            knobs.turn({"gain": 1.0, "voice": "lead"})
        with pytest.raises(KnobError, match="gain cannot stand at 11"):
            knobs.turn({"gain": 11.0})
        with pytest.raises(KnobError, match="voice is not in the MIDI map"):
            knobs.follow(KnobTrack.still({"gain": 1.0, "voice": "lead"}), RATE, lambda: 0.0)
        assert knobs.reached({"gain": 5.0})["gain"] == pytest.approx(640 / 127)
    assert gear.heard == []
