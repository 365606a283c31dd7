"""Levels: how loud a recording is, how much of it is clipped, and where its rest lies. Read in blocks of any length."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from profiler.audio import Samples
from profiler.clipping import ClippedRuns
from profiler.finding import Finding
from profiler.score import SILENCE_DB

__all__ = ["Levels", "decibels", "level_findings", "measure_levels"]

_HOT_DB = -0.1
_QUIET_DRY_DB = -30.0
_QUIET_WET_PEAK_DB = -40.0
_CLIPPED_BADLY = 0.01
_CLIPPED_HARDLY = 1e-5
_DC_DB = -60.0
_DC_SHARE = 0.05


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Peak and RMS in dBFS, -200 for digital silence; the mean (DC); the share of frames that are clipped."""

    frames: int
    peak_db: float
    level_db: float
    dc: float
    clipped_share: float
    clips: int


def decibels(power: float) -> float:
    """Return a power in dB, -200 for nothing."""
    return 10 * float(np.log10(max(power, 1e-20)))


def measure_levels(blocks: Iterable[Samples]) -> Levels:
    """Return the levels of a recording given as blocks of shape (channels, frames)."""
    peak = energy = total = 0.0
    frames = count = 0
    runs = ClippedRuns()
    for block in blocks:
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        energy += float(np.sum(np.square(block, dtype=np.float64)))
        total += float(block.sum(dtype=np.float64))
        runs.hear(block)
        frames += block.shape[1]
        count += block.size
    clips = runs.spans
    return Levels(
        frames=frames,
        peak_db=decibels(peak**2),
        level_db=decibels(energy / max(count, 1)),
        dc=total / max(count, 1),
        clipped_share=sum(stop - start for start, stop in clips) / max(frames, 1),
        clips=len(clips),
    )


def level_findings(dry: Levels, wet: Levels, *, by_converter: bool) -> list[Finding]:
    """Return what the levels of a take say. `by_converter` tells that a converter could have clipped the wet."""
    if wet.level_db < SILENCE_DB:
        what = "so is the dry: there is nothing to learn" if dry.level_db < SILENCE_DB else "check cables and levels"
        return [Finding(kind="silent", severity="error", message=f"The wet is silent; {what}.")]
    found = []
    if dry.level_db < SILENCE_DB:
        message = "The dry is silent although the wet is not: nothing in it tells what the gear does."
        found.append(Finding(kind="silent", severity="error", message=message))
    if by_converter and wet.clips:
        found.append(_clipping(wet))
    if SILENCE_DB <= dry.level_db < _QUIET_DRY_DB and dry.peak_db < _QUIET_DRY_DB + 12:
        message = f"The dry peaks at {dry.peak_db:.0f} dBFS: the gear was never driven. Play louder into it."
        found.append(Finding(kind="quiet-dry", severity="warning", message=message))
    if wet.peak_db < _QUIET_WET_PEAK_DB:
        message = f"The wet peaks at only {wet.peak_db:.0f} dBFS. Turn up the return, and its noise stays behind."
        found.append(Finding(kind="quiet-wet", severity="warning", message=message))
    dc_db = decibels(wet.dc**2)
    if dc_db > _DC_DB and dc_db > wet.level_db + 20 * np.log10(_DC_SHARE):
        message = f"The wet stands off its middle (DC {dc_db:.0f} dBFS): part of the gear's sound, or of the input."
        found.append(Finding(kind="dc", message=message))
    return found


def _clipping(wet: Levels) -> Finding:
    if wet.clipped_share < _CLIPPED_HARDLY:
        return Finding(kind="clipping", message="The recording touches full scale in a place or two. It does no harm.")
    times = f"{wet.clips} time{'s' * (wet.clips > 1)}"
    if wet.clipped_share < _CLIPPED_BADLY:
        message = (
            f"The recording clips {times} ({wet.clipped_share:.2%}); recordings brought as files are not learnt from "
            "there. Turn the input down a little next time."
        )
        return Finding(kind="clipping", severity="warning", message=message)
    message = (
        f"The recording clips {times} ({wet.clipped_share:.1%} of it): how loud playing sounds through the gear is "
        "lost. Turn the input down and record again."
    )
    return Finding(kind="clipping", severity="error", message=message)
