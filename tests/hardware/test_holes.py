"""Holes: what other programs do to a take while it plays is told."""

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
TAKE = PlannedTake(number=0, form="brief", seed=5, seconds=8.0, settings={})


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


def test_another_program_that_takes_the_port_is_told(jack, wired: Callable[..., Wiring]):
    """One that disconnects the gear in the midst of a take leaves a silent return, and the take is not accepted."""
    jack.plug_thru()
    played = played_through(wired("thru"), AtHalf(lambda: jack.disconnect("thru:input_1")))
    assert "cut-off" in errors(played)
    again = played_through(wired("thru"))
    assert errors(again) == set()


@pytest.mark.parametrize("jack", [True, False], ids=["server waits", "server goes on"], indirect=True)
def test_blocks_that_a_busy_machine_loses_are_told(jack, wired: Callable[..., Wiring]):
    """Gear that misses its turns makes the driver speak of it; whether the take will do, the data say."""
    gear = jack.plug_thru()
    played = played_through(wired("thru"), AtHalf(lambda: jack.stall(gear, 0.1)))
    assert "xrun" in {each.kind for each in played.findings}
    dry, wet = played.dry.samples[0], played.wet.samples[0][played.latency_frames :]
    frames = min(len(dry), len(wet))
    is_whole = np.array_equal(dry[:frames], wet[:frames])
    assert is_whole == (not errors(played))
