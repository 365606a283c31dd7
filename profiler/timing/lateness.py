"""Lateness: by how many frames a recording comes after its dry signal, and which way up, from the playing itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from profiler.audio import Samples
from profiler.timing.transfer import UNKNOWN_FRAMES, WINDOW, Spectrum, Transfer, fine_lateness

__all__ = [
    "CLEAR",
    "LONGEST_SECONDS",
    "POLARITY_CLEAR",
    "SPREAD_SECONDS",
    "Lateness",
    "Match",
    "correlation",
    "correlation_within",
    "matched",
    "measure_lateness",
    "peak_of",
    "whitened",
]

CLEAR = 2.5
"""A match that stands less far above the rest is a guess: other playing reaches 1.4."""

POLARITY_CLEAR = 2.7
"""A swing that stands less far above that the other way says nothing of polarity.

Those of a preamp stand up to 2.6 times, some one way up and some the other; an upside-down overdrive 2.8.
"""

SPREAD_SECONDS = 0.01

LONGEST_SECONDS = 1.0
"""Further apart than this, dry and wet are not looked for here; `measure_timing` looks further."""

_EXCERPT_SECONDS = 60.0
_WHITENING = 0.8
_NEIGHBOURHOOD = 200
_ECHOES = 6
_ECHO_SHARE = 0.85
# How alike the correlations of two halves are: up to .06 for other playing, .25 to .83 for reverbs without dry sound.
_AGREEMENT = 0.15
_SPREAD_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class Lateness:
    """`frames` may have a fraction. `clearness` is how far the match stands above the next best one; 1 is a guess.

    `uncertainty_frames` is by how much a filter that cannot be told from a delay may mislead: little when the playing
    holds treble that comes through, several frames when it does not.
    """

    frames: float
    polarity: Literal[-1, 1]
    clearness: float
    uncertainty_frames: float


@dataclass(frozen=True, kw_only=True)
class Match:
    """A place at which two signals match: whole frames of lag, polarity, and how far it stands above the rest.

    `polarity_clearness` is how far it stands above what nearby matches the other way up: where that is little, gear
    swings both ways and has no polarity.
    `is_spread` says that there is no single arrival, as through a reverb without its dry part; then `frames` is where
    the sound begins to arrive, within `SPREAD_SECONDS`, and the polarity is a guess.
    """

    frames: int
    polarity: Literal[-1, 1]
    clearness: float
    is_spread: bool = False
    polarity_clearness: float = 1.0


def measure_lateness(dry: Samples, wet: Samples, sample_rate: int) -> Lateness:
    """Return how late `wet` is against `dry`, both mono of shape (frames,).

    First the generalised cross-correlation with the phase weighting of Knapp & Carter (1976), softened so that bands
    without playing do not decide; then the part of the phase that the gear's own filtering, taken to be
    minimum-phase, does not explain.
    """
    length = int(_EXCERPT_SECONDS * sample_rate)
    start = _loudest(dry, length)
    one = dry[start : start + length].astype(np.float64)
    reach = int(LONGEST_SECONDS * sample_rate)
    begin = max(start - reach, 0)
    other = wet[begin : start + length + reach].astype(np.float64)
    match = matched(one, other, reach=reach, offset=start - begin, sample_rate=sample_rate)
    first = start + match.frames - begin
    common = max(min(len(one), len(other) - first) - max(-first, 0), 0)  # where dry and wet both play
    one, near = (each[skipped:][:common] for each, skipped in ((one, max(-first, 0)), (other, max(first, 0))))
    if match.is_spread:
        rest, uncertainty = 0.0, SPREAD_SECONDS * sample_rate
    elif len(one) < 2 * WINDOW:
        rest, uncertainty = 0.0, UNKNOWN_FRAMES
    else:
        rest, uncertainty = fine_lateness(Transfer.of(one, near))
    return Lateness(
        frames=match.frames + rest,
        polarity=match.polarity,
        clearness=match.clearness,
        uncertainty_frames=uncertainty,
    )


def _loudest(samples: Samples, length: int) -> int:
    if len(samples) <= length:
        return 0
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    return int(np.argmax(energy[length:] - energy[:-length]))


def matched(dry: Spectrum, wet: Spectrum, *, reach: int, offset: int, sample_rate: int = 0) -> Match:
    """Return the whole frames, up to `reach`, by which `wet`, which begins `offset` frames before `dry`, is late.

    Sound that arrives spread out is recognised when `sample_rate` is given.
    """
    found = correlation_within(dry, wet, reach=reach, offset=offset)
    match = peak_of(found)
    if match.clearness < CLEAR and sample_rate:
        half = len(dry) // 2
        halves = [
            correlation_within(part, wet, reach=reach, offset=offset + skip)
            for part, skip in ((dry[:half], 0), (dry[half:], half))
        ]
        match = _spread(found, halves, int(SPREAD_SECONDS * sample_rate)) or match
    return replace(match, frames=match.frames - reach)


def correlation_within(dry: Spectrum, wet: Spectrum, *, reach: int, offset: int) -> Spectrum:
    """Return the correlation at lags from -reach to reach, of shape (2 * reach + 1,)."""
    # Long enough that no lag is another one wrapped around, however short the recordings are.
    size = fft.next_fast_len(max(len(dry), reach) + max(len(wet), 2 * reach), real=True)
    found = correlation(fft.rfft(dry, size), fft.rfft(wet, size), size)
    return found[(np.arange(-reach, reach + 1) + offset) % size]


def peak_of(found: Spectrum) -> Match:
    """Return the place of the earliest of the highest peaks, and how far it stands above what are no peaks.

    Echoes make several peaks; the first of those nearly as high as the highest is the sound itself.
    """
    height = np.abs(found)
    peaks: list[int] = []
    for _ in range(_ECHOES):
        peaks.append(int(np.argmax(height)))
        height[max(peaks[-1] - _NEIGHBOURHOOD, 0) : peaks[-1] + _NEIGHBOURHOOD] = 0
    highest = abs(found[peaks[0]])
    first = min(at for at in peaks if abs(found[at]) >= _ECHO_SHARE * highest)
    polarity: Literal[-1, 1] = 1 if found[first] >= 0 else -1
    near = polarity * found[max(first - _NEIGHBOURHOOD, 0) : first + _NEIGHBOURHOOD]
    return Match(
        frames=first,
        polarity=polarity,
        clearness=float(highest / (height.max() + 1e-30)),
        polarity_clearness=float(near.max() / (max(-near.min(), 0.0) + 1e-30)),
    )


def _spread(found: Spectrum, halves: Sequence[Spectrum], width: int) -> Match | None:
    """Return where sound that arrives spread out begins to, or None when two halves of the playing disagree."""
    one, other = halves
    agreement = float(one @ other) / (math.sqrt(float(one @ one) * float(other @ other)) + 1e-30)
    if agreement < _AGREEMENT:
        return None
    energy = ndimage.uniform_filter1d(found**2, width)
    start = int(np.argmax(energy > _SPREAD_SHARE * energy.max())) + width // 2
    return Match(frames=start, polarity=1, clearness=CLEAR * agreement / _AGREEMENT, is_spread=True)


def correlation(dry: NDArray[np.complex128], wet: NDArray[np.complex128], size: int) -> Spectrum:
    """Return the softened phase correlation, of shape (size,), of two signals given by their spectra."""
    found: Spectrum = fft.irfft(whitened(wet * np.conj(dry)), size)
    return found


def whitened(cross: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return a cross-spectrum with its phase and little of its level, so that no band decides alone where it peaks."""
    level = np.abs(cross)
    return cross / (level + 1e-3 * level.mean() + 1e-30) ** _WHITENING
