"""MR-STFT."""

import numpy as np
import pytest
import torch

from profiler.audio import Samples
from profiler.listening.spectra import RunningSpectra

FRAMES = 20_077
TARGET = np.random.default_rng(3).normal(0, 0.1, (1, FRAMES)).astype(np.float32)
PREDICTED = np.tanh(0.8 * TARGET) + np.random.default_rng(4).normal(0, 0.01, (1, FRAMES)).astype(np.float32)


def distance(target: Samples, predicted: Samples, frames: int = 1 << 18) -> float | None:
    """Return what pieces of so many frames come to."""
    running = RunningSpectra()
    for start in range(0, target.shape[1], frames):
        running.hear(target[:, start : start + frames], predicted[:, start : start + frames])
    return running.distance


def by_auraloss(target: Samples, predicted: Samples) -> float:
    """Return the multi-resolution STFT loss as auraloss 0.4 writes it, of mono samples, in double precision."""

    def magnitude(samples: Samples, size: int, hop: int, length: int) -> torch.Tensor:
        window = torch.hann_window(length, dtype=torch.float64)
        spectra = torch.stft(torch.from_numpy(samples).double(), size, hop, length, window, return_complex=True)
        return torch.sqrt(torch.clamp(spectra.real**2 + spectra.imag**2, min=1e-8))

    found = []
    for size, hop, length in zip((1024, 2048, 512), (120, 240, 50), (600, 1200, 240), strict=True):
        x, y = magnitude(predicted, size, hop, length), magnitude(target, size, hop, length)
        convergence = torch.norm(y - x, p="fro") / torch.norm(y, p="fro")
        found.append(convergence + torch.nn.functional.l1_loss(torch.log(x), torch.log(y)))
    return float(torch.stack(found).mean())


@pytest.mark.parametrize("frames", [1025, 1200, 2000, 15_840, FRAMES])
def test_it_is_what_auraloss_gives(frames: int):
    """Ends included, at any length that a transform can mirror."""
    expected = by_auraloss(TARGET[:, :frames], PREDICTED[:, :frames])
    assert distance(TARGET[:, :frames], PREDICTED[:, :frames]) == pytest.approx(expected, rel=1e-6)


def test_close_signals_keep_their_figures():
    """A difference of a ten-thousandth is not lost in single precision."""
    close = (TARGET * 1.0001).astype(np.float32)
    assert distance(TARGET, close) == pytest.approx(by_auraloss(TARGET, close), rel=1e-2)


@pytest.mark.parametrize("frames", [1, 777, 4001])
def test_any_pieces_give_that_of_the_whole(frames: int):
    """Windows that lie across pieces count the same, to the last bit."""
    stop = 2_500 if frames == 1 else FRAMES
    target, predicted = TARGET[:, :stop], PREDICTED[:, :stop]
    assert distance(target, predicted, frames) == distance(target, predicted)


def test_known_distances():
    """Perfect is 0; half as loud is one half plus the logarithm of two."""
    assert distance(TARGET, TARGET) == 0
    assert distance(TARGET, TARGET / 2) == pytest.approx(0.5 + np.log(2), rel=1e-3)


def test_silence_and_blips_have_no_spectra():
    """A silent target has nothing to compare with, and less than a window is none."""
    assert distance(0 * TARGET, PREDICTED) is None
    assert distance(TARGET[:, :600], PREDICTED[:, :600]) is None
    assert RunningSpectra().distance is None


def test_what_is_held_does_not_grow():
    """After a long signal no more is held than after a short one."""
    running = RunningSpectra()
    held = []
    for _ in range(30):
        running.hear(TARGET, PREDICTED)
        held.append(sum(each._held.nbytes for each in running._resolutions))
    assert max(held) < 2 * 4 * 3 * (128 * 240 + 1200)
