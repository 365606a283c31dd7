"""Recordings read in pieces are the recordings read whole."""

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.audio_file import reading
from profiler.recording import FileRecording, HeldRecording


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """A stereo file of two seconds at 44.1 kHz, and what it holds."""
    path = tmp_path_factory.mktemp("noise") / "noise.flac"
    samples = np.random.default_rng(0).normal(0, 0.1, (88_200, 2))
    soundfile.write(path, samples, 44_100, subtype="PCM_24")
    return path, soundfile.read(path, dtype="float32")[0]


@pytest.mark.parametrize("rate", [44_100, 48_000, 8000, 96_000, 50_000])
def test_any_excerpt_is_part_of_the_whole(noise, rate):
    """At its own rate or another, wherever an excerpt begins it is what the file converted at once has there.

    But for the first and last millisecond of the file, where the converter at once guesses what lies beyond.
    """
    path, samples = noise
    whole = samples.mean(axis=1)
    if rate != 44_100:
        whole = soxr.resample(whole, 44_100, rate)
    with reading(path) as reader:
        recording = FileRecording(reader, rate)
        assert abs(recording.frames - len(whole)) <= 1
        for start in (rate // 1000, 777, len(whole) // 2, len(whole) - 401 - rate // 1000):
            excerpt = recording.read(start, 400)
            assert excerpt == pytest.approx(whole[start : start + 400], abs=2e-5)


@settings(deadline=None)
@given(start=st.integers(-300, 300), frames=st.integers(0, 400))
def test_beyond_the_ends_there_is_silence(noise, start, frames):
    """An excerpt has the length that was asked for, with silence where it reaches beyond the recording."""
    path, samples = noise
    padded = np.pad(samples.mean(axis=1), (300, 1000))
    expected = padded[300 + start : 300 + start + frames]
    with reading(path) as reader:
        assert FileRecording(reader, 44_100).read(start, frames) == pytest.approx(expected, abs=1e-7)
    held = HeldRecording(samples.mean(axis=1))
    assert held.read(start, frames) == pytest.approx(expected, abs=1e-7)


def test_only_the_channels_that_are_asked_for(noise):
    """A recording may be one side of its file."""
    path, samples = noise
    with reading(path) as reader:
        assert np.array_equal(FileRecording(reader, 44_100, (1,)).read(0, 100), samples[:100, 1])
