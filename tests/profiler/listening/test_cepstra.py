"""MFCC-L1."""

import math

import numpy as np
import pytest
from scipy import fft

from profiler.audio import Samples
from profiler.listening.cepstra import RunningCepstra
from profiler.listening.loudness import RunningLoudness

RATE = 44_100
TIME = np.arange(7 * RATE) / RATE
TARGET = (np.sin(2 * np.pi * 220 * TIME) * np.exp(-3 * (TIME % 0.5)))[None].astype(np.float32) * 0.3
TARGET += np.random.default_rng(3).normal(0, 0.003, TARGET.shape).astype(np.float32)
PREDICTED = np.tanh(3 * TARGET) / 3


def distance(target: Samples, predicted: Samples, *, rate: int = RATE, frames: int = 1 << 18) -> float | None:
    """Return what pieces of so many frames come to."""
    running = RunningCepstra(rate)
    for start in range(0, target.shape[1], frames):
        running.hear(target[:, start : start + frames], predicted[:, start : start + frames])
    return running.distance


def mfcc(samples: np.ndarray) -> np.ndarray:
    """Return librosa 0.11's mfcc(y, sr=44100), written plainly, a window and a band at a time."""
    padded = np.concatenate([np.zeros(1024), samples, np.zeros(1024)])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    windows = [padded[start : start + 2048] * hann for start in range(0, len(padded) - 2047, 512)]
    power = np.abs(np.fft.rfft(windows)) ** 2

    def hertz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * math.exp(math.log(6.4) / 27 * (mel - 15))

    top = 15 + math.log(22_050 / 1000) / (math.log(6.4) / 27)
    edges = [hertz(number * top / 129) for number in range(130)]
    bins = np.arange(1025) * RATE / 2048
    bands = []
    for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
        weight = np.clip(np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)), 0, None)
        bands.append(power @ weight * 2 / (high - low))
    level = 10 * np.log10(np.maximum(bands, 1e-10))
    return fft.dct(np.maximum(level, level.max() - 80), axis=0, type=2, norm="ortho")[:20]


def by_the_paper(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean absolute difference of the coefficients of one clip at -16 LUFS."""
    loudness = RunningLoudness(RATE)
    loudness.hear(target[None])
    gain = 10 ** ((-16 - loudness.value) / 20)
    return float(np.abs(mfcc(gain * target) - mfcc(gain * predicted)).mean())


def test_a_clip_is_what_the_formula_gives():
    """Three seconds, by librosa's defaults."""
    target, predicted = TARGET[:, : 3 * RATE], PREDICTED[:, : 3 * RATE]
    expected = by_the_paper(target[0].astype(np.float64), predicted[0].astype(np.float64))
    assert expected > 1
    assert distance(target, predicted) == pytest.approx(expected, rel=1e-4)


def test_clips_count_by_their_length():
    """Seven seconds are two clips and a third of one."""
    parts = [slice(0, 3 * RATE), slice(3 * RATE, 6 * RATE), slice(6 * RATE, 7 * RATE)]
    each = [distance(TARGET[:, part], PREDICTED[:, part]) for part in parts]
    windows = [259, 259, 87]
    assert distance(TARGET, PREDICTED) == pytest.approx(np.average(each, weights=windows), rel=1e-6)


def test_any_pieces_give_that_of_the_whole():
    """Clips lie on a grid of their own."""
    assert distance(TARGET, PREDICTED, frames=7919) == distance(TARGET, PREDICTED)


def test_silent_clips_do_not_count():
    """Silence has no timbre, and noise far below the sound is not made loud."""
    silence = np.zeros((1, 3 * RATE), np.float32)
    target = np.concatenate([silence, TARGET[:, : 3 * RATE]], axis=1)
    predicted = np.concatenate([silence + 1e-5, PREDICTED[:, : 3 * RATE]], axis=1)
    assert distance(target, predicted) == distance(TARGET[:, : 3 * RATE], PREDICTED[:, : 3 * RATE])
    assert distance(silence, silence) is None
    assert distance(silence[:, :0], silence[:, :0]) is None


def test_another_rate_is_heard_alike():
    """The same sound at 96 kHz is as far off."""
    time = np.arange(3 * 96_000) / 96_000
    target = sum(np.sin(2 * np.pi * 110 * k * time) / k for k in range(1, 40))[None].astype(np.float32) * 0.1
    predicted = (sum(np.sin(2 * np.pi * 110 * k * time) / k**1.2 for k in range(1, 40)) * 0.1)[None].astype(np.float32)
    slow = [np.ascontiguousarray(each[:, ::2]) for each in (target, predicted)]
    assert distance(target, predicted, rate=96_000) == pytest.approx(distance(*slow, rate=48_000), rel=0.02)


def test_level_alone_is_heard_as_little():
    """A gain moves the first coefficient of twenty only: 1 dB is sqrt(128) / 20."""
    assert distance(TARGET, TARGET * np.float32(10 ** (1 / 20))) == pytest.approx(math.sqrt(128) / 20, rel=0.01)
