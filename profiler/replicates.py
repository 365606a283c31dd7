"""Replicates: two takes of the same dry at the same settings, compared: level, noise, and what is neither."""

import math
from dataclasses import dataclass, replace

import numpy as np

from profiler.alignment import counted
from profiler.finding import Finding
from profiler.session import Take
from profiler.session_folder import SessionFolder
from profiler.timing.transfer import Spectrum

__all__ = ["Comparison", "compared", "findings_of"]

_EXCERPT_SECONDS = 60
_LEAST_GAIN_DB = 0.2
_WINDOW = 2048
_FOLLOWS_DB = 3.0  # noise has 0.1 at most, a turned knob 5 and more
_LEAST_ESR = 1e-4


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How a take differs from the one it repeats.

    `gain_db` is by how much it is louder, 0 when that explains little; `esr` is what is left when that is undone, and
    `follows_db` by how much more of it is left where the dry is loud than where it is quiet: noise is there always.
    """

    gain_db: float
    esr: float
    follows_db: float


def compared(folder: SessionFolder, first: Take, take: Take) -> Comparison:
    """Compare a take with the one it repeats, over a minute from the middle of both."""
    frames = min(first.frames, take.frames)
    count = min(frames, _EXCERPT_SECONDS * folder.session.sample_rate)
    start = (frames - count) // 2
    dry, other = _heard(folder, take, start, count)
    _, one = _heard(folder, first, start, count)
    energy = float(one @ one) + 1e-20
    gain = float(one @ other) / energy
    plain, level = (float(np.sum((other - factor * one) ** 2)) for factor in (1.0, gain))
    gain_db = 20 * math.log10(max(abs(gain), 1e-6))
    if abs(gain_db) < _LEAST_GAIN_DB or level > 0.5 * plain:
        gain, gain_db, level = 1.0, 0.0, plain
    return Comparison(gain_db=gain_db, esr=level / (gain**2 * energy), follows_db=_follows(dry, other / gain - one))


def _follows(dry: Spectrum, left: Spectrum) -> float:
    """Return the level of what is left in the loudest third of a dry signal over that in its quietest, in dB."""
    whole = len(dry) - len(dry) % _WINDOW
    loudness, remains = (np.mean(each[:whole].reshape(-1, _WINDOW) ** 2, axis=1) for each in (dry, left))
    third = max(len(loudness) // 3, 1)
    order = np.argsort(loudness)
    quiet, loud = (float(np.mean(remains[part])) + 1e-20 for part in (order[:third], order[-third:]))
    return 10 * math.log10(loud / quiet)


def findings_of(comparison: Comparison, first: Take) -> tuple[Finding, ...]:
    """Return what a comparison means, in words."""
    found = []
    if comparison.gain_db:
        louder = "louder" if comparison.gain_db > 0 else "quieter"
        apart = f"{abs(comparison.gain_db):.1f} dB {louder}"
        message = f"It is {apart} than take {first.number}, which it repeats; brought level."
        found.append(Finding(kind="gain", message=message))
    if comparison.follows_db > _FOLLOWS_DB and comparison.esr > _LEAST_ESR:
        message = (
            f"It repeats take {first.number} but differs from it by more than noise (ESR {comparison.esr:.2g}): a knob "
            "may have moved, or the gear changes with time."
        )
        found.append(Finding(kind="disagreement", severity="warning", message=message))
    return tuple(found)


def _heard(folder: SessionFolder, take: Take, start: int, count: int) -> tuple[Spectrum, Spectrum]:
    """Return dry and wet of an excerpt, mono of shape (frames,), the wet silent where it clipped."""
    dry, wet = (each.mean(axis=0).astype(np.float64) for each in folder.excerpt(take, start, start + count))
    later = replace(take, latency_frames=take.latency_frames + start)
    return dry, wet * counted(later, count)
