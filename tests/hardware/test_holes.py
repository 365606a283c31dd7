"""Holes: what a busy machine loses on the way is told, and a take that passes lost nothing."""

import shutil
import subprocess
from collections.abc import Callable

import numpy as np
import pytest

from capture.hardware_rig import HardwareRig
from capture.interface import Meter
from capture.knob_turner import HandTurner
from capture.plan import PlannedTake
from capture.recorder import PlayedTake, play_take
from capture.take_judge import judge_take
from profiler.session import Gear, Wiring

pytestmark = pytest.mark.hardware

RATE = 48_000
PERIOD_FRAMES = 1024
TAKE = PlannedTake(number=0, form="brief", seed=5, seconds=8.0, settings={})
TRIES = 3


def played_through(wiring: Wiring, on_meter: Callable[[Meter], None] = lambda _: None) -> PlayedTake:
    """Return a take through an interface."""
    gear = Gear(name="Cable", kind="hardware")
    turner = HandTurner(lambda _: None)
    rig = HardwareRig(gear, (), wiring, sample_rate=RATE, turner=turner, on_meter=on_meter)
    return play_take(rig, TAKE)


def errors(played: PlayedTake) -> set[str]:
    """Return the kinds of findings for which a take should be recorded again, but that a cable is no gear."""
    found = (*played.findings, *judge_take(played))
    return {each.kind for each in found if each.severity == "error"} - {"bleed"}


class AtHalf:
    """Does something once, when half of a take has been played: programs take long to begin on a busy machine."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act: Callable[[], None] | None = act

    def __call__(self, meter: Meter) -> None:
        """Hear how far it is."""
        if meter.done > 0.5 and (act := self.act) is not None:
            self.act = None
            act()


def make_busy() -> None:
    """Start two programs that do not rest for two seconds, more urgent than all but the JACK server."""
    command = ["chrt", "-f", "60", "timeout", "2", "sh", "-c", "while :; do :; done"]
    for _ in range(2):
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_what_a_busy_machine_loses_is_told(
    hasty_jack, wired: Callable[..., Wiring], missing: Callable[[str, str], None]
):
    """Whatever of a take through a cable is not what was sent, to the bit, the take is not accepted."""
    if shutil.which("chrt") is None or subprocess.run(["chrt", "-f", "60", "true"], check=False).returncode:  # noqa: S607
        missing("jack", "no real-time priority for the programs that make the machine busy")
    hasty_jack.plug_thru()
    wiring = wired("thru")
    seen = set()
    for number in range(1 + TRIES):
        played = played_through(wiring, AtHalf(make_busy if number else lambda: None))
        dry = played.dry.samples[0]
        wet = played.wet.samples[0, PERIOD_FRAMES:][: len(dry)]
        loud = np.abs(dry) > 0.03  # where a block that is not its own is heard
        is_whole = bool(np.array_equal(wet[loud], dry[loud]))
        seen.add(is_whole)
        told = errors(played)
        assert is_whole or told & {"hole", "dropouts"}, played.findings
        assert not is_whole or not told, played.findings
        if False in seen:
            return
    pytest.fail("nothing was lost on a busy machine, so that nothing was shown")


def test_another_program_that_takes_the_port_is_told(jack, wired: Callable[..., Wiring]):
    """One that disconnects the gear in the midst of a take leaves a silent return, and the take is not accepted."""
    jack.plug_thru()
    played = played_through(wired("thru"), AtHalf(lambda: jack.disconnect("thru:input_1")))
    assert "cut-off" in errors(played)
    again = played_through(wired("thru"))
    assert errors(again) == set()
