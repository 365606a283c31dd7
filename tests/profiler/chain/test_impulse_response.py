"""Impulse responses of cabinets and rooms."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import sosfilt

from profiler.audio import Audio
from profiler.audio_file import write_audio
from profiler.chain import ImpulseResponse
from profiler.errors import AudioError

RATE = 48_000


def response(channels: int = 1, frames: int = 3000, rate: int = RATE) -> Audio:
    """Return a decaying noise for each channel."""
    rng = np.random.default_rng(frames)
    fading = np.exp(-np.arange(frames) / 400)
    return Audio(samples=(rng.normal(0, 0.1, (channels, frames)) * fading).astype(np.float32), sample_rate=rate)


def dry(channels: int = 2, frames: int = 40_000) -> np.ndarray:
    """Return noise that is loud to the end."""
    return np.random.default_rng(1).normal(0, 0.2, (channels, frames)).astype(np.float32)


@pytest.mark.parametrize(("own", "channels"), [(1, 1), (1, 2), (2, 2), (1, 6)])
@pytest.mark.parametrize("frames", [1, 64, 3000, 30_000])
def test_it_is_the_convolution(own: int, channels: int, frames: int):
    """At the response's own level; one channel answers all, several answer channel by channel."""
    signal, heard = dry(channels), response(own, frames)
    wet = ImpulseResponse(heard).process(signal, RATE)
    assert wet.shape == signal.shape
    for number in range(channels):
        expected = np.convolve(signal[number].astype(np.float64), heard.samples[number % own])[: signal.shape[1]]
        assert np.abs(wet[number] - expected).max() < 1e-5


@pytest.mark.parametrize("sizes", [[1], [333], [5000, 1, 20_000]])
def test_blocks_of_any_size_sound_exactly_as_the_whole(sizes: list[int], in_blocks):
    """It convolves blocks of its own size."""
    signal = dry(frames=9000 if sizes == [1] else 40_000)
    processor = ImpulseResponse(response(2))
    whole = processor.process(signal, RATE)
    assert np.array_equal(in_blocks(processor, signal, RATE, sizes), whole)


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_at_another_rate_it_is_the_same_filter(rate: int):
    """A tone below a tenth of the rate comes out as loud and as late as at the response's own."""
    pole = np.asarray([[1.0, 0.0, 0.0, 1.0, -0.9, 0.0]])
    impulse = np.zeros(2000)
    impulse[40] = 0.1
    heard = Audio(samples=sosfilt(pole, impulse)[None].astype(np.float32), sample_rate=RATE)

    def answer(at: int) -> np.ndarray:
        time = np.arange(at // 2) / at
        tone = np.sin(2 * np.pi * 1000 * time).astype(np.float32)[None]
        wet = ImpulseResponse(heard).process(tone, at)[0, at // 4 :]
        return np.exp(-2j * np.pi * 1000 * time[at // 4 :]) @ wet / len(wet)

    assert abs(answer(rate) / answer(RATE) - 1) < 0.01


def test_a_mono_signal_hears_the_mean_of_two_sides():
    """And other mixtures of channels are refused in words."""
    heard = response(2)
    wet = ImpulseResponse(heard).process(dry(1), RATE)
    expected = ImpulseResponse(Audio(samples=heard.samples.mean(axis=0)[None], sample_rate=RATE)).process(dry(1), RATE)
    assert np.abs(wet - expected).max() < 1e-6
    with pytest.raises(AudioError, match="4 channels and the signal 2"):
        ImpulseResponse(response(4)).process(dry(2), RATE)


def test_what_is_no_response_is_refused():
    """Silence, and a whole song."""
    with pytest.raises(AudioError, match="silent"):
        ImpulseResponse(Audio(samples=np.zeros((1, 100), np.float32), sample_rate=RATE))
    with pytest.raises(AudioError, match=r"at most 30 s; found 31.0 s"):
        ImpulseResponse(response(frames=31 * 8000, rate=8000))


@pytest.mark.parametrize("rate", [999, 1_000_001])
def test_rates_that_none_has_are_refused(rate: int):
    """They are of a damaged header."""
    with pytest.raises(AudioError, match=f"rate of 1000 to 1000000 Hz; found {rate} Hz"):
        ImpulseResponse(response(rate=rate))


def test_what_is_nothing_at_the_signals_rate_is_refused():
    """A frame or two beside a much slower signal."""
    with pytest.raises(AudioError, match="1 frames at 192000 Hz, which is less than one at the signal's 44100 Hz"):
        ImpulseResponse(response(frames=1, rate=192_000)).process(dry(1), 44_100)


def test_files_are_read(tmp_path: Path):
    """As they are; of one that lasts too long nothing is decoded, though it would be too much for any memory."""
    path, long = tmp_path / "cab.wav", tmp_path / "song.flac"
    write_audio(path, response(2))
    expected = ImpulseResponse(response(2)).process(dry(), RATE)
    assert np.array_equal(ImpulseResponse.read(path).process(dry(), RATE), expected)
    write_audio(long, response(frames=31 * 8000, rate=8000))
    content = bytearray(long.read_bytes())
    content[21:26] = bytes([content[21] | 0x0F, 0xFF, 0xFF, 0xFF, 0xFF])  # FLAC's count of samples
    long.write_bytes(content)
    with pytest.raises(AudioError, match="at most 30 s; found 8589934"):
        ImpulseResponse.read(long)


def test_nothing_gives_nothing():
    """No frames, and no stream at all."""
    processor = ImpulseResponse(response())
    assert processor.flush().shape == (1, 0)
    assert processor.process(dry(2, 0), RATE).shape == (2, 0)
