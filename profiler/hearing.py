"""Hearing: one pass over an audio file that says whether it can be used, and which of its channels carry the sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.audio_file import reading
from profiler.clipping import ClippedRuns
from profiler.errors import TakeRejectedError
from profiler.score import SILENCE_DB

__all__ = ["Hearing", "hear", "looks_swapped"]

_BLOCK_FRAMES = 1 << 19
_SHORTEST_SECONDS = 0.5
_QUIETER_DB = 40.0
_CANCELLED_DB = 20.0
_LOUD_SHARE = 0.6
_LOWEST_DB, _BINS_PER_DB = -160.0, 20
_BINS = 200 * _BINS_PER_DB
_TOP_SHARE = 1e-4
# Share of frames within 60 % of the peak. Seventeen dry recordings and two gears that do little: up to .023; a diode
# clipper .24, fuzzes .4 to .8.
_PRESSED = 0.1
_OPEN = 0.04


@dataclass(frozen=True, kw_only=True, eq=False)
class Hearing:
    """What one pass heard.

    `channels` are those that carry the sound: their mean is the recording. `clipped` are spans of the file's frames
    in which a converter ran out of range. `pressed` is the share of frames that lie near the peak.
    """

    path: Path
    sample_rate: int
    frames: int
    channels: tuple[int, ...]
    file_channels: int
    level_db: float
    peak: float
    pressed: float
    clipped: tuple[tuple[int, int], ...]


def hear(path: Path) -> Hearing:
    """Listen to a whole file in blocks. Raises AudioError for NaN or damage, TakeRejectedError for one of no use."""
    with reading(path) as reader:
        if reader.frames < _SHORTEST_SECONDS * reader.sample_rate:
            seconds = reader.frames / reader.sample_rate
            raise TakeRejectedError(f"{path.name} lasts {seconds:.3g} s; at least {_SHORTEST_SECONDS} s are needed.")
        together = np.zeros((reader.channels, reader.channels))
        counts = np.zeros(_BINS, np.int64)
        runs = ClippedRuns()
        for block in reader.blocks(_BLOCK_FRAMES):
            wide = block.astype(np.float64)
            together += wide @ wide.T
            counts += _histogram(block)
            runs.hear(block)
        channels = _carrying(together)
        peak = 10 ** (_peak_db(counts) / 20)
        level_db = _level_db(together, channels, reader.frames)
        if level_db < SILENCE_DB:
            raise TakeRejectedError(f"{path.name} is silent. Check what was recorded.")
        return Hearing(
            path=path,
            sample_rate=reader.sample_rate,
            frames=reader.frames,
            channels=channels,
            file_channels=reader.channels,
            level_db=level_db,
            peak=peak,
            pressed=_pressed(counts),
            clipped=runs.spans,
        )


def _peak_db(counts: NDArray[np.int64]) -> float:
    """Return the level that one frame in ten thousand reaches, in dBFS."""
    above = np.cumsum(counts[::-1])[::-1]
    return float(np.flatnonzero(above > counts.sum() * _TOP_SHARE).max()) / _BINS_PER_DB + _LOWEST_DB


def _pressed(counts: NDArray[np.int64]) -> float:
    """Return the share of frames that lie within 60 % of the peak."""
    near = _peak_db(counts) + 20 * np.log10(_LOUD_SHARE)
    return float(counts[max(round((near - _LOWEST_DB) * _BINS_PER_DB), 0) :].sum() / counts.sum())


def _histogram(block: Samples) -> NDArray[np.int64]:
    """Return how many frames have their loudest channel at each level from -160 to +40 dBFS."""
    level = 20 * np.log10(np.maximum(np.abs(block).max(axis=0), 1e-8))
    place = np.clip((level - _LOWEST_DB) * _BINS_PER_DB, 0, _BINS - 1).astype(np.int64)
    return np.bincount(place, minlength=_BINS)


def _carrying(together: NDArray[np.float64]) -> tuple[int, ...]:
    """Return the channels that carry the sound, from the products of all pairs of channels.

    A silent side is left out, or it would halve the level; of sides that cancel each other the louder one is taken.
    """
    energy = np.diag(together)
    loudest = int(np.argmax(energy))
    found = [channel for channel in range(len(energy)) if energy[channel] > energy[loudest] * 10 ** (-_QUIETER_DB / 10)]
    found = found or [loudest]
    mean = float(together[np.ix_(found, found)].sum()) / len(found) ** 2
    return (loudest,) if mean < energy[loudest] * 10 ** (-_CANCELLED_DB / 10) else tuple(found)


def _level_db(together: NDArray[np.float64], channels: Sequence[int], frames: int) -> float:
    power = float(together[np.ix_(channels, channels)].sum()) / len(channels) ** 2 / frames
    return 10 * float(np.log10(max(power, 1e-20)))


def looks_swapped(dry: Hearing, wet: Hearing) -> str | None:
    """Return why the dry seems to be the wet of this pair, or None. Gear that does not distort leaves no such trace."""
    if dry.pressed > _PRESSED and wet.pressed < _OPEN:
        return (
            f"{dry.pressed:.0%} of the dry lies near its peak, as a distortion's output does, and {wet.pressed:.1%} of "
            "the wet"
        )
    return None
