"""Gear that moves by itself, and gear that only seems to."""

import numpy as np
import pytest

from profiler.audio_file import read_audio
from profiler.checks.chirp_train import modulation_in_chirps
from profiler.checks.linear_fit import fit_linear
from profiler.checks.modulation import modulation_in_playing
from profiler.programme import programme

RATE = 48_000
MOVING = ["chorus", "phaser", "phaser behind distortion", "tremolo", "tremolo before distortion", "vibrato"]
HEARD_IN_PLAYING = ["phaser", "tremolo", "vibrato"]
HEARD_IN_A_MINUTE = ["phaser behind distortion", "tremolo before distortion"]
STILL = [
    "bitcrush",
    "clipping",
    "compressor",
    "delay",
    "distortion",
    "fuzz",
    "gate",
    "hard gate",
    "ladder",
    "limiter",
    "reverb",
    "reverb behind distortion",
    "slow levelling",
]


def in_chirps(play, stimulus, gear, *, noise_db=-200.0):
    """Return what the chirps of a stimulus say about gear, with noise of that level in the recording."""
    made, dry = stimulus
    noise = np.random.default_rng(0).normal(0, 10 ** (noise_db / 20), len(dry))
    wet = (play(gear, dry) + noise).astype(np.float32)
    chirps, programme = (made.part(name) for name in ("chirps", "programme"))
    heard = (wet[each.start : each.stop] for each in (chirps, programme))
    return modulation_in_chirps(*heard, RATE, noise=10 ** (noise_db / 10))


def in_playing(dry, wet):
    """Return what plain playing says."""
    return modulation_in_playing(dry, fit_linear(dry, wet, RATE).predicted, wet, RATE)


@pytest.mark.parametrize("gear", MOVING)
@pytest.mark.parametrize("noise_db", [-200.0, -60.0])
def test_chirps_show_every_lfo(play, stimulus, gear, noise_db):
    """Whatever it moves, behind distortion or before it, in a clean recording or a noisy one."""
    found = in_chirps(play, stimulus, gear, noise_db=noise_db)
    assert found is not None
    assert 0.001 < found.esr < 1


def test_chirps_tell_the_rate_and_the_loss(play, stimulus):
    """A tremolo of depth 1/2 swings by +-1/4 around 3/4: held still it is missed by (1/4)^2 / 2 over the mean power."""
    found = in_chirps(play, stimulus, "tremolo")
    assert found.hz == pytest.approx(3.7, abs=0.1)
    assert found.esr == pytest.approx((1 / 32) / (9 / 16 + 1 / 32), rel=0.15)


@pytest.mark.parametrize("gear", STILL)
@pytest.mark.parametrize("noise_db", [-200.0, -60.0])
def test_gear_that_answers_playing_is_still(play, stimulus, gear, noise_db):
    """Dynamics, echoes and distortion settle over the chirps, and noise is not movement."""
    assert in_chirps(play, stimulus, gear, noise_db=noise_db) is None


@pytest.mark.parametrize("gear", HEARD_IN_PLAYING)
def test_playing_shows_an_lfo(play, playing, gear):
    """Without chirps too, from the playing alone."""
    assert in_playing(playing, play(gear, playing)) is not None


@pytest.mark.parametrize("gear", HEARD_IN_A_MINUTE)
@pytest.mark.parametrize("seed", range(3))
def test_a_minute_of_playing_shows_an_lfo_beside_distortion(play, gear, seed):
    """Distortion hides an LFO in short playing."""
    minute = programme(seed, sample_rate=RATE, frames=60 * RATE)
    assert in_playing(minute, play(gear, minute)) is not None


@pytest.mark.parametrize("seed", [32, 35])
def test_a_weak_pulse_in_the_playing_does_not_hide_a_clear_lfo(play, seed):
    """In these the dry's own levels happen to have a line, 4 to 6 times its surroundings, where the tremolo's is."""
    chance = programme(seed, sample_rate=RATE, frames=24 * RATE)
    assert in_playing(chance, play("tremolo", chance)) is not None


def test_playing_tells_the_rate_and_no_more_than_the_loss(play, playing):
    """The rate of a tremolo to a twentieth of a turn a second; the loss at most what it is."""
    found = in_playing(playing, play("tremolo", playing))
    assert found.hz == pytest.approx(3.7, abs=0.05)
    assert 0.02 < found.esr <= (1 / 32) / (9 / 16 + 1 / 32)


@pytest.mark.parametrize("gear", STILL)
def test_playing_shows_no_lfo_where_there_is_none(play, playing, gear):
    """Playing has a pulse of its own; what follows it is not movement."""
    assert in_playing(playing, play(gear, playing)) is None


def test_a_moment_of_sound_tells_nothing(playing):
    """Half a second is too short for either."""
    short = playing[: RATE // 2]
    assert modulation_in_playing(short, short, short, RATE) is None
    assert modulation_in_chirps(short, short, RATE, noise=0.0) is None


@pytest.mark.parametrize("name", ["ts9_pedal", "diode_clipper"])
def test_real_recordings_of_still_gear(shared_data, name):
    """A pedal and a circuit, recorded by others."""
    dry, wet = (read_audio(shared_data / "pairs" / name / f"{side}.flac") for side in ("dry", "wet"))
    fit = fit_linear(dry.samples[0], wet.samples[0], dry.sample_rate)
    assert modulation_in_playing(dry.samples[0], fit.predicted, wet.samples[0], dry.sample_rate) is None
