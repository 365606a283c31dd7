"""The spectral distance: the MR-STFT of `profiler.listening` in torch, to go back through."""

from collections.abc import Sequence

import torch
from torch import Tensor

from profiler.listening.spectra import LEAST_POWER, RESOLUTIONS

__all__ = ["Resolution", "spectral_distance"]

Resolution = tuple[int, int, int]
"""The length of the transform, the hop and the window, in frames."""


def spectral_distance(
    predicted: Tensor, wet: Tensor, resolutions: Sequence[Resolution] = RESOLUTIONS, *, mirrored: bool = True
) -> Tensor:
    """Return the distance between signals of shape (rows, frames), all rows at once.

    At each resolution: spectral convergence plus the mean difference of logarithmic magnitudes. Signals are `mirrored`
    at their ends, so that those count, unless told not to; none may be shorter than the longest transform.
    """
    each = [_distance(predicted, wet, resolution, mirrored=mirrored) for resolution in resolutions]
    return torch.stack(each).mean()


def _distance(predicted: Tensor, wet: Tensor, resolution: Resolution, *, mirrored: bool) -> Tensor:
    found, expected = (_magnitudes(signal, resolution, mirrored=mirrored) for signal in (predicted, wet))
    convergence = torch.linalg.vector_norm(expected - found) / torch.linalg.vector_norm(expected)
    return convergence + (found.log() - expected.log()).abs().mean()


def _magnitudes(signal: Tensor, resolution: Resolution, *, mirrored: bool) -> Tensor:
    length, hop, window = resolution
    shape = torch.hann_window(window, device=signal.device)
    spectrum = torch.stft(signal, length, hop, window, shape, center=mirrored, return_complex=True)
    return torch.sqrt(torch.clamp(spectrum.real**2 + spectrum.imag**2, min=LEAST_POWER))
