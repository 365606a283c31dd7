"""Difference: in what way two recordings of the same playing through the same gear differ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.score import SILENCE_DB, level_db
from profiler.spectra import windowed_spectra

__all__ = ["Difference", "compare"]

_WINDOW_SECONDS = 1 / 48
_TILE_BINS = 8
_TILE_FRAMES = 8
_CHANCE = 1 / 40  # what one gain for each tile explains of pure noise, whose overlapping frames are alike
_CHUNK_FRAMES = 1 << 20

Tiles = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The energy of a difference, relative to the first recording's, in three parts that add up to `esr`.

    `steady` is a filter or gain that stays the same throughout, as when a knob was turned in between; `moving` is one
    that changes with time, as with an LFO or a clock that wanders; `noise` is what no filter explains. `gain_db` is
    how much louder the second recording is.
    """

    esr: float
    steady: float
    moving: float
    noise: float
    gain_db: float


def compare(one: Samples, other: Samples, sample_rate: int) -> Difference | None:
    """Return how `other` differs from `one`, both of shape (frames,) and aligned; None when `one` is silent.

    The spectrogram is cut into tiles of about 400 Hz by 80 ms. Within a tile gear that moves slowly is one complex
    gain, so what a gain for each tile explains is movement, and what one gain for each band explains is steady.
    """
    if level_db(one) < SILENCE_DB:
        return None
    energy = difference = louder = 0.0
    tiles: list[tuple[NDArray[np.complex128], Tiles, Tiles]] = []
    for start in range(0, len(one), _CHUNK_FRAMES):
        first, second = (each[start : start + _CHUNK_FRAMES].astype(np.float64) for each in (one, other))
        energy += float(np.sum(first**2))
        difference += float(np.sum((second - first) ** 2))
        louder += float(np.sum(second**2))
        tiles.append(_tiles(first, second, sample_rate))
    change, power, missed = (np.concatenate(each) for each in zip(*tiles, strict=True))
    total = float(missed.sum()) + 1e-30
    in_tiles = float(np.sum(np.abs(change) ** 2 / (power + 1e-30)))
    in_bands = float(np.sum(np.abs(change.sum(axis=0)) ** 2 / (power.sum(axis=0) + 1e-30)))
    explained = max((in_tiles / total - _CHANCE) / (1 - _CHANCE), 0.0)
    steady = min(in_bands / total, explained)
    esr = difference / energy
    return Difference(
        esr=esr,
        steady=esr * steady,
        moving=esr * (explained - steady),
        noise=esr * (1 - explained),
        gain_db=10 * float(np.log10(max(louder / energy, 1e-20))),
    )


def _tiles(
    one: NDArray[np.float64], other: NDArray[np.float64], sample_rate: int
) -> tuple[NDArray[np.complex128], Tiles, Tiles]:
    """Return, by tile of shape (times, bands): sum of D conj(A), of |A|^2 and of |D|^2, D being the difference."""
    size = max(2 ** round(np.log2(_WINDOW_SECONDS * sample_rate)), 32)
    first, second = (windowed_spectra(_padded(each, size), size) for each in (one, other - one))
    times, bands = -(-first.shape[0] // _TILE_FRAMES), -(-first.shape[1] // _TILE_BINS)
    room = ((0, times * _TILE_FRAMES - first.shape[0]), (0, bands * _TILE_BINS - first.shape[1]))
    first, second = (np.pad(each, room) for each in (first, second))

    def summed(values: NDArray[np.complex128]) -> NDArray[np.complex128]:
        return values.reshape(times, _TILE_FRAMES, bands, _TILE_BINS).sum(axis=(1, 3))

    return summed(second * first.conj()), summed(np.abs(first) ** 2).real, summed(np.abs(second) ** 2).real


def _padded(samples: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    return np.pad(samples, (0, max(size - len(samples), 0)))
