"""Processors beside each other."""

import numpy as np
import pytest

from profiler.chain import Chain, Parallel
from profiler.pedalboard_effect import PedalboardEffect
from profiler.processor import Processor

RATE = 48_000
DRY = np.random.default_rng(0).normal(0, 0.2, (2, 30_000)).astype(np.float32)


def late() -> list[Processor]:
    """Return the dry, an effect, and two that hold frames back, by different amounts."""
    return [
        Chain([]),
        PedalboardEffect("Distortion", {"drive_db": 10}),
        PedalboardEffect("BrickwallLimiter", {"lookahead_ms": 30, "ceiling_db": -12}),
        Chain([PedalboardEffect("Resample", {"target_sample_rate": 16_000}), PedalboardEffect("Gain")]),
    ]


@pytest.mark.parametrize("sizes", [[30_000], [777], [1, 9000, 300]])
def test_the_sum_of_branches_is_in_time_whatever_they_hold_back(sizes: list[int], in_blocks):
    """Frame for frame what the branches give one by one, in blocks of any size, twice."""
    expected = np.sum([branch.process(DRY, RATE) for branch in late()], axis=0)
    with Parallel(late()) as split:
        for _ in range(2):
            wet = in_blocks(split, DRY, RATE, sizes)
            assert wet.shape == DRY.shape
            assert np.abs(wet - expected).max() < 1e-5


def test_a_branch_and_its_inverse_cancel():
    """Only branches that are in time to the frame do."""
    latecomer = PedalboardEffect("BrickwallLimiter", {"lookahead_ms": 30, "ceiling_db": 0})
    upside_down = Chain([PedalboardEffect("Invert")])
    wet = Parallel([latecomer, upside_down]).process(0.1 * DRY, RATE)
    assert np.abs(wet).max() < 1e-6


def test_nothing_gives_nothing():
    """A stream without frames, of any channels."""
    split = Parallel(late())
    assert split.process(DRY[:, :0], RATE).shape == (2, 0)
    assert split.feed(DRY[:1, :0], RATE).shape == (1, 0)


def test_closing_closes_every_branch():
    """Plugins run in processes of their own."""
    closed = []

    class Door(PedalboardEffect):
        def close(self) -> None:
            closed.append(self)

    with Parallel([Door("Gain"), Chain([Door("Gain")])]):
        pass
    assert len(closed) == 2
