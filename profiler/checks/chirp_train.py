"""Chirp train: gear that changes by itself answers equal chirps differently."""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from profiler.audio import Samples
from profiler.checks.modulation import Modulation, wide_bands
from profiler.tones import CHIRP_GAP_SECONDS

__all__ = ["modulation_in_chirps"]

_SETTLING_SECONDS = 0.8
_LEAST_DB = 1.0
_LEAST_TURN = 0.2
_LASTING = 0.75
_OVER_NOISE = 100.0
_QUIETEST = 1e-6
_LEAST_SHARE = 0.02
_LEAST_TURNS = 1.5

Array = NDArray[np.float64]


def modulation_in_chirps(wet: Samples, playing: Samples, sample_rate: int, *, noise: float) -> Modulation | None:
    """Return how the answers to the train of equal chirps in `wet` differ, None if they do not.

    Gear that stays the same settles: its answers become equal. Only what changes by more than 1 dB, or a fifth of a
    radian, in the last part of the train as well as in the middle of it counts, in bands well above the noise power.
    How much that matters is weighed by the spectrum of the wet `playing`. Both are of shape (frames,).
    """
    gap = round(CHIRP_GAP_SECONDS * sample_rate)
    count = len(wet) // gap
    settled = int(_SETTLING_SECONDS / CHIRP_GAP_SECONDS)
    if count < 2 * settled:
        return None
    answers = np.fft.rfft(wet[: count * gap].reshape(count, gap).astype(np.float64), axis=1)[settled:]
    bands = wide_bands(np.arange(gap // 2 + 1) * sample_rate / gap, sample_rate)
    power = np.stack([np.sum(np.abs(answers[:, band]) ** 2, axis=1) for band in bands], axis=1)
    rest = np.asarray([np.sum(band) for band in bands]) * noise * gap
    usable = (power.min(axis=0) > _OVER_NOISE * rest) & (power.mean(axis=0) > _QUIETEST * power.mean(axis=0).max())
    level = 10 * np.log10(np.maximum(power, 1e-30))
    turn = np.stack([_turns(answers[:, band]) for band in bands], axis=1)
    lasting = usable & (_moves(level, _LEAST_DB) | _moves(turn, _LEAST_TURN))
    share = power.mean(axis=0)
    if share[lasting].sum() < _LEAST_SHARE * share.sum() or not lasting.any():
        return None
    late = answers[len(answers) // 2 :]
    strays = np.mean(np.abs(late - late.mean(axis=0)) ** 2, axis=0) / (np.mean(np.abs(late) ** 2, axis=0) + 1e-30)
    _, spectrum = signal.welch(playing, nperseg=gap)
    heard = np.any([bands[at] for at in np.flatnonzero(usable)], axis=0)
    esr = float(np.sum(strays * spectrum * heard) / (np.sum(spectrum) + 1e-30))
    return Modulation(hz=_rate(np.concatenate([level[:, lasting] / 8.7, turn[:, lasting]], axis=1)), esr=esr)


def _turns(answers: NDArray[np.complex128]) -> Array:
    """Return by what angle each answer is turned against the mean of all, for one band."""
    return np.unwrap(np.angle(np.sum(answers * answers.mean(axis=0).conj(), axis=1)))


def _moves(values: Array, least: float) -> NDArray[np.bool_]:
    half = len(values) // 2
    middle, last = (np.ptp(part, axis=0) for part in (values[:half], values[half:]))
    return (np.minimum(middle, last) > least) & (last > _LASTING * middle)


def _rate(values: Array) -> float | None:
    """Return the frequency at which values of shape (chirps, bands) turn, None when they show no whole turn."""
    moved = (values - values.mean(axis=0)) * signal.windows.hann(len(values))[:, None]
    size = 8 * len(values)
    power = np.sum(np.abs(np.fft.rfft(moved, size, axis=0)) ** 2, axis=1)
    hz = float(np.fft.rfftfreq(size, CHIRP_GAP_SECONDS)[int(np.argmax(power))])
    return round(hz, 2) if hz * len(values) * CHIRP_GAP_SECONDS > _LEAST_TURNS else None
