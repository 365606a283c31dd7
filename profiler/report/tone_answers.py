"""What gear or a profile answers to test tones: harmonics by frequency and by level, and the static curve."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.report.svg import Series
from profiler.tones import Wave, level_ramps, ramp_pitches, sweep_phase, sweeps

__all__ = ["Ramp", "Swept", "measuring_tones", "ramps", "swept"]

_SWEEP_SECONDS, _RAMP_SECONDS = 4.0, 2.0
_HARMONICS = 8
_WINDOW_SECONDS = 0.1
_LOWEST_HZ = 50.0
_CYCLES = 2
_NOTHING_DB = -120.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Swept:
    """The answer to one sweep: per frequency the gain of the fundamental in dB, and its harmonics' levels below it.

    `harmonics_db` is of shape (7, points), from the second harmonic on; `distortion_db` is their sum. NaN stands where
    a harmonic would lie beyond what is recorded, and where knobs moved.
    """

    level_db: float
    frequency_hz: Series
    gain_db: Series
    harmonics_db: Series
    distortion_db: Series


@dataclass(frozen=True, kw_only=True, eq=False)
class Ramp:
    """The answer to a tone that grows: levels in and out in dBFS (peak), harmonics below, and the loudest cycles."""

    frequency_hz: float
    in_db: Series
    out_db: Series
    harmonics_db: Series
    curve_in: Series
    curve_out: Series


def measuring_tones(sample_rate: int) -> tuple[Wave, Wave]:
    """Return sweeps and ramps as every stimulus has them."""
    return (
        sweeps(sample_rate=sample_rate, seconds=_SWEEP_SECONDS),
        level_ramps(sample_rate=sample_rate, seconds=_RAMP_SECONDS),
    )


def swept(dry: Wave, wet: Wave, still: NDArray[np.bool_], sample_rate: int) -> list[Swept]:
    """Return what the answer to `tones.sweeps` shows, one sweep after the other; all arrays are of shape (frames,)."""
    found = []
    for each_dry, each_wet, each_still in zip(*(np.split(each, 2) for each in (dry, wet, still)), strict=True):
        phase = sweep_phase(sample_rate=sample_rate, frames=len(each_dry))
        answer = _answer(each_dry, each_wet, each_still, phase, sample_rate)
        heard = answer.frequency_hz >= _LOWEST_HZ
        played, levels = answer.played[heard], answer.levels[:, heard]
        harmonics = _below_first(levels)
        found.append(
            Swept(
                level_db=round(20 * float(np.log10(max(np.abs(each_dry).max(initial=0), 1e-7)))),
                frequency_hz=answer.frequency_hz[heard],
                gain_db=20 * np.log10(np.maximum(levels[0], 1e-7) / np.maximum(played, 1e-7)),
                harmonics_db=harmonics,
                distortion_db=_summed(harmonics),
            )
        )
    return found


def ramps(dry: Wave, wet: Wave, still: NDArray[np.bool_], sample_rate: int) -> list[Ramp]:
    """Return what the answer to `tones.level_ramps` shows, one tone after the other."""
    tones = ramp_pitches(sample_rate)
    length = len(dry) // len(tones)
    found = []
    for number, frequency in enumerate(tones):
        span = slice(number * length, (number + 1) * length)
        phase = 2 * np.pi * frequency * np.arange(length) / sample_rate
        answer = _answer(dry[span], wet[span], still[span], phase, sample_rate)
        cycles = _loud_cycles(length, frequency, sample_rate)
        found.append(
            Ramp(
                frequency_hz=frequency,
                in_db=20 * np.log10(np.maximum(answer.played, 1e-7)),
                out_db=20 * np.log10(np.maximum(answer.levels[0], 1e-7)),
                harmonics_db=_below_first(answer.levels),
                curve_in=dry[span][cycles],
                curve_out=wet[span][cycles],
            )
        )
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Answer:
    """Amplitudes at some places of a tone: of what was played, and of the answer's harmonics (harmonics, places)."""

    frequency_hz: Series
    played: Series
    levels: Series


def _answer(dry: Wave, wet: Wave, still: NDArray[np.bool_], phase: Wave, sample_rate: int) -> _Answer:
    """Return the harmonics of the answer to a tone of that phase; NaN for what is not recorded, or where knobs move."""
    levels, places = _levels(wet, phase, sample_rate, _HARMONICS)
    (played,), _ = _levels(dry, phase, sample_rate, 1)
    frequency = (np.gradient(phase) * sample_rate / (2 * np.pi))[places]
    levels[np.outer(np.arange(1, _HARMONICS + 1), frequency) > 0.45 * sample_rate] = np.nan
    levels[:, ~_calm(still, places, sample_rate)] = np.nan
    return _Answer(frequency_hz=frequency, played=played, levels=levels)


def _below_first(levels: Series) -> Series:
    """Return the levels of the harmonics from the second on, in dB beside the first."""
    return 20 * np.log10(np.maximum(levels[1:], 1e-7) / np.maximum(levels[:1], 1e-7))


def _loud_cycles(length: int, frequency: float, sample_rate: int) -> slice:
    """Return the last whole cycles of a ramp, 10 ms before its end, where it fades."""
    stop = max(length - sample_rate // 100, 0)
    return slice(max(stop - round(_CYCLES * sample_rate / frequency), 0), stop)


def _levels(wave: Wave, phase: Wave, sample_rate: int, count: int) -> tuple[Series, NDArray[np.int64]]:
    """Return the amplitudes of the first harmonics of a phase, of shape (count, places), and the places' frames."""
    length = min(int(_WINDOW_SECONDS * sample_rate), len(wave))
    hop = max(length // 4, 1)
    window = np.blackman(length) if length > 2 else np.ones(length)
    starts = np.arange(0, len(wave) - length + 1, hop)
    rows: list[Sequence[float]] = []
    for number in range(1, count + 1):
        still = np.asarray(wave, np.float64) * np.exp(-1j * number * phase)
        rows.append([2 * abs(np.dot(still[start : start + length], window)) / window.sum() for start in starts])
    return np.asarray(rows).reshape(count, len(starts)), starts + length // 2


def _calm(still: NDArray[np.bool_], places: NDArray[np.int64], sample_rate: int) -> NDArray[np.bool_]:
    """Say for each place whether no knob moves in the window around it."""
    half = int(_WINDOW_SECONDS * sample_rate) // 2
    moves = np.concatenate([[0], np.cumsum(~still)])
    return moves[np.minimum(places + half, len(still))] == moves[np.maximum(places - half, 0)]


def _summed(harmonics_db: Series) -> Series:
    power = np.nansum(10 ** (harmonics_db / 10), axis=0)
    unknown = np.isnan(harmonics_db).all(axis=0)
    return np.where(unknown, np.nan, 10 * np.log10(np.maximum(power, 10 ** (_NOTHING_DB / 10))))
