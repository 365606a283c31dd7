"""What playing shows of gear and learnt: spectra, the loudest moment, and how loud out for how loud in."""

import numpy as np

from profiler.audio import Samples
from profiler.report.svg import Series

__all__ = ["banded", "finite_mono", "levels_by_level", "loudest_moment", "worst_excerpt"]

_BANDS_AN_OCTAVE = 12
_WINDOW_SECONDS = 0.05
_STEP_DB = 3.0
_FEWEST_WINDOWS = 3
_QUIETEST_DB = -70.0


def finite_mono(samples: Samples) -> Samples:
    """Return the channels' mean of (channels, frames); what is no number is silence."""
    return np.nan_to_num(samples.mean(axis=0, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def banded(samples: Samples, sample_rate: int) -> tuple[Series, Series]:
    """Return centre frequencies in Hz and mean levels in dB of twelfth-octave bands that hold a bin, for (frames,)."""
    length = min(8192, len(samples))
    window = np.hanning(length) if length > 2 else np.ones(length)
    starts = range(0, len(samples) - length + 1, max(length // 2, 1))
    spectra = [np.abs(np.fft.rfft(samples[start : start + length] * window)) ** 2 for start in starts]
    power = np.mean(spectra, axis=0) / (sample_rate * np.sum(window**2))
    frequency = np.fft.rfftfreq(length, 1 / sample_rate)
    band = np.round(_BANDS_AN_OCTAVE * np.log2(np.maximum(frequency, 1e-3) / 1000)).astype(int)
    audible = (frequency >= 25) & (frequency < 0.499 * sample_rate)
    bands = np.unique(band[audible])
    level = np.asarray([power[audible & (band == each)].mean() for each in bands])
    return 1000 * 2.0 ** (bands / _BANDS_AN_OCTAVE), 10 * np.log10(np.maximum(level, 1e-20))


def loudest_moment(samples: Samples, length: int) -> slice:
    """Return a stretch of at most `length` frames around the loudest one."""
    length = min(length, len(samples))
    loudest = int(np.argmax(np.abs(samples))) if len(samples) else 0
    start = int(np.clip(loudest - length // 3, 0, len(samples) - length))
    return slice(start, start + length)


def worst_excerpt(wet: Samples, learnt: Samples, length: int) -> slice:
    """Return the stretch of at most `length` frames with the most energy in the difference; the loudest where none."""
    length = min(length, len(wet))
    error = (wet.astype(np.float64) - learnt) ** 2
    energy = np.concatenate([[0.0], np.cumsum(error if error.any() else wet.astype(np.float64) ** 2)])
    start = int(np.argmax(energy[length:] - energy[: len(energy) - length]))
    return slice(start, start + length)


def levels_by_level(dry: Samples, wets: list[Samples], sample_rate: int) -> tuple[Series, list[Series]]:
    """Return how loud each wet is where the dry is so loud, in dBFS RMS of windows of 50 ms, in steps of 3 dB.

    All are of shape (frames,). Steps with fewer than three windows are left out.
    """
    length = max(int(_WINDOW_SECONDS * sample_rate), 1)
    count = len(dry) // length
    powers = [
        np.mean(each[: count * length].astype(np.float64).reshape(count, length) ** 2, axis=1) for each in (dry, *wets)
    ]
    level = 10 * np.log10(np.maximum(powers[0], 1e-20))
    steps = np.round(level / _STEP_DB).astype(int)
    kept = [
        step
        for step in np.unique(steps)
        if step * _STEP_DB >= _QUIETEST_DB and (steps == step).sum() >= _FEWEST_WINDOWS
    ]
    out = [
        np.asarray([10 * np.log10(max(power[steps == step].mean(), 1e-20)) for step in kept]) for power in powers[1:]
    ]
    return np.asarray(kept, np.float64) * _STEP_DB, out
