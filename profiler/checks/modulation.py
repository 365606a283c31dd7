"""Modulation: gear that changes by itself while it plays, as with an LFO, found in any playing."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from profiler.audio import Samples
from profiler.spectra import windowed_spectra

__all__ = ["Modulation", "modulation_in_playing", "wide_bands"]

_BANDS = 16
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 10_000.0
_NARROW_BINS, _NARROW_HIGHEST_HZ = 2, 4000.0
_FRAME_SECONDS = 1 / 24
_TIMES_SECONDS = (0.03, 0.15, 0.6, 2.0)
_HEARD = 1e-4
_LEAST_MOMENTS = 100
_SLOWEST_HZ, _FASTEST_HZ = 0.15, 10.0
_LEAST_TURNS = 4
_NEIGHBOURS = 61
_CLEAR_LINE = 8.5
# A line of the dry's levels explains one of the gear's unless that is ten times as clear. Gear without an LFO had at
# most 5 where the dry had 8, and a tremolo 1079 where the dry had 4.
_DRY_LINE, _DRY_SHARE = 4.0, 0.1
_OUTLIER = 4.0
_RIDGE = 1e-6

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True)
class Modulation:
    """How fast the gear moves by itself, or a multiple of it (None when not regular), and the ESR this leaves.

    That ESR is of gear held still in the middle of its movement: nothing that does not know where the movement
    stands comes nearer.
    """

    hz: float | None
    esr: float


def modulation_in_playing(dry: Samples, predicted: Samples, wet: Samples, sample_rate: int) -> Modulation | None:
    """Return the LFO that any playing shows, from dry, dry through the linear fit, and wet, of shape (frames,).

    In each band the complex gain from predicted to wet is followed over time. What the dry's levels, now and in the
    past two seconds, explain of it is taken out: gear answers playing. A line that is left in the spectrum of the
    gains, where the dry's levels have none as clear, is an LFO's. Measured on gear of 26 kinds that has no LFO the
    strongest line was 8 times its surroundings; tremolo, vibrato and phasers show 15 to 1000 times. Behind distortion
    or before it they show 4 to 22 times in 24 s of playing as dull as a guitar's, and 9 to 28 times in a minute.
    """
    size = 2 ** round(np.log2(_FRAME_SECONDS * sample_rate))
    rate = 2 * sample_rate / size
    if len(wet) / sample_rate * _FASTEST_HZ < _LEAST_MOMENTS:
        return None
    sides = [windowed_spectra(each, size) for each in (dry, predicted, wet)]
    frequencies = np.arange(size // 2 + 1) * sample_rate / size
    wide = wide_bands(frequencies, sample_rate)
    levels = _levels(sides[0], wide, rate)
    found = []
    for bands in (wide, _narrow_bands(frequencies, sample_rate)):
        gains = [_gain(sides[1][:, band], sides[2][:, band], levels) for band in bands]
        found.append(_line([gain for gain in gains if gain is not None], levels, rate))
    return max((each for each in found if each), key=lambda each: each.esr, default=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Gain:
    """One band's gain over time, less what the dry explains; how many moments count; energy of predicted and wet."""

    left: Complex
    moments: float
    predicted: float
    wet: float


def _gain(predicted: Complex, wet: Complex, levels: Array) -> _Gain | None:
    energy = np.sum(np.abs(predicted) ** 2, axis=1)
    heard = energy > energy.max(initial=0.0) * _HEARD
    if heard.sum() < _LEAST_MOMENTS:
        return None
    gain = np.sum(wet * predicted.conj(), axis=1) / (energy + 1e-3 * energy.mean()) * heard
    own = np.log(energy + 1e-6 * energy.max())
    design = np.column_stack([levels, own, own**2]) * heard[:, None]
    parts = np.column_stack([gain.real, gain.imag])
    square = np.einsum("ti,tj->ij", design, design)  # too small for the threads of a matrix product to pay
    square[np.diag_indices_from(square)] *= 1 + _RIDGE  # levels of neighbouring bands and times are much alike
    parts -= design @ np.linalg.solve(square, design.T @ parts)
    left = parts[:, 0] + 1j * parts[:, 1]
    limit = _OUTLIER * float(np.median(np.abs(left[heard]))) + 1e-12
    left *= np.minimum(1, limit / (np.abs(left) + 1e-12))
    return _Gain(
        left=left, moments=float(heard.sum()), predicted=float(energy.sum()), wet=float(np.sum(np.abs(wet) ** 2))
    )


def _levels(dry: Complex, bands: list[NDArray[np.bool_]], rate: float) -> Array:
    """Return the dry's log levels, whole and in a few wide bands, smoothed over several times, and their squares."""
    groups = [np.any(bands[start : start + 4], axis=0) for start in range(0, len(bands), 4)]
    columns = []
    for group in (np.ones(dry.shape[1], np.bool_), *groups):
        power = np.sum(np.abs(dry[:, group]) ** 2, axis=1)
        for seconds in _TIMES_SECONDS:
            keep = np.exp(-1 / (rate * seconds))
            smooth = signal.lfilter([1 - keep], [1, -keep], power)
            columns.append(np.log(smooth + 1e-6 * smooth.max() + 1e-30))
    levels = np.stack(columns, axis=1)
    levels = (levels - levels.mean(axis=0)) / (levels.std(axis=0) + 1e-9)
    return np.column_stack([np.ones(len(levels)), levels, levels**2])


def _line(gains: list[_Gain], levels: Array, rate: float) -> Modulation | None:
    """Return the line that the gains share, or None when there is none or the dry has it as well."""
    if not gains:
        return None
    size = 2 ** int(np.ceil(np.log2(2 * len(levels))))
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    total = sum(np.sqrt(gain.wet) * _periodogram(gain.left, size) / _energy(gain.left) for gain in gains)
    fastest_dry = levels[:, 1 : levels.shape[1] // 2 + 1 : len(_TIMES_SECONDS)]
    dry = sum(_periodogram(column.astype(np.complex128), size) for column in fastest_dry.T)
    width = _NEIGHBOURS * size // (2 * len(levels))
    ratio, dry_ratio = (each / (ndimage.median_filter(each, width, mode="nearest") + 1e-30) for each in (total, dry))
    inside = (frequencies > max(_SLOWEST_HZ, _LEAST_TURNS * rate / len(levels))) & (frequencies < _FASTEST_HZ)
    at = int(np.argmax(np.where(inside, ratio, 0)))
    of_dry = float(dry_ratio[max(at - 4, 0) : at + 5].max())
    if ratio[at] < _CLEAR_LINE or of_dry > max(_DRY_LINE, _DRY_SHARE * ratio[at]):
        return None
    turn = np.exp(-2j * np.pi * frequencies[at] * np.arange(len(levels)) / rate)
    left = [
        abs(np.sum(gain.left * way) / gain.moments) ** 2 * gain.predicted for gain in gains for way in (turn, 1 / turn)
    ]
    esr = float(sum(left)) / sum(gain.wet for gain in gains)
    return Modulation(hz=round(float(frequencies[at]), 2), esr=min(esr, 1.0))


def _periodogram(values: Complex, size: int) -> Array:
    """Return the power of complex values at 0 and at each frequency, both ways of turning together."""
    power = np.abs(np.fft.fft((values - values.mean()) * signal.windows.hann(len(values)), size)) ** 2
    return power[: size // 2 + 1] + np.concatenate([power[:1], power[: size // 2 - 1 : -1]])


def _energy(values: Complex) -> float:
    return float(np.sum(np.abs(values) ** 2)) + 1e-30


def wide_bands(frequencies: Array, sample_rate: int) -> list[NDArray[np.bool_]]:
    """Return masks of frequencies for bands evenly spaced by ear, those that hold any."""
    edges = np.geomspace(_LOWEST_HZ, min(_HIGHEST_HZ, 0.42 * sample_rate), _BANDS + 1)
    bands = [(frequencies >= low) & (frequencies < high) for low, high in itertools.pairwise(edges)]
    return [band for band in bands if band.any()]


def _narrow_bands(frequencies: Array, sample_rate: int) -> list[slice]:
    """Return bands of two bins each: a chorus is a comb with many teeth."""
    start, stop = np.searchsorted(frequencies, (_LOWEST_HZ, min(_NARROW_HIGHEST_HZ, 0.42 * sample_rate)))
    return [slice(at, at + _NARROW_BINS) for at in range(int(start), int(stop), _NARROW_BINS)]
