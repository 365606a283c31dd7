"""Stray: how the latency of a take changes while it plays, in fractions of a frame."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from profiler.audio import Samples
from profiler.finding import Finding
from profiler.lateness import measure_lateness

__all__ = ["Stray", "measure_stray", "stray_esr", "stray_findings"]

_WINDOW_SECONDS = 4.0
_SPECTRUM_SECONDS = 0.085
_LEAST_WINDOWS = 3
_UP = 16
_COHERENT = 0.5
_LEAST_BINS = 24
_QUIET = 0.05
_CLEAR = 2.5
_LATE_SECONDS = 0.001
_LATE_FRAMES = 12
_LEAST_DRIFT_FRAMES = 1.5
_LEAST_JUMP_FRAMES = 6.0
_STRAIGHT = 0.25


@dataclass(frozen=True, kw_only=True, eq=False)
class Stray:
    """Latency left in the whole take (None when unclear), and at moments (in frames) how it strays from its median.

    `drift_ppm` is the slope of a straight line through the moments, `spread_frames` their range, `bend_frames` the
    range that is left without the line.
    """

    frames: float | None
    polarity: Literal[-1, 1] | None
    moments: NDArray[np.float64]
    strays: NDArray[np.float64]
    drift_ppm: float
    spread_frames: float
    bend_frames: float

    @property
    def drifts(self) -> bool:
        """Whether it strays along a line, as two clocks do. Gear that distorts strays too, by a few frames anyhow."""
        is_straight = self.bend_frames < _STRAIGHT * self.spread_frames
        return len(self.strays) > _LEAST_WINDOWS and self.spread_frames > _LEAST_DRIFT_FRAMES and is_straight

    @property
    def jumps(self) -> bool:
        """Whether it stands at one latency and then at another."""
        if self.spread_frames < _LEAST_JUMP_FRAMES or self.drifts:
            return False
        ranges = (np.ptp(self.strays[:at]) + np.ptp(self.strays[at:]) for at in range(1, len(self.strays)))
        return bool(min(ranges) < 2 * _STRAIGHT * self.spread_frames)


def measure_stray(dry: Samples, wet: Samples, sample_rate: int) -> Stray | None:
    """Return how the wet's latency strays, both of shape (frames,) and roughly aligned; None when too short for it.

    Windows of four seconds are compared with one of them by the phase of their cross-spectra, so that the gear's own
    phase cancels out.
    """
    if min(len(dry), len(wet)) < sample_rate // 2 or not dry.any() or not wet.any():
        return None
    whole = measure_lateness(dry, wet, sample_rate)
    moments, strays = _strays(dry, wet, sample_rate)
    line = np.zeros(len(strays))
    slope = 0.0
    if len(strays) >= _LEAST_WINDOWS:
        slope = _median_slope(moments, strays)
        line = slope * (moments - np.median(moments))
    clear = whole.clearness >= _CLEAR
    return Stray(
        frames=whole.frames if clear else None,
        polarity=whole.polarity if clear else None,
        moments=moments,
        strays=strays,
        drift_ppm=slope * 1e6,
        spread_frames=float(np.ptp(strays)) if len(strays) else 0.0,
        bend_frames=float(np.ptp(strays - line)) if len(strays) else 0.0,
    )


def stray_esr(wet: Samples, stray: Stray, sample_rate: int) -> float:
    """Return the ESR that a constant latency leaves of a wet whose latency strays like this."""
    size = int(_SPECTRUM_SECONDS * sample_rate)
    frequencies, power = signal.welch(wet, nperseg=min(size, len(wet)))
    if not len(stray.strays):
        return 0.0
    turns = 2 * np.pi * frequencies[:, None] * stray.strays[None]
    return float(np.sum(power[:, None] * 2 * (1 - np.cos(turns))) / (power.sum() * len(stray.strays) + 1e-30))


def _strays(dry: Samples, wet: Samples, sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    length = int(_WINDOW_SECONDS * sample_rate)
    size = 2 ** round(np.log2(_SPECTRUM_SECONDS * sample_rate))
    starts = [*range(0, len(dry) - length + 1, length)]
    loudest = float(np.sqrt(np.mean(np.square(dry, dtype=np.float64))))
    found = []
    for start in starts:
        one, other = dry[start : start + length], wet[start : start + length]
        if np.sqrt(np.mean(np.square(one, dtype=np.float64))) > _QUIET * loudest:
            found.append((start + length / 2, *_transfer(one, other, size)))
    if len(found) < _LEAST_WINDOWS:
        return np.zeros(0), np.zeros(0)
    reference = max(found, key=lambda each: float(each[2].sum()))
    moments, delays = [], []
    for moment, cross, coherence in found:
        weight = np.where((coherence > _COHERENT) & (reference[2] > _COHERENT), coherence * reference[2], 0)
        weight[:2] = 0
        if (weight > 0).sum() >= _LEAST_BINS:
            phase = cross * reference[1].conj()
            moments.append(moment)
            delays.append(_delay(weight * phase / (np.abs(phase) + 1e-30), size))
    strays = np.asarray(delays)
    return np.asarray(moments), strays - np.median(strays) if len(strays) else strays


def _transfer(dry: Samples, wet: Samples, size: int) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    settings = {"nperseg": size, "noverlap": size // 2, "detrend": False}
    _, cross = signal.csd(dry, wet, **settings)
    _, power = signal.welch(dry, **settings)
    _, wet_power = signal.welch(wet, **settings)
    return cross, np.abs(cross) ** 2 / (power * wet_power + 1e-30)


def _delay(spectrum: NDArray[np.complex128], size: int) -> float:
    match = fft.irfft(spectrum, size * _UP)
    best = int(np.argmax(match))
    before, at, after = match[best - 1], match[best], match[(best + 1) % len(match)]
    peak = best + 0.5 * (before - after) / (before - 2 * at + after - 1e-30)
    return float((peak + len(match) / 2) % len(match) - len(match) / 2) / _UP


def _median_slope(moments: NDArray[np.float64], strays: NDArray[np.float64]) -> float:
    """Return the median of all slopes between two points (Theil 1950; Sen 1968)."""
    one, other = np.triu_indices(len(moments), 1)
    return float(np.median((strays[other] - strays[one]) / (moments[other] - moments[one])))


def stray_findings(stray: Stray, sample_rate: int, *, follows: bool) -> list[Finding]:
    """Return what a straying latency says: a clock that runs at another rate, a jump, a wet that is not its dry's.

    `follows` tells that a filter of the dry explains some of the wet, however late.
    """
    if stray.frames is None and follows:
        return []  # several arrivals, as of echoes: which of them is the first cannot be told
    if stray.frames is None:
        message = "The wet does not clearly follow its dry. Is it another recording, or does the gear hide all of it?"
        return [Finding(kind="unrelated", message=message, severity="warning")]
    found = []
    if abs(stray.frames) > max(_LATE_SECONDS * sample_rate, _LATE_FRAMES):
        late = "late" if stray.frames > 0 else "early"
        message = f"The wet is still {abs(stray.frames):.0f} frames {late} after its latency was taken out."
        severity: Literal["note", "warning"] = "note" if stray.frames > 0 else "warning"
        found.append(Finding(kind="latency", message=message, severity=severity))
    if stray.polarity == -1:
        message = "The wet is upside down against its dry; this is learnt as part of the sound."
        found.append(Finding(kind="polarity", message=message))
    if stray.drifts:
        message = (
            f"The recorder's clock drifts by {stray.drift_ppm:+.1f} ppm, {stray.spread_frames:.1f} frames over the "
            "take. Play and record through one interface."
        )
        found.append(Finding(kind="drift", message=message, severity="warning"))
    elif stray.jumps:
        message = f"The latency jumps by {stray.spread_frames:.0f} frames within the take. Record it again."
        found.append(Finding(kind="latency-jump", message=message, severity="warning"))
    return found
