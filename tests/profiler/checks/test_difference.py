"""In what way recordings differ: for good, for a while, or by noise."""

import numpy as np
import pytest
from scipy import signal

from profiler.checks.difference import compare

RATE = 48_000


def noise(wet, below_db, *, seed=0):
    """Return white noise so far below a wet, of its shape."""
    level = np.sqrt(np.mean(wet.astype(np.float64) ** 2)) * 10 ** (below_db / 20)
    return np.random.default_rng(seed).normal(0, level, len(wet)).astype(np.float32)


@pytest.mark.parametrize("gear", ["gain", "distortion", "compressor"])
@pytest.mark.parametrize("below_db", [-30, -50])
def test_noise_is_noise(play, playing, gear, below_db):
    """All of it, within a twentieth; none of it is taken for movement."""
    wet = play(gear, playing)
    found = compare(wet, wet + noise(wet, below_db), RATE)
    assert found.esr == pytest.approx(10 ** (below_db / 10), rel=0.02)
    assert found.noise == pytest.approx(found.esr, rel=0.05)
    assert found.noise + found.steady + found.moving == pytest.approx(found.esr)


def test_a_turned_knob_is_steady(playing):
    """A change of level or of tone that stays is told from everything else, with noise in the recording."""
    wet = playing + noise(playing, -50)
    louder = compare(wet, 1.06 * playing + noise(playing, -50, seed=1), RATE)
    assert louder.gain_db == pytest.approx(0.5, abs=0.05)
    assert louder.steady == pytest.approx(0.06**2, rel=0.1)
    duller = signal.lfilter(*signal.butter(1, 3000 / (RATE / 2)), playing).astype(np.float32)
    toned = compare(playing, duller, RATE)
    assert toned.steady > 0.6 * toned.esr


@pytest.mark.parametrize("hz", [0.3, 1.0, 3.0])
def test_an_lfo_moves(playing, hz):
    """Another phase of an LFO is movement, but for what is left of it on average over playing of uneven level."""
    time = np.arange(len(playing)) / RATE
    first, second = (1 + 0.2 * np.sin(2 * np.pi * hz * time + turn) for turn in (0, 2))
    found = compare((playing * first).astype(np.float32), (playing * second).astype(np.float32), RATE)
    power, change = (playing * first) ** 2, second / first - 1
    on_average = np.average(change, weights=power) ** 2
    assert found.moving > 0.6 * found.esr
    assert found.steady < 1.5 * on_average + 0.1 * found.esr


def test_the_same_differs_by_nothing():
    """Equal recordings, silent ones, and ones shorter than a window."""
    wave = np.random.default_rng(0).normal(0, 0.1, 500).astype(np.float32)
    assert compare(wave, wave, RATE).esr == 0
    assert compare(np.zeros(500, np.float32), wave, RATE) is None
