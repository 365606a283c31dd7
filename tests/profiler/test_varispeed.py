"""Reading between frames."""

import numpy as np
import pytest

from profiler.recording import HeldRecording
from profiler.varispeed import read_along

FRAMES = 70_000


@pytest.mark.parametrize("cycles", [0.001, 0.05, 0.2, 0.4, 0.45])
@pytest.mark.parametrize(("start", "step"), [(0.5, 1.0), (-3.25, 1.0), (100.3, 1 + 1e-4), (7.0, 1 - 1e-4)])
def test_a_sine_is_read_where_it_is(cycles, start, step):
    """Up to nine tenths of the band the error is 90 dB down, over block edges and all."""
    sine = np.sin(2 * np.pi * cycles * np.arange(FRAMES + 500)).astype(np.float32)
    read = np.concatenate(list(read_along(HeldRecording(sine), start=start, step=step, frames=FRAMES)))
    wanted = np.sin(2 * np.pi * cycles * (start + step * np.arange(FRAMES)))
    error = (read - wanted)[100:-100]
    assert len(read) == FRAMES
    assert 10 * np.log10(np.mean(error**2) / np.mean(wanted**2)) < -90


def test_whole_frames_are_not_touched():
    """Moved by whole frames, the very samples come out."""
    noise = np.random.default_rng(0).normal(0, 1, 1000).astype(np.float32)
    (read,) = read_along(HeldRecording(noise), start=17.0, step=1.0, frames=900)
    assert np.array_equal(read, noise[17:917])


def test_beyond_the_ends_there_is_silence():
    """Where nothing was recorded nothing is read."""
    ones = np.ones(200, np.float32)
    read = np.concatenate(list(read_along(HeldRecording(ones), start=-500.5, step=1.0, frames=1200)))
    assert not read[:400].any()
    assert not read[-400:].any()
    assert read[580:620] == pytest.approx(1, abs=1e-3)
