"""Cut off: a cable that comes off is told, and playing that ends is not."""

import numpy as np
import pytest

from capture.cut_off import cut_off_frame
from profiler.programme import programme

RATE = 8_000
DRY = programme(3, sample_rate=RATE, frames=10 * RATE)
WET = np.tanh(3 * DRY)


@pytest.mark.parametrize("floor", [0.0, 1e-4], ids=["digital silence", "noise of the input"])
def test_a_return_that_ends_is_found(floor: float):
    """At the frame at which it ended, whatever noise goes on after it."""
    noise = np.random.default_rng(1).uniform(-floor, floor, len(DRY))
    found = cut_off_frame(DRY, np.where(np.arange(len(DRY)) < 5 * RATE, WET, 0) + noise, RATE)
    assert found == pytest.approx(5 * RATE, abs=RATE // 4)


def test_what_is_heard_to_the_end_is_not_cut_off():
    """Nor is playing that ends, a return that is late, or one that was silent from the start."""
    assert cut_off_frame(DRY, WET, RATE) is None
    ended = np.where(np.arange(len(DRY)) < 5 * RATE, DRY, 0)
    assert cut_off_frame(ended, np.tanh(3 * ended), RATE) is None
    assert cut_off_frame(DRY, np.roll(WET, RATE // 5), RATE) is None
    assert cut_off_frame(DRY, np.zeros_like(WET), RATE) is None
