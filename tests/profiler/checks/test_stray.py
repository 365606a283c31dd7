"""Latency that strays."""

import numpy as np
import pytest

from profiler.checks.stray import drifts, measure_stray, stray_esr, stray_findings

RATE = 48_000


def late(samples, frames):
    """Return samples that come late by so many frames: one number, or one for each frame."""
    at = np.arange(len(samples)) - frames
    return np.interp(at, np.arange(len(samples)), samples, left=0).astype(np.float32)


def kinds(stray, *, follows=True):
    """Return the kinds of findings."""
    return [finding.kind for finding in stray_findings(stray, RATE, follows=follows)]


@pytest.mark.parametrize("gear", ["clipping", "compressor", "distortion", "fuzz", "gain", "ladder", "reverb"])
def test_gear_does_not_stray(play, playing, gear):
    """Nothing is drift or a jump, though distortion moves the phase with the level."""
    found = measure_stray(playing, play(gear, playing), RATE)
    assert not {"drift", "latency-jump", "unrelated"} & set(kinds(found))


@pytest.mark.parametrize("ppm", [-20.0, 5.0, 20.0])
@pytest.mark.parametrize("gear", ["gain", "distortion"])
def test_two_clocks_drift(play, playing, ppm, gear):
    """A recorder's clock that is off by some millionths is measured to a tenth of that."""
    wet = late(play(gear, playing), ppm * 1e-6 * np.arange(len(playing)) + 3)
    found = measure_stray(playing, wet, RATE)
    assert found.drift_ppm == pytest.approx(ppm, rel=0.1)
    assert drifts(found)
    assert "drift" in kinds(found)


@pytest.mark.parametrize("gear", ["gain", "distortion"])
def test_a_jump_is_found(play, playing, gear):
    """Lost frames in the middle move all that follows."""
    wet = play(gear, playing)
    half = len(wet) // 2
    wet = np.concatenate([wet[:half], wet[half + 64 :], np.zeros(64, np.float32)])
    found = measure_stray(playing, wet, RATE)
    assert found.jump_second == pytest.approx(len(playing) / 2 / RATE, abs=1)
    assert found.spread_frames == pytest.approx(64, abs=2)
    assert "latency-jump" in kinds(found)


def test_stray_costs_what_it_costs(playing):
    """The ESR of a straying latency is that of the wet against itself, moved so, at the windows' pace."""
    stray = 1.5 * np.sign(np.sin(2 * np.pi * np.arange(len(playing)) / (8 * RATE)))
    wet = late(playing, stray)
    found = measure_stray(playing, wet, RATE)
    measured = np.sum((wet - playing) ** 2) / np.sum(playing**2)
    assert stray_esr(wet, found.strays, RATE) == pytest.approx(measured, rel=0.35)


def test_left_over_latency_polarity_and_other_recordings(playing):
    """What alignment left is told, an upside-down wet too; another recording does not follow at all."""
    assert kinds(measure_stray(playing, late(playing, 200), RATE)) == ["latency"]
    assert kinds(measure_stray(playing, -playing, RATE)) == ["polarity"]
    other = np.random.default_rng(0).normal(0, 0.1, len(playing)).astype(np.float32)
    assert kinds(measure_stray(playing, other, RATE), follows=False) == ["unrelated"]


def test_gear_that_swings_both_ways_has_no_polarity(playing):
    """One swing down and one up, nearly as high and a few frames later, is no recording that is upside down."""
    wet = 0.9 * np.concatenate([np.zeros(6, np.float32), playing[:-6]]) - playing
    found = measure_stray(playing, wet, RATE)
    assert found.polarity == -1
    assert kinds(found) == []


def test_too_short_to_tell(playing):
    """A quarter of a second says nothing."""
    assert measure_stray(playing[: RATE // 4], playing[: RATE // 4], RATE) is None
