"""Stray: how the latency of a take changes while it plays, in fractions of a frame."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import signal

from profiler.audio import Samples
from profiler.finding import Finding
from profiler.recording import HeldRecording
from profiler.timing import POLARITY_CLEAR, Timing, measure_timing

__all__ = ["drifts", "measure_stray", "stray_esr", "stray_findings"]

_SPECTRUM_SECONDS = 0.085
_LATE_SECONDS = 0.001
_LATE_FRAMES = 12
_LEAST_DRIFT_FRAMES = 1.5
_STRAIGHT = 0.25


def measure_stray(dry: Samples, wet: Samples, sample_rate: int) -> Timing | None:
    """Return how the wet runs against the dry, both of shape (frames,); None when too short for it, or silent."""
    if min(len(dry), len(wet)) < sample_rate // 2 or not dry.any() or not wet.any():
        return None
    return measure_timing(HeldRecording(dry), HeldRecording(wet), sample_rate)


def drifts(timing: Timing) -> bool:
    """Return whether the latency strays along a line, as two clocks do, and by enough to matter."""
    is_straight = timing.jump_second is None and timing.wander_frames < _STRAIGHT * timing.spread_frames
    return timing.drift_ppm != 0 and is_straight and timing.spread_frames > _LEAST_DRIFT_FRAMES


def stray_esr(wet: Samples, strays: Sequence[float], sample_rate: int) -> float:
    """Return the ESR that a constant latency leaves of a wet, of shape (frames,), that comes so many frames later."""
    if not strays:
        return 0.0
    size = int(_SPECTRUM_SECONDS * sample_rate)
    frequencies, power = signal.welch(wet, nperseg=min(size, len(wet)))
    turns = 2 * np.pi * frequencies[:, None] * np.asarray(strays)[None]
    return float(np.sum(power[:, None] * 2 * (1 - np.cos(turns))) / (power.sum() * len(strays) + 1e-30))


def stray_findings(timing: Timing, sample_rate: int, *, follows: bool) -> list[Finding]:
    """Return what a straying latency says: a clock that runs at another rate, a jump, a wet that is not its dry's.

    `follows` tells that a filter of the dry explains some of the wet, however late.
    """
    if not timing.is_clear and follows:
        return []  # several arrivals, as of echoes: which of them is the first cannot be told
    if not timing.is_clear:
        message = "The wet does not clearly follow its dry. Is it another recording, or does the gear hide all of it?"
        return [Finding(kind="unrelated", message=message, severity="warning")]
    found = []
    if abs(timing.frames) > max(_LATE_SECONDS * sample_rate, _LATE_FRAMES):
        late = "late" if timing.frames > 0 else "early"
        message = f"The wet is still {abs(timing.frames):.0f} frames {late} after its latency was taken out."
        severity: Literal["note", "warning"] = "note" if timing.frames > 0 else "warning"
        found.append(Finding(kind="latency", message=message, severity=severity))
    if timing.polarity == -1 and timing.polarity_clearness > POLARITY_CLEAR:
        message = "The wet is upside down against its dry; this is learnt as part of the sound."
        found.append(Finding(kind="polarity", message=message))
    if timing.jump_second is not None:
        message = (
            f"The latency jumps by {timing.spread_frames:.0f} frames {timing.jump_second:.0f} s into the playing. "
            "Record it again."
        )
        found.append(Finding(kind="latency-jump", message=message, severity="warning"))
    elif drifts(timing):
        message = (
            f"The recorder's clock drifts by {timing.drift_ppm:+.1f} ppm, {timing.spread_frames:.1f} frames over the "
            "take. Play and record through one interface."
        )
        found.append(Finding(kind="drift", message=message, severity="warning"))
    return found
