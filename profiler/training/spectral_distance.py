"""The spectral distance: the MR-STFT of `profiler.listening` in torch, to go back through."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["AURALOSS", "Resolution", "spectral_distance"]

Resolution = tuple[int, int, int]
"""The length of the transform, the hop and the window, in frames."""

AURALOSS: Sequence[Resolution] = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
"""The resolutions that are usual (Yamamoto et al. 2020; Steinmetz and Reiss 2020)."""

_LEAST_POWER = 1e-8


def spectral_distance(
    predicted: Tensor, wet: Tensor, resolutions: Sequence[Resolution] = AURALOSS, *, mirrored: bool = True
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
    return torch.sqrt(torch.clamp(spectrum.real**2 + spectrum.imag**2, min=_LEAST_POWER))
