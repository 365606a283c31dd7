"""The spectral distance that training goes down is the MR-STFT that scores tell, whatever the setting's level."""

import numpy as np
import pytest
import torch

from profiler.listening.spectra import RunningSpectra
from profiler.training.loss import Loss
from profiler.training.spectral_distance import spectral_distance


def noise(seed: int, frames: int = 9600) -> torch.Tensor:
    """Return one row of noise that fades out."""
    rng = np.random.default_rng(seed)
    fading = np.geomspace(0.3, 0.001, frames)
    return torch.from_numpy((rng.normal(size=(1, frames)) * fading).astype(np.float32))


def test_it_is_the_mr_stft():
    """On one row it agrees with the measure that is computed piece by piece."""
    wet, predicted = noise(0), noise(0) + 0.1 * noise(1)
    running = RunningSpectra()
    running.hear(wet.numpy(), predicted.numpy())
    assert float(spectral_distance(predicted, wet)) == pytest.approx(running.distance, rel=1e-3)
    assert float(spectral_distance(wet, wet)) == 0


def test_it_is_gone_back_through():
    """A step against its gradient brings spectra nearer."""
    wet, predicted = noise(0), (0.5 * noise(0)).requires_grad_()
    before = spectral_distance(predicted, wet)
    (gradient,) = torch.autograd.grad(before, predicted)
    nearer = (predicted - 0.01 * gradient / gradient.abs().max()).detach()
    assert float(spectral_distance(nearer, wet)) < 0.97 * float(before.detach())


def test_quiet_settings_count_like_loud_ones():
    """The same playing at a setting 40 dB down is as far off, where that is the usual level there."""
    loss = Loss(floor=torch.tensor([0.01, 1e-6]), emphasised=0.5, share=0.5)
    wet, predicted = noise(0), noise(0) + 0.1 * noise(1)
    loud = loss.spectral(wet, predicted, torch.tensor([[0]]))
    quiet = loss.spectral(0.01 * wet, 0.01 * predicted, torch.tensor([[1]]))
    assert float(quiet) == pytest.approx(float(loud), rel=1e-3)
