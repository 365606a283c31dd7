"""Blips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from profiler.blips import read_blips
from profiler.tones import blips

RATE = 8000
LONGEST = int(0.4 * RATE)


def late(sound, frames):
    """Return a sound that comes later, and goes on as long."""
    return np.concatenate([np.zeros(frames), sound])[: len(sound)]


def wet_blips(sample_rate=RATE, *, delay=0, start=0, gain=1.0, noise=0.0, offset=0.0):
    """Return what gear makes of silence and blips."""
    sound = np.concatenate([np.zeros(start), blips(sample_rate)])
    hiss = np.random.default_rng(5).uniform(-noise, noise, len(sound))
    return (late(sound, delay) * gain + hiss + offset).astype(np.float32)


@given(
    st.integers(0, LONGEST),
    st.integers(0, RATE),
    st.floats(0.01, 10),
    st.sampled_from([1, -1]),
    st.floats(0, 0.08),
    st.floats(-0.1, 0.1),
)
def test_the_delay_that_went_in_comes_out(delay, start, gain, polarity, noise, offset):
    """Lateness and polarity are read through gain, hiss and a steady offset, wherever the blips stand."""
    wet = wet_blips(delay=delay, start=start, gain=gain * polarity, noise=noise * gain, offset=offset)
    reading = read_blips(wet, start=start, sample_rate=RATE)
    assert reading.latency_frames == delay
    assert reading.latencies == (delay,) * 3
    assert reading.polarity == polarity


@pytest.mark.parametrize("sample_rate", [8000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("delay", [0, 1, 511])
def test_every_rate_is_read(sample_rate, delay):
    """Blips stand where they should at any rate."""
    reading = read_blips(wet_blips(sample_rate, delay=delay), start=0, sample_rate=sample_rate)
    assert reading.latencies == (delay,) * 3


def test_gear_that_filters_and_distorts_is_read():
    """A resonant low-pass and a clipper smear the blips; the first swing still tells."""
    sos = signal.butter(2, 1500, fs=RATE, output="sos")
    wet = np.tanh(8 * signal.sosfilt(sos, wet_blips(delay=100, gain=-1))).astype(np.float32)
    reading = read_blips(wet, start=0, sample_rate=RATE)
    assert 100 <= reading.latency_frames <= 101
    assert reading.polarity == -1


@pytest.mark.parametrize("seed", range(10))
def test_blips_that_hardly_stand_out_are_read(seed):
    """Behind a low-pass, with hiss a tenth as loud as the loudest answer, they are read to a frame or three."""
    sos = signal.butter(2, 1500, fs=RATE, output="sos")
    filtered = signal.sosfilt(sos, wet_blips(delay=100))
    hiss = np.random.default_rng(seed).normal(0, np.abs(filtered).max() / 10, len(filtered))
    reading = read_blips((filtered + hiss).astype(np.float32), start=0, sample_rate=RATE)
    assert len(reading.latencies) == 3
    assert abs(reading.latency_frames - 100) <= 1
    assert all(97 <= each <= 103 for each in reading.latencies)


def test_a_rectifier_has_no_polarity_of_its_own():
    """When the blips' swings disagree the majority is taken, and both come through upwards here."""
    reading = read_blips(np.abs(wet_blips(delay=7)), start=0, sample_rate=RATE)
    assert reading.latencies == (7, 7, 7)
    assert reading.polarity == 1


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_silence_and_mere_hiss_have_no_reading(noise):
    """Where no blip came through, nothing is guessed."""
    wet = np.random.default_rng(1).uniform(-noise, noise, 2 * RATE).astype(np.float32)
    reading = read_blips(wet, start=0, sample_rate=RATE)
    assert reading.latencies == ()
    assert reading.latency_frames is None
    assert reading.polarity is None


def test_a_take_that_ends_before_its_blips_has_no_reading():
    """A recording cut short is no reason to fail."""
    assert read_blips(np.zeros(10, np.float32), start=0, sample_rate=RATE).latency_frames is None
    assert read_blips(np.zeros(0, np.float32), start=0, sample_rate=RATE).latency_frames is None
