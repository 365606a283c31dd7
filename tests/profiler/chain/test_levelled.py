"""Levels before and behind a processor."""

import numpy as np
import pytest

from profiler.automation import Automation, Turn
from profiler.chain import Levelled
from profiler.errors import KnobError
from profiler.pedalboard_effect import PedalboardEffect

RATE = 48_000
DRY = np.random.default_rng(0).normal(0, 0.2, (1, 20_000)).astype(np.float32)


def test_the_input_drives_and_the_output_only_levels():
    """6 dB more into a distortion is more distortion; behind it, it is 6 dB more."""
    plain = PedalboardEffect("Distortion", {"drive_db": 20}).process(DRY, RATE)
    behind = Levelled(PedalboardEffect("Distortion", {"drive_db": 20}), {"output_db": 6}).process(DRY, RATE)
    before = Levelled(PedalboardEffect("Distortion", {"drive_db": 14}), {"input_db": "6"}).process(DRY, RATE)
    assert np.allclose(behind, plain * 10 ** (6 / 20), atol=1e-6)
    assert np.allclose(before, plain, atol=1e-5)


@pytest.mark.parametrize("sizes", [[20_000], [333], [1, 7000]])
def test_levels_glide_frame_by_frame_and_in_time(sizes: list[int], in_blocks):
    """Also behind an effect that holds frames back; before and after a glide they are exact."""
    turns = (
        Turn(seconds=0.1, knob="output_db", value=-20.0, glide_seconds=0.1),
        Turn(seconds=0.05, knob="input_db", value=-6.0, glide_seconds=0.0),
    )
    limiter = PedalboardEffect("BrickwallLimiter", {"lookahead_ms": 30, "ceiling_db": 0})
    with Levelled(limiter, {}, Automation(turns=turns)) as levelled:
        wet = in_blocks(levelled, DRY, RATE, sizes)
    seconds = np.arange(DRY.shape[1]) / RATE
    decibels = np.interp(seconds, [0.1, 0.2], [0, -20]) - 6 * (seconds >= 0.05)
    assert np.allclose(wet[0], DRY[0] * 10 ** (decibels / 20), atol=2e-6)


@pytest.mark.parametrize("settings", [{"output_db": 61}, {"input_db": "loud"}, {"volume": 1}])
def test_a_level_that_cannot_be_is_refused(settings):
    """Before anything plays."""
    with pytest.raises(KnobError):
        Levelled(PedalboardEffect("Gain"), settings)
    turns = tuple(Turn(seconds=0.0, knob=name, value=value) for name, value in settings.items())
    with pytest.raises(KnobError):
        Levelled(PedalboardEffect("Gain"), {}, Automation(turns=turns))
