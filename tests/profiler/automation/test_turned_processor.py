"""Knobs of effects and plugins that follow an automation."""

import numpy as np
import pytest

from profiler.automation import Automation, Turn, TurnedProcessor
from profiler.errors import KnobError
from profiler.pedalboard_effect import PedalboardEffect

RATE = 48_000


def moves(knob: str, *values: float) -> Automation:
    """Return an automation of a turn every tenth of a second."""
    turns = (
        Turn(seconds=0.1 * (number + 1), knob=knob, value=value, glide_seconds=0.05)
        for number, value in enumerate(values)
    )
    return Automation(turns=tuple(turns))


def test_a_gain_follows_to_the_frame():
    """In steps of 32 frames on the way, and not at all before and after."""
    automation = Automation(turns=(Turn(seconds=0.1, knob="gain_db", value=-20.0, glide_seconds=0.01),))
    with TurnedProcessor(PedalboardEffect("Gain"), automation, {"gain_db": 0.0}) as processor:
        wet = processor.process(np.ones((1, 9600), np.float32), RATE)[0]
    expected = np.full(9600, 0.1)
    expected[:4800] = 1.0
    steps = np.arange(480) // 32 * 32
    expected[4800:5280] = 10 ** (-20 * steps / 480 / 20)
    assert np.allclose(wet, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("effect", "knob", "values"),
    [
        ("Distortion", "drive_db", (30.0, 5.0)),
        ("LadderFilter", "cutoff_hz", (400.0, 4000.0)),
        ("BrickwallLimiter", "ceiling_db", (-20.0, -3.0)),
    ],
)
def test_blocks_of_any_size_sound_as_the_whole(effect: str, knob: str, values: tuple[float, ...], in_blocks):
    """Where an effect holds frames back, too; and a second stream begins where the first one did."""
    dry = np.random.default_rng(0).normal(0, 0.3, (2, 20_000)).astype(np.float32)
    with TurnedProcessor(PedalboardEffect(effect), moves(knob, *values)) as processor:
        whole = processor.process(dry, RATE)
        assert whole.shape == dry.shape
        for sizes in ([1000], [20_000], [7, 5000, 333]):
            assert np.abs(in_blocks(processor, dry, RATE, sizes) - whole).max() < 1e-6
        assert np.array_equal(processor.process(dry, RATE), whole)


def test_the_time_is_that_of_the_stream():
    """A turn after a tenth of a second comes after as many frames as the rate has in it."""
    automation = Automation(turns=(Turn(seconds=0.1, knob="gain_db", value=-100.0, glide_seconds=0.0),))
    with TurnedProcessor(PedalboardEffect("Gain"), automation) as processor:
        for rate in (8000, 44_100, 96_000):
            wet = processor.process(np.ones((1, rate), np.float32), rate)[0]
            assert int(np.argmax(wet < 0.5)) == rate // 10


def test_what_cannot_be_turned_is_told_before_anything_plays():
    """A knob that is not there, and a value that it does not take."""
    for automation in (moves("drive", 1.0), moves("gain_db", 1000.0)):
        with pytest.raises(KnobError):
            TurnedProcessor(PedalboardEffect("Gain"), automation)


def test_nothing_gives_nothing():
    """Blocks without frames, and a stream without blocks."""
    with TurnedProcessor(PedalboardEffect("Gain"), moves("gain_db", 1.0)) as processor:
        assert processor.feed(np.zeros((2, 0), np.float32), RATE).shape == (2, 0)
        assert processor.flush().shape[1] == 0
