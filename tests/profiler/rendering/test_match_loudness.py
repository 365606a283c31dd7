"""Slots that go on as loud as what they were fed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from profiler.chain import Chain
from profiler.listening.loudness import RunningLoudness
from profiler.pedalboard_effect import PedalboardEffect
from profiler.rendering.match_loudness import match_loudness

RATE = 44_100


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two seconds of stereo noise that fades."""
    fading = np.geomspace(0.3, 0.01, 2 * RATE)[:, None]
    noise = np.random.default_rng(0).normal(0, 1, (2 * RATE, 2)) * fading
    soundfile.write(tmp_path / "dry.wav", noise.astype(np.float32), RATE, subtype="FLOAT")
    return tmp_path / "dry.wav"


def loudness(samples: np.ndarray) -> float | None:
    """Return how loud a signal is, in LUFS."""
    running = RunningLoudness(RATE)
    running.hear(samples)
    return running.value


def test_every_slot_is_as_loud_as_the_dry(source: Path):
    """One that is loud, one that bends what it is fed, and one that holds frames back."""
    dry = soundfile.read(source, dtype="float32")[0].T.copy()
    slots = [
        PedalboardEffect("Gain", {"gain_db": 20}),
        PedalboardEffect("Distortion", {"drive_db": 20}),
        PedalboardEffect("BrickwallLimiter", {"ceiling_db": -20}),
    ]
    matched, levels = match_loudness(Chain(slots), source)
    assert levels[0] == -20
    assert isinstance(matched, Chain)
    for number in (1, 2, 3):
        wet = Chain(matched.processors[:number]).process(dry, RATE)
        assert loudness(wet) == pytest.approx(loudness(dry), abs=0.05)
    assert np.abs(Chain(matched.processors[:1]).process(dry, RATE) - dry).max() < 1e-5


def test_silence_is_left_as_it_is(source: Path, tmp_path: Path):
    """A silent file, and a slot that makes it so, whose level nobody knows."""
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE, np.float32), RATE)
    assert match_loudness(PedalboardEffect("Gain"), tmp_path / "silent.wav")[1] == (0.0,)
    slots = [PedalboardEffect("Gain", {"gain_db": -100}), PedalboardEffect("Gain", {"gain_db": 6})]
    assert match_loudness(Chain(slots), source)[1] == (0.0, 0.0)


def test_progress_ends_at_one(source: Path):
    """And never goes back."""
    told: list[float] = []
    slots = [PedalboardEffect("Gain"), PedalboardEffect("Gain")]
    match_loudness(Chain(slots), source, on_progress=lambda each: told.append(each.done))
    assert told == sorted(told)
    assert told[-1] == 1.0
