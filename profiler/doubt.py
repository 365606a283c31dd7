"""Doubt: how unsure a profile is at knob settings that nobody recorded, told by what it plays and scored elsewhere.

Measured on a fuzz learnt from 6 settings and scored at 24 others: the logarithm of the true ESR goes with that of the
difference between the two sizes (correlation .80) and with the errors at held-out settings that sound alike (.76), but
hardly with the travel of the knobs to the nearest recorded setting (.30) or the difference in sound from it (.40).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.effects.sizes import sized
from profiler.knob import KnobSettings
from profiler.profile import LoadedProfile, Size
from profiler.programme import programme
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.rendering import ProfileProcessor
from profiler.score import error_to_signal

__all__ = ["Doubt", "doubts"]

_SECONDS, _LEAD_IN_SECONDS = 1.5, 0.25
_PEAK = 0.5
_SEED = 20_251
_MOST_SCORED = 32
_ALIKE = 1e-3
"""An ESR below which two settings sound the same: what is scored at one counts in full at the other."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """How unsure a profile is at some settings.

    `sizes_differ` is the ESR of its light size beside its full one on synthesised playing, None where there is one size
    only or silence. `near_error` is the ESR that it scored at held-out settings, those that sound more like this
    counting more; None where none was scored.
    """

    settings: KnobSettings
    sizes_differ: float | None
    near_error: float | None

    @property
    def esr(self) -> float | None:
        """The ESR to expect, but for a factor that is the same everywhere: the geometric mean of what is known."""
        known = [max(each, 1e-9) for each in (self.sizes_differ, self.near_error) if each is not None]
        return math.exp(sum(map(math.log, known)) / len(known)) if known else None


def doubts(
    loaded: LoadedProfile, settings: Sequence[KnobSettings], *, on_progress: ProgressCallback = unheard
) -> tuple[Doubt, ...]:
    """Return how unsure a profile is at each of these settings. Raises KnobError for one that it does not have."""
    profile, rate = loaded.profile, loaded.profile.sample_rate
    dry = programme(_SEED, sample_rate=rate, frames=int(_SECONDS * rate))
    dry = (dry / np.abs(dry).max() * _PEAK).astype(np.float32)[None]

    def heard(size: LoadedProfile, at: KnobSettings) -> Samples:
        return ProfileProcessor(size, at, oversampling=1).process(dry, rate)[:, int(_LEAD_IN_SECONDS * rate) :]

    light = sized(loaded, Size.LIGHT) if profile.light else None
    rows = [row for row in profile.score.takes if row.knobs and row.esr is not None] if profile.score else []
    rows = rows[:: -(-len(rows) // _MOST_SCORED) or 1]
    scored = [(heard(loaded, row.knobs or {}), row.esr or 0.0) for row in rows]
    begun, found = time.monotonic(), []
    for number, each in enumerate(settings):
        full = heard(loaded, each)
        differ = error_to_signal(full, heard(light, each)) if light else None
        found.append(Doubt(settings=each, sizes_differ=differ, near_error=_near_error(full, scored)))
        done = (number + 1) / len(settings)
        on_progress(Progress(step="doubt", done=done, seconds_left=(time.monotonic() - begun) * (1 - done) / done))
    return tuple(found)


def _near_error(sound: Samples, scored: Sequence[tuple[Samples, float]]) -> float | None:
    """Return the mean of the errors scored, each weighted by how alike it sounds (Shepard 1968)."""
    if not scored:
        return None
    apart = [error_to_signal(sound, other) for other, _ in scored]
    if any(each is None for each in apart):
        return None
    weights: NDArray[np.float64] = 1 / (_ALIKE + np.asarray(apart, np.float64))
    return float(np.average([error for _, error in scored], weights=weights))
