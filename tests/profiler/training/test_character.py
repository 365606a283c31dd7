"""Gear is told by what it does: gains that follow the level, or anything else."""

import numpy as np
import pytest

from profiler.knob import Knob
from profiler.pedalboard_effect import PedalboardEffect
from profiler.programme import programme
from profiler.training.character import is_dynamics, left_by_gains, sparse_positions
from profiler.training.examples import Examples, Passage

RATE = 48_000
DRY = programme(1, sample_rate=RATE, frames=12 * RATE)
SQUEEZED = {"threshold_db": -30, "ratio": 6, "attack_ms": 5, "release_ms": 100}


def examples_of(*chain, knobs=None) -> Examples:
    """Return a take through a chain of effects as examples."""
    wet = DRY[None]
    for name, settings in chain:
        wet = PedalboardEffect(name, settings).process(wet, RATE)
    passage = Passage(
        dry=DRY,
        wet=wet[0],
        knobs=np.zeros(len(DRY), np.int32) if knobs is None else knobs,
        counts=np.ones(len(DRY), np.bool_),
    )
    return Examples(learnt=(passage,), watched=(), positions=np.zeros((2, 1), np.float32))


@pytest.mark.parametrize(
    "chain",
    [
        [("Compressor", SQUEEZED)],
        [("Limiter", {"threshold_db": -25, "release_ms": 80})],
        [("NoiseGate", {"threshold_db": -25, "ratio": 10})],
        [("Compressor", SQUEEZED), ("Gain", {"gain_db": -20}), ("Invert", {})],
    ],
)
def test_dynamics_are_recognised(chain):
    """Compressors, limiters and gates are, at any level and either way up."""
    assert is_dynamics(examples_of(*chain))


@pytest.mark.parametrize(
    "chain",
    [
        [("Gain", {"gain_db": -6})],
        [("Distortion", {"drive_db": 25})],
        [("HighShelfFilter", {"gain_db": -12, "cutoff_frequency_hz": 2000})],
        [("Reverb", {})],
        [("Delay", {"mix": 0.5})],
        [("Phaser", {})],
        [("Distortion", {"drive_db": 30}), ("LowpassFilter", {"cutoff_frequency_hz": 3000}), ("Compressor", SQUEEZED)],
    ],
)
def test_nothing_else_is(chain):
    """Wires, distortions, filters, echoes and modulation are not, nor a compressor behind a distortion."""
    assert not is_dynamics(examples_of(*chain))


def test_a_volume_knob_that_moves_is_no_dynamics():
    """What a knob turns is not what the level does: gains are compared only while no knob moves."""
    knobs = (np.arange(len(DRY)) // RATE % 2).astype(np.int32)
    still = examples_of(knobs=knobs)
    passage = still.learnt[0]
    turned = Passage(dry=passage.dry, wet=DRY * (0.2 + knobs), knobs=knobs, counts=passage.counts)
    settings = np.asarray([[0.0], [1.0]], np.float32)
    examples = Examples(learnt=(turned,), watched=(), positions=settings)
    assert max(left_by_gains(examples)) < 1e-6
    assert not is_dynamics(examples)


def test_silence_is_no_dynamics():
    """Nothing is divided by the energy of a silent wet."""
    silent = np.zeros(RATE, np.float32)
    passage = Passage(dry=silent, wet=silent, knobs=np.zeros(RATE, np.int32), counts=np.ones(RATE, np.bool_))
    assert not is_dynamics(Examples(learnt=(passage,), watched=(), positions=np.zeros((1, 1), np.float32)))


def test_sparse_positions_are_those_of_knobs_at_two_places_at_most():
    """Three places tell of a curve and two do not; of a switch there is nothing between its places."""
    knobs = (Knob(id="gain", name="gain"), Knob(id="voice", name="voice", choices=("a", "b"), default="a"))
    knobs += (Knob(id="tone", name="tone"), Knob(id="fixed", name="fixed"))
    positions = np.float32([[0, 1, 0, 0.0, 0.5], [1, 0, 1, 0.5, 0.5], [1, 1, 0, 1.0, 0.5]])
    examples = Examples(learnt=(), watched=(), positions=positions)
    assert sparse_positions(knobs, examples) == [0, 4]
