"""Noise and hum at rest."""

import numpy as np
import pytest

from profiler.checks.levels import decibels
from profiler.checks.rest import find_hum, find_rest, noise_power, rings_long

RATE = 48_000


def noise(level_db, frames, *, seed=0):
    """Return white noise of that RMS level, of shape (frames,)."""
    return np.random.default_rng(seed).normal(0, 10 ** (level_db / 20), frames).astype(np.float32)


def mains(hz, level_db, frames):
    """Return hum of three harmonics with that RMS level together."""
    time = np.arange(frames) / RATE
    wave = sum(np.sin(2 * np.pi * hz * number * time + number) / number for number in (1, 2, 3))
    return (wave / np.sqrt(np.mean(wave**2)) * 10 ** (level_db / 20)).astype(np.float32)


@pytest.mark.parametrize("gear", ["distortion", "reverb", "delay"])
@pytest.mark.parametrize("level_db", [-40.0, -70.0, -90.0])
def test_noise_is_read_where_the_dry_is_silent(play, stimulus, gear, level_db):
    """Within 1 dB, whatever the gear does to what is played, and although echoes ring into later rests."""
    _, dry = stimulus
    wet = play(gear, dry) + noise(level_db, len(dry))
    found = noise_power(dry, wet, find_rest(dry, RATE), RATE)
    assert found is not None
    assert decibels(found) == pytest.approx(level_db, abs=1.0)


def test_software_has_no_noise(play, stimulus):
    """A plugin's rest is digital silence."""
    _, dry = stimulus
    assert noise_power(dry, play("distortion", dry), find_rest(dry, RATE), RATE) == 0


def test_a_noisy_dry_is_not_the_gears_noise(playing):
    """Recorded dry is never quite silent: what the gear makes of its hiss is sound; only the rest is noise."""
    dry = np.concatenate([np.zeros(RATE, np.float32), playing[: 4 * RATE]]) + noise(-90, 5 * RATE)
    rest = find_rest(dry, RATE)
    assert not rest.is_digital
    clean = noise_power(dry, 30 * dry, rest, RATE)
    noisy = noise_power(dry, 30 * dry + noise(-75, len(dry), seed=1), rest, RATE)
    assert clean is not None
    assert noisy is not None
    assert decibels(clean) < -90  # the hiss itself comes out at -60 dB
    assert decibels(noisy) == pytest.approx(-75, abs=1.5)


def test_without_rest_noise_is_unknown():
    """Playing without a pause tells nothing."""
    dry = noise(-20, RATE)
    assert noise_power(dry, dry, find_rest(dry, RATE), RATE) is None
    assert find_hum(dry, find_rest(dry, RATE), RATE) is None


@pytest.mark.parametrize("hz", [50, 60])
@pytest.mark.parametrize("under", [-100.0, -70.0])
def test_hum_is_found(stimulus, hz, under):
    """Its mains frequency and its level within 1.5 dB, in half a second of rest, over hiss that is fainter."""
    _, dry = stimulus
    wet = dry + mains(hz, -60, len(dry)) + noise(under, len(dry))
    found = find_hum(wet, find_rest(dry, RATE), RATE)
    assert found is not None
    assert found.hz == hz
    assert found.level_db == pytest.approx(-60, abs=1.5)


@pytest.mark.parametrize("seed", range(6))
def test_hiss_is_not_hum(stimulus, seed):
    """No mains frequency is read into noise."""
    _, dry = stimulus
    assert find_hum(dry + noise(-60, len(dry), seed=seed), find_rest(dry, RATE), RATE) is None


@pytest.mark.parametrize(
    ("gear", "rings"), [("gain", False), ("fuzz", False), ("compressor", False), ("delay", True), ("reverb", True)]
)
def test_echoes_are_told_from_what_answers_at_once(play, stimulus, gear, rings):
    """A quarter of a second after a blip only echoes and reverb still sound; noise does not count."""
    made, dry = stimulus
    blips = made.part("blips")
    wet = play(gear, dry)[blips.start : blips.stop]
    assert rings_long(wet, RATE, noise=0.0) == rings
    if not rings:
        assert not rings_long(wet + noise(-60, len(wet)), RATE, noise=1e-6)
