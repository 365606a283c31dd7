"""Timing over whole recordings: known delays and clocks, gear of every kind, and recordings with nothing in common."""

import math

import numpy as np
import pytest
from scipy import signal

from profiler.pedalboard_effect import PedalboardEffect
from profiler.programme import programme
from profiler.recording import HeldRecording
from profiler.timing import CLEAR, Timing, measure_timing
from profiler.varispeed import read_along

RATE = 48_000
DRY = programme(3, sample_rate=RATE, frames=12 * RATE)
SQUEEZED = {"threshold_db": -24, "ratio": 4, "attack_ms": 5, "release_ms": 80}

GEAR = {
    "wire": [],
    "EQ": [("PeakFilter", {"cutoff_frequency_hz": 800, "gain_db": 9}), ("HighShelfFilter", {"gain_db": -9})],
    "compressor": [("Compressor", SQUEEZED)],
    "reverb": [("Reverb", {"wet_level": 0.3, "dry_level": 0.6})],
    "fuzz": [("Distortion", {"drive_db": 45}), ("LowpassFilter", {"cutoff_frequency_hz": 5000})],
    "echo as loud as the sound": [("Delay", {"mix": 0.5, "delay_seconds": 0.4})],
    "phaser": [("Phaser", {})],
    "chorus": [("Chorus", {})],
    "gate": [("NoiseGate", {"threshold_db": -30})],
}


def played(gear: str):
    """Return the dry through gear that adds no delay of its own."""
    wet = DRY[None]
    for name, settings in GEAR[gear]:
        wet = PedalboardEffect(name, settings).process(wet, RATE)
    return wet[0]


def measured(wet) -> Timing:
    """Return the timing of a wet against the dry."""
    return measure_timing(HeldRecording(DRY), HeldRecording(np.asarray(wet, np.float32)), RATE)


def later(samples, frames: float, ppm: float = 0.0):
    """Return samples as heard by a recorder that starts earlier and whose clock runs fast."""
    step = 1 / (1 + ppm * 1e-6)
    count = int(len(samples) / step + max(frames, 0))
    return np.concatenate(list(read_along(HeldRecording(samples), start=-frames * step, step=step, frames=count)))


@pytest.mark.parametrize("gear", GEAR)
def test_gear_does_not_mislead(gear):
    """Whatever the gear does, the delay is right within what the measurement claims, and nothing seems to wander."""
    found = measured(-later(played(gear), 1234.5))
    assert abs(found.frames - 1234.5) <= min(found.uncertainty_frames, 2.0)
    assert found.polarity == -1
    assert found.clearness > CLEAR
    assert (found.drift_ppm, found.jump_second) == (0.0, None)
    assert found.wander_frames < (0.4 if gear == "phaser" else 0.1)  # a phaser's transfer does move; 0.6 is refused


@pytest.mark.parametrize(("gear", "within_ppm"), [("EQ", 0.3), ("compressor", 0.3), ("fuzz", 1.0)])
@pytest.mark.parametrize("ppm", [-100.0, 3.0])
def test_clocks_are_compared(gear, within_ppm, ppm):
    """Drift comes out within a fraction of a ppm over twelve seconds, behind a fuzz within one."""
    noise = np.random.default_rng(0).normal(0, 0.01, 2 * len(DRY))
    wet = later(played(gear), -700.0, ppm)
    found = measured(wet + noise[: len(wet)])
    assert found.drift_ppm == pytest.approx(ppm, abs=within_ppm)
    assert found.frames == pytest.approx(-700.0, abs=2.0)
    assert found.wander_frames == 0


@pytest.mark.parametrize("seconds", [-9.0, 5.0, 40.0])
def test_recordings_started_by_hand_are_found(seconds):
    """The whole recording is searched, even where little of the playing is in it."""
    silence = np.zeros(int(abs(seconds) * RATE), np.float32)
    wet = played("EQ")
    found = measured(np.concatenate([silence, wet]) if seconds > 0 else wet[len(silence) :])
    assert found.frames == pytest.approx(seconds * RATE, abs=1)
    assert found.clearness > CLEAR


def test_a_reverb_without_its_dry_part_is_followed_though_nothing_arrives_at_once():
    """Sound that arrives spread out is told as that, from about where it begins."""
    wet = PedalboardEffect("Reverb", {"wet_level": 1.0, "dry_level": 0.0}).process(DRY[None], RATE)[0]
    found = measured(np.concatenate([np.zeros(4800, np.float32), wet]))
    assert found.is_spread
    assert 4800 - found.uncertainty_frames < found.frames < 4800 + 3000
    assert found.clearness > CLEAR


@pytest.mark.parametrize("seed", [1, 5])
def test_other_playing_is_not_clear(seed):
    """Playing that has nothing in common with the dry is followed nowhere, and neither is noise or silence."""
    assert measured(programme(seed, sample_rate=RATE, frames=14 * RATE)).clearness < CLEAR
    assert measured(np.random.default_rng(seed).normal(0, 0.1, 9 * RATE)).clearness < CLEAR
    assert measured(np.zeros(RATE)).clearness < CLEAR


@pytest.mark.parametrize("lost", [5, 12, 64, 1000])
def test_a_lost_buffer_is_placed(lost):
    """Where frames are missing the recording jumps, and the second is told."""
    wet = played("EQ")
    found = measured(np.concatenate([wet[: 7 * RATE], wet[7 * RATE + lost :]]))
    assert found.wander_frames > lost / 4
    assert found.jump_second == pytest.approx(7, abs=1)


@pytest.mark.parametrize("share", [0.6, 0.8, 1.0, 1.2])
@pytest.mark.parametrize("seed", [1, 2, 4])
def test_gear_that_swings_both_ways_does_not_jump(two_sided, share, seed):
    """Whichever swing is the higher one here and there: neither follows lost frames."""
    dry = programme(seed, sample_rate=RATE, frames=6 * RATE)
    found = measure_timing(HeldRecording(dry), HeldRecording(two_sided(dry, share)), RATE)
    assert (found.jump_second, found.wander_frames) == (None, 0)


def wah(dry):
    """Return playing through a peak that moves up from 700 Hz to 1.8 kHz while it is loud."""
    level = signal.lfilter([0.0005], [1, -0.9995], np.abs(dry))
    share = np.clip(level / np.quantile(level, 0.9), 0, 1)
    low, high = (signal.lfilter(*signal.iirpeak(hz, 1.5, fs=RATE), dry) for hz in (700, 1800))
    return ((1 - share) * low + share * high + 0.05 * dry).astype(np.float32)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_filter_that_moves_is_no_tape(seed):
    """It delays one band more than another; a tape takes them all along."""
    dry = programme(seed, sample_rate=RATE, frames=12 * RATE)
    assert measure_timing(HeldRecording(dry), HeldRecording(wah(dry)), RATE).wander_frames == 0
    at = np.arange(len(dry))
    swung = np.interp(at + 5 * np.sin(2 * np.pi * at / RATE / 5), at, wah(dry)).astype(np.float32)
    assert measure_timing(HeldRecording(dry), HeldRecording(swung), RATE).wander_frames > 0.6


def test_short_takes_say_that_they_cannot_tell_drift():
    """Half a second has a lateness, but no drift that could be known."""
    short = DRY[5 * RATE : 5 * RATE + RATE // 2]
    found = measure_timing(HeldRecording(short), HeldRecording(later(short, 30.0)), RATE)
    assert found.frames == pytest.approx(30, abs=1)
    assert found.drift_error_ppm == math.inf
    assert found.drift_ppm == 0
