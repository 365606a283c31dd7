"""The live meter: levels and time left in a terminal, time left alone on a pipe."""

import io
import sys

import pytest

from capture.interface import Meter
from profiler.progress import Progress
from tonecast.live_meter import LiveMeter


class Terminal(io.StringIO):
    """Standard error that somebody looks at."""

    def isatty(self) -> bool:
        return True


def told(levels: tuple[float, float]) -> Progress:
    """Return what a meter tells of these levels."""
    heard: list[Progress] = []
    meter = LiveMeter()
    meter.hear(Meter(done=0.25, seconds_left=9.0, clock=(0.0, 0), send_db=levels[0], return_db=levels[1]))
    meter.told(heard.append)(0.25)
    return heard[0]


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ((-12.0, -1.0), "send ######-- -12  return ########  -1"),
        ((-6.0, 0.0), "send #######-  -6  return ########   0 CLIPS"),
        ((-200.0, -47.0), "send -------- -99  return #------- -47"),
    ],
)
def test_levels_are_drawn_in_a_terminal(monkeypatch: pytest.MonkeyPatch, levels: tuple[float, float], words: str):
    """As bars with peaks in dBFS, and a return that clips is told."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert told(levels) == Progress(step="recording", done=0.25, seconds_left=9.0, note=words)


def test_on_a_pipe_there_is_no_meter(monkeypatch: pytest.MonkeyPatch):
    """Nobody looks at it there."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert told((-12.0, -1.0)) == Progress(step="recording", done=0.25, seconds_left=9.0, note="")
