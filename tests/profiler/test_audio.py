"""Audio in memory."""

import numpy as np
import pytest

from profiler.audio import Audio
from profiler.errors import AudioError


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("frames", [0, 1, 4800])
def test_audio_knows_its_shape(channels, frames):
    """Channels come first, frames second, and the length follows from the rate."""
    audio = Audio(samples=np.zeros((channels, frames), np.float32), sample_rate=48_000)
    assert (audio.channels, audio.frames, audio.seconds) == (channels, frames, frames / 48_000)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(10, np.float32),
        np.zeros((1, 10, 1), np.float32),
        np.zeros((0, 10), np.float32),
        np.zeros((1, 10)),
        np.zeros((1, 10), np.int16),
    ],
    ids=["flat", "cube", "no channels", "double", "integer"],
)
def test_another_layout_is_refused(samples):
    """The message says what came in and what is taken."""
    with pytest.raises(AudioError, match=rf"float32 of shape \(channels, frames\); this is {samples.dtype}"):
        Audio(samples=samples, sample_rate=48_000)


@pytest.mark.parametrize("sample_rate", [0, -48_000])
def test_a_rate_below_one_is_refused(sample_rate):
    """A rate of nothing would make every length infinite."""
    with pytest.raises(AudioError, match=f"is {sample_rate} Hz"):
        Audio(samples=np.zeros((1, 1), np.float32), sample_rate=sample_rate)


def test_an_excerpt_is_a_view():
    """Excerpts share memory with the whole, and end where it ends."""
    audio = Audio(samples=np.arange(20, dtype=np.float32).reshape(2, 10), sample_rate=8000)
    part = audio.excerpt(3, 99)
    np.testing.assert_array_equal(part.samples, [[3, 4, 5, 6, 7, 8, 9], [13, 14, 15, 16, 17, 18, 19]])
    assert np.shares_memory(part.samples, audio.samples)
    assert part.sample_rate == 8000


def test_mono_is_the_mean_of_the_channels():
    """Two channels are averaged in float32; one is passed on; values beyond full scale stay."""
    stereo = Audio(samples=np.float32([[1, 3, -4], [0, 5, -4]]), sample_rate=8000)
    assert stereo.mono().dtype == np.float32
    np.testing.assert_array_equal(stereo.mono(), [0.5, 4, -4])
    one = Audio(samples=np.float32([[2, -2]]), sample_rate=8000)
    np.testing.assert_array_equal(one.mono(), [2, -2])
