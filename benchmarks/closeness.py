"""How close a predicted signal is to the recorded one, in the measures that profilers are compared by."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from profiler.listening import RunningListening
from profiler.score import error_to_signal

__all__ = ["closeness", "spectral_distance"]

_RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))  # transform, hop and window


def closeness(wet: NDArray[np.float32], predicted: NDArray[np.float32], rate: int) -> Mapping[str, float | None]:
    """Return the measures of two signals of shape (frames,): `esr` without pre-emphasis, `mr_stft` and `mfcc_l1`."""
    listening = RunningListening(rate)
    listening.hear(wet[None], predicted[None])
    heard = listening.value
    return {
        "esr": error_to_signal(wet[None], predicted[None]),
        "mr_stft": heard.mr_stft,
        "mfcc_l1": heard.mfcc_l1,
    }


def spectral_distance(predicted: Tensor, wet: Tensor) -> Tensor:
    """Return the `mr_stft` of two signals of shape (rows, frames) in torch, to go back through: NAM's loss holds it.

    At each of three resolutions, over all rows at once: spectral convergence plus the mean difference of logarithmic
    magnitudes (Yamamoto et al. 2020; Steinmetz and Reiss 2020).
    """
    return sum((_distance(predicted, wet, *sizes) for sizes in _RESOLUTIONS), torch.zeros(())) / len(_RESOLUTIONS)


def _distance(predicted: Tensor, wet: Tensor, transform: int, hop: int, window: int) -> Tensor:
    found, expected = (_magnitudes(signal, transform, hop, window) for signal in (predicted, wet))
    convergence = torch.linalg.vector_norm(expected - found) / torch.linalg.vector_norm(expected)
    return convergence + (found.log() - expected.log()).abs().mean()


def _magnitudes(signal: Tensor, transform: int, hop: int, window: int) -> Tensor:
    shape = torch.hann_window(window)
    spectrum = torch.stft(signal, transform, hop, window, shape, return_complex=True)
    return torch.sqrt(torch.clamp(spectrum.real**2 + spectrum.imag**2, min=1e-8))
