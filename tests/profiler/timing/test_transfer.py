"""The fine step of lateness, on playing with little treble: how near it comes, and that it knows what it cannot say."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from profiler.pedalboard_effect import PedalboardEffect
from profiler.programme import programme
from profiler.timing import measure_lateness
from profiler.timing.transfer import UNKNOWN_FRAMES, Transfer, fine_lateness

RATE = 48_000
SEEDS = range(6)
NOISE = np.random.default_rng(0).normal(0, 0.1, 10 * RATE)

GEAR = {
    "amp + speaker": (
        ("Distortion", {"drive_db": 10}),
        ("HighpassFilter", {"cutoff_frequency_hz": 80}),
        ("PeakFilter", {"cutoff_frequency_hz": 2500, "gain_db": 5, "q": 1}),
        ("LowpassFilter", {"cutoff_frequency_hz": 5000}),
        ("LowpassFilter", {"cutoff_frequency_hz": 5000}),
    ),
    "steep speaker": (("LowpassFilter", {"cutoff_frequency_hz": 6000}),) * 4,
    "fuzz": (
        ("HighpassFilter", {"cutoff_frequency_hz": 120}),
        ("Distortion", {"drive_db": 45}),
        ("Clipping", {"threshold_db": -12}),
        ("LowpassFilter", {"cutoff_frequency_hz": 5000}),
    ),
}


@functools.cache
def dull_playing(seed, cutoff_hz):
    """Return playing whose treble is gone, as through a guitar's tone knob."""
    tone_knob = signal.butter(3, cutoff_hz, fs=RATE, output="sos")
    dull = signal.sosfilt(tone_knob, programme(seed, sample_rate=RATE, frames=12 * RATE))
    return (0.7 * dull / np.abs(dull).max()).astype(np.float32)


def errors(gear, cutoff_hz):
    """Return by how many frames each take is measured wrong, and how unsure that is said to be."""
    found = []
    for seed in SEEDS:
        wet = dull_playing(seed, cutoff_hz)[None]
        for name, settings in GEAR[gear]:
            wet = PedalboardEffect(name, settings).process(wet, RATE)
        # Of the same seed it would be the stream that the programme's own hiss is drawn from.
        noise = np.random.default_rng(100 + seed).normal(0, 0.01 * np.sqrt(np.mean(wet**2)), wet.shape[1])
        late = measure_lateness(dull_playing(seed, cutoff_hz), (wet[0] + noise).astype(np.float32), RATE)
        found.append((abs(late.frames), late.uncertainty_frames))
    return np.asarray(found).T


@pytest.mark.parametrize(
    ("gear", "cutoff_hz", "worst"),
    [
        ("amp + speaker", 1500, 2),
        ("amp + speaker", 3000, 0.9),
        ("steep speaker", 1500, 2.4),
        ("steep speaker", 3000, 2),
    ],
)
def test_a_speaker_above_the_playing_is_allowed_for(gear, cutoff_hz, worst):
    """Low-passes whose level nothing in the playing shows look late by little, and that is owned up to.

    The playing has a guitar's spectrum before the tone knob takes off more, so nothing is known above 3 to 4 kHz.
    """
    wrong, unsure = errors(gear, cutoff_hz)
    assert wrong.max() < worst
    assert (wrong < unsure + 0.1).all()


def test_a_fuzz_is_told_as_unsure():
    """Behind a fuzz dull takes are right to a frame or so, and say that they may not be.

    What distortion makes of loud partials lies on weak ones; taken for sound, it misled by up to 4.5 frames.
    """
    wrong, unsure = errors("fuzz", 3000)
    assert np.median(wrong) < 0.8
    assert wrong.max() < 1.6
    assert (wrong <= unsure).all()
    assert unsure.min() > 2


@pytest.mark.parametrize("delay", [0, 3, -7])
@pytest.mark.parametrize("poles", [0, 1, 2])
def test_a_filter_is_told_from_a_delay(delay, poles):
    """What a low-pass does to the phase is its own as long as its level is known all the way up."""
    wet = np.roll(NOISE, delay)
    if poles:
        wet = signal.sosfilt(signal.butter(poles, 4000, fs=RATE, output="sos"), wet)
    frames, unsure = fine_lateness(Transfer.of(NOISE, wet))
    assert frames == pytest.approx(delay, abs=0.1)
    assert unsure < 0.3


def test_a_bin_that_follows_by_chance_has_no_slope():
    """Where the highest octave of what is known is one bin, the delay is still measured."""
    bins = 2049
    power, cross = np.ones(bins), np.zeros(bins, complex)
    cross[:200] = 1.0
    cross[[900, 1900, 1930, 1960]] = 0.95
    transfer = Transfer(cross=cross, dry_power=power, wet_power=power, windows=150.0)
    frames, unsure = fine_lateness(transfer)
    assert abs(frames) < UNKNOWN_FRAMES
    assert 0 < unsure < UNKNOWN_FRAMES


def test_a_few_bins_that_follow_by_chance_are_no_treble():
    """Where only noise is, some bins seem to follow the dry; the playing's treble does not reach up to there."""
    tone_knob = signal.butter(6, 3000, fs=RATE, output="sos")
    dry = signal.sosfilt(tone_knob, NOISE)
    gear = signal.butter(1, 4000, fs=RATE, output="sos")
    wet = signal.sosfilt(gear, dry) + np.random.default_rng(3).normal(0, 3e-3, len(dry))
    transfer = Transfer.of(dry, wet)
    chance = np.zeros(len(transfer.cross), complex)
    chance[1830:1837] = 0.2 * np.sqrt(transfer.dry_power * transfer.wet_power)[1830:1837]
    misled = replace(transfer, cross=transfer.cross + chance)
    assert misled.smoothed().coherence[1833] > 10 / misled.smoothed().windows
    frames, unsure = fine_lateness(misled)
    assert frames == pytest.approx(fine_lateness(transfer)[0], abs=0.02)
    assert abs(frames) < unsure


def test_what_has_nothing_in_common_is_unknown():
    """Two noises say nothing about a delay."""
    other = np.random.default_rng(1).normal(0, 0.1, len(NOISE))
    assert fine_lateness(Transfer.of(NOISE, other)) == (0.0, UNKNOWN_FRAMES)


def test_transfers_add_up():
    """Two parts of a recording together say what the whole says, but for the window between them."""
    wet = signal.lfilter([0.5, 0.3], [1], NOISE)
    half = len(NOISE) // 2
    whole = Transfer.of(NOISE, wet)
    both = Transfer.of(NOISE[:half], wet[:half]) + Transfer.of(NOISE[half:], wet[half:])
    assert both.windows == pytest.approx(whole.windows, rel=0.02)
    np.testing.assert_allclose(both.log_level, whole.log_level, atol=0.05)
    assert whole.smoothed().coherence.min() > 0.99
