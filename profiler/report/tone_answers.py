"""What gear or a profile answers to test tones: harmonics by frequency and by level, and the static curve."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.report.svg import Series
from profiler.tones import Wave, level_ramps, sweep_phase, sweeps

__all__ = ["RAMP_HZ", "Ramp", "Swept", "measuring_tones", "ramps", "swept"]

RAMP_HZ = (82.41, 220.0, 1000.0, 4000.0)
"""Pitches of `tones.level_ramps`, in Hz."""

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
        levels, places = _levels(each_wet, phase, sample_rate, _HARMONICS)
        played, _ = _levels(each_dry, phase, sample_rate, 1)
        frequency = (np.gradient(phase) * sample_rate / (2 * np.pi))[places]
        for number in range(1, _HARMONICS + 1):
            levels[number - 1, frequency * number > 0.45 * sample_rate] = np.nan
        levels[:, ~_calm(each_still, places, sample_rate)] = np.nan
        heard = frequency >= _LOWEST_HZ
        levels, frequency, played = levels[:, heard], frequency[heard], played[:, heard]
        harmonics = 20 * np.log10(np.maximum(levels[1:], 1e-7) / np.maximum(levels[:1], 1e-7))
        found.append(
            Swept(
                level_db=round(20 * float(np.log10(max(np.abs(each_dry).max(initial=0), 1e-7)))),
                frequency_hz=frequency,
                gain_db=20 * np.log10(np.maximum(levels[0], 1e-7) / np.maximum(played[0], 1e-7)),
                harmonics_db=harmonics,
                distortion_db=_summed(harmonics),
            )
        )
    return found


def ramps(dry: Wave, wet: Wave, still: NDArray[np.bool_], sample_rate: int) -> list[Ramp]:
    """Return what the answer to `tones.level_ramps` shows, one tone after the other."""
    tones = [frequency for frequency in RAMP_HZ if frequency < 0.45 * sample_rate]
    length = len(dry) // len(tones)
    found = []
    for number, frequency in enumerate(tones):
        span = slice(number * length, (number + 1) * length)
        phase = 2 * np.pi * frequency * np.arange(length) / sample_rate
        levels, places = _levels(wet[span], phase, sample_rate, _HARMONICS)
        played, _ = _levels(dry[span], phase, sample_rate, 1)
        for harmonic in range(1, _HARMONICS + 1):
            if frequency * harmonic > 0.45 * sample_rate:
                levels[harmonic - 1] = np.nan
        levels[:, ~_calm(still[span], places, sample_rate)] = np.nan
        cycles = _loud_cycles(length, frequency, sample_rate)
        found.append(
            Ramp(
                frequency_hz=frequency,
                in_db=20 * np.log10(np.maximum(played[0], 1e-7)),
                out_db=20 * np.log10(np.maximum(levels[0], 1e-7)),
                harmonics_db=20 * np.log10(np.maximum(levels[1:], 1e-7) / np.maximum(levels[:1], 1e-7)),
                curve_in=dry[span][cycles],
                curve_out=wet[span][cycles],
            )
        )
    return found


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
