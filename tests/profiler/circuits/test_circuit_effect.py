"""Circuits as processors: in time, in blocks of any size, silent in silence, and turned at the very frame."""

import numpy as np
import pytest

from profiler.circuits import CIRCUIT_NAMES, CircuitEffect, circuit_knobs
from profiler.errors import AudioError, GearError, KnobError
from profiler.programme import programme

RATE = 48_000
PLAYING = programme(3, sample_rate=RATE, frames=RATE // 4)[None]


@pytest.mark.parametrize("name", CIRCUIT_NAMES)
@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_blocks_of_any_size_give_the_sound_of_the_whole(name: str, rate: int):
    """Also with a turn between them, and for two channels that differ."""
    dry = np.concatenate([PLAYING, 0.5 * PLAYING[:, ::-1]])[:, : rate // 10]
    knob = circuit_knobs(name)[0]

    def played(sizes: list[int]) -> np.ndarray:
        effect, pieces, start = CircuitEffect(name), [], 0
        for size in [*sizes, dry.shape[1]]:
            if start == 3000:
                effect.turn(knob.id, knob.maximum)
            pieces.append(effect.feed(dry[:, start : start + size], rate))
            start = min(start + size, dry.shape[1])
        return np.concatenate([*pieces, effect.flush()], axis=1)

    whole, blocks = played([3000]), played([1, 63, 1, 935, 2000, 17, 1, 500])
    assert whole.shape == dry.shape
    assert np.abs(whole - blocks).max() < 1e-6


@pytest.mark.parametrize("name", CIRCUIT_NAMES)
def test_silence_is_silent(name: str):
    """From the first frame on, with every knob turned up."""
    loudest = {knob.id: knob.maximum for knob in circuit_knobs(name)}
    assert np.abs(CircuitEffect(name, loudest).process(np.zeros((1, RATE // 4), np.float32), RATE)).max() < 1e-9


@pytest.mark.parametrize("name", CIRCUIT_NAMES)
def test_every_knob_does_something(name: str):
    """Its two ends differ."""
    for knob in circuit_knobs(name):
        low, high = (CircuitEffect(name, {knob.id: end}).process(PLAYING, RATE) for end in (knob.minimum, knob.maximum))
        assert np.abs(low - high).max() > 0.01, knob.id


@pytest.mark.parametrize("name", CIRCUIT_NAMES)
def test_extremes_stay_finite(name: str):
    """20 dB beyond full scale, and sound that is hardly there, which is played as the circuit's gain says."""
    effect = CircuitEffect(name)
    loud = effect.process(10 * PLAYING / np.abs(PLAYING).max(), RATE)
    assert np.isfinite(loud).all()
    tiny, tinier = (effect.process(np.float32(level) * PLAYING, RATE) for level in (1e-6, 1e-7))
    assert np.abs(tiny - 10 * tinier).max() < 0.02 * np.abs(tiny).max()


def test_it_is_in_time():
    """A tone that hardly bends comes out where it went in: latency is taken out."""
    dry = 1e-3 * np.sin(2 * np.pi * 1000 * np.arange(4800) / RATE).astype(np.float32)[None]
    wet = CircuitEffect("optical_compressor", {"peak_reduction": 0, "gain_db": 0}).process(dry, RATE)
    assert np.abs(wet - dry).max() < 1e-6
    clipped = CircuitEffect("diode_clipper", {"drive": 0, "tone": 10}).process(dry, RATE)
    lag = np.argmax(np.correlate(clipped[0, 2000:2960], dry[0, 1988:2972])) - 12
    assert lag in (0, 1)  # the diodes' capacitor is late by a few microseconds of its own


def test_a_turn_comes_at_the_frame():
    """What was fed before it sounds as if there were none."""
    effect = CircuitEffect("diode_clipper", {"level": 10})
    still = effect.process(PLAYING, RATE)
    wet = [effect.feed(PLAYING[:, :6000], RATE)]
    effect.turn("level", 0)
    wet.append(effect.feed(PLAYING[:, 6000:], RATE))
    turned = np.concatenate([*wet, effect.flush()], axis=1)
    assert np.abs(turned - still)[:, :5968].max() < 1e-4  # the filter that takes the rate down hears 32 frames ahead
    assert not turned[:, 6032:].any()


def test_what_cannot_be_is_refused():
    """An unknown circuit, a knob it has not, NaN, and another rate within a stream."""
    with pytest.raises(GearError, match="tube_preamp"):
        CircuitEffect("tube_screamer")
    with pytest.raises(KnobError, match="drive"):
        CircuitEffect("diode_clipper", {"gain": 3})
    effect = CircuitEffect("diode_clipper")
    with pytest.raises(AudioError, match="NaN"):
        effect.feed(np.full((1, 10), np.nan, np.float32), RATE)
    effect.reset()
    effect.feed(PLAYING, RATE)
    with pytest.raises(AudioError, match="Reset"):
        effect.feed(PLAYING, 44_100)
