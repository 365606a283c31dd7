"""Lateness behind a filter that another take of the same gear made known, instead of against the dry itself.

Gear that clips the two sides of the wave unequally answers a click by a swing up and one down, half a cycle apart and
about as high, and which of them leads depends on what is played: against the dry a take may seem to come a few frames
later than another, or the other way up. Behind what the gear does anyhow, one swing is left.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import fft, signal

from profiler.recording import Recording
from profiler.timing.lateness import LONGEST_SECONDS, Lateness, matched, whitened
from profiler.timing.measure import Timing
from profiler.timing.transfer import WINDOW, Spectrum, Transfer
from profiler.timing.whereabouts import loudest_passages
from profiler.timing.windows import peak_place
from profiler.varispeed import read_along

__all__ = ["GearFilter"]

_EXCERPT_SECONDS = 60.0
_LOUD_SECONDS = 8.0
_BEFORE = 256  # frames of the filter before the arrival, which may be later than was thought
_FLOOR = 1e-3
_LEAST_WINDOWS = 4
_LEAST_UNSURE = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class GearFilter:
    """What gear does to its dry on average: `taps`, of shape (frames,), from `_BEFORE` frames before its arrival on."""

    taps: Spectrum

    @classmethod
    def of(cls, dry: Recording, wet: Recording, timing: Timing, sample_rate: int) -> "GearFilter | None":
        """Return the filter that a take of known timing shows, None of one too short.

        The cross-spectrum over the dry's power (the H1 estimate: Bendat & Piersol, Random Data), less where it follows
        the dry less.
        """
        one, other = _excerpt(dry, wet, timing, timing.frames, sample_rate)
        if len(one) < _LEAST_WINDOWS * WINDOW:
            return None
        transfer = Transfer.of(one, other)
        power = transfer.dry_power + _FLOOR * transfer.dry_power.mean()
        return cls(taps=np.roll(fft.irfft(transfer.coherence * transfer.cross / power, WINDOW), _BEFORE))

    def lateness(self, dry: Recording, wet: Recording, timing: Timing, sample_rate: int) -> Lateness:
        """Return how late another take of the same gear is, looked for within a second of its own timing.

        Its polarity is that beside the take which the filter is of.
        """
        near = math.floor(timing.frames)
        one, other = _excerpt(dry, wet, timing, near, sample_rate)
        foreseen = signal.oaconvolve(one, self.taps)[_BEFORE:][: len(one)]
        match = matched(foreseen, other, reach=int(LONGEST_SECONDS * sample_rate), offset=0, sample_rate=sample_rate)
        rest, unsure = _between_frames(foreseen, other, match.frames)
        return Lateness(
            frames=near + match.frames + rest,
            polarity=match.polarity,
            clearness=match.clearness,
            uncertainty_frames=unsure,
        )


def _between_frames(foreseen: Spectrum, wet: Spectrum, lag: int) -> tuple[float, float]:
    """Return by how much more than `lag` frames a wet comes after what was foreseen, and how unsure that is."""
    one, other = foreseen[max(-lag, 0) :], wet[max(lag, 0) :]
    common = min(len(one), len(other))
    if common < _LEAST_WINDOWS * WINDOW:
        return 0.0, 1.0
    transfer = Transfer.of(one[:common], other[:common])
    weighted = transfer.coherence * whitened(transfer.cross)
    rest, _ = peak_place(np.sign(weighted.real.sum()) * weighted, WINDOW)
    strange = 1 - float(np.average(transfer.coherence, weights=transfer.wet_power + 1e-30))
    return rest, _LEAST_UNSURE + strange


def _excerpt(dry: Recording, wet: Recording, timing: Timing, lag: float, sample_rate: int) -> tuple[Spectrum, Spectrum]:
    """Return a minute of a dry where it is loud, and the wet on its clock, `lag` frames later: of shape (frames,)."""
    frames, loud = (min(int(seconds * sample_rate), dry.frames) for seconds in (_EXCERPT_SECONDS, _LOUD_SECONDS))
    start = min(max(loudest_passages(dry, loud)[0] - (frames - loud) // 2, 0), dry.frames - frames)
    drift = timing.drift_ppm * 1e-6
    along = read_along(wet, start=start * (1 + drift) + lag, step=1 + drift, frames=frames)
    return dry.read(start, frames).astype(np.float64), np.concatenate(list(along)).astype(np.float64)
