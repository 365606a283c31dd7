"""The knob trial: steady noise over which knobs jump, which tells when that is heard, or that it is not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.knob import Knob, KnobSettings
from profiler.knob_track import Breakpoint

__all__ = ["HeardMoves", "KnobTrial", "trial_ends"]

_PERIOD_SECONDS = 0.05  # the noise repeats, so that all that knobs do not change comes back the same
_LEVEL = 0.1
_SECTIONS_SECONDS = (0.8, 0.61, 0.77, 0.66, 0.83, 0.7, 0.63, 0.79)  # odd, so that jumps meet all parts of a block
_SETTLED_SECONDS = 0.4
_AFTER_SECONDS = 0.8  # silence, for the gear to come to rest
_HEARD = 1e-4  # energy of what a jump changes, beside that of the return
_OVER_NOISE = 10.0
_MOST_SPREAD_SECONDS = 0.1
_ENDS = (0.25, 0.75)


@dataclass(frozen=True, kw_only=True)
class HeardMoves:
    """How many frames after they were handed over moves come back in the return, and how far single ones stray."""

    frames: int
    stray_frames: int


@dataclass(frozen=True, kw_only=True, eq=False)
class KnobTrial:
    """`dry`, of shape (frames,), over which knobs jump from one setting to another and back at the frames `jumps`."""

    dry: Samples
    jumps: tuple[int, ...]
    sample_rate: int

    @classmethod
    def of(cls, sample_rate: int) -> "KnobTrial":
        """Return the trial, six seconds of it."""
        period = int(_PERIOD_SECONDS * sample_rate)
        sections = [int(seconds * sample_rate) for seconds in _SECTIONS_SECONDS]
        noise = np.random.default_rng(7).normal(0.0, _LEVEL, period)
        dry = np.resize(noise, sum(sections)).astype(np.float32)
        jumps = np.cumsum(sections[:-1])
        return cls(
            dry=np.pad(dry, (0, int(_AFTER_SECONDS * sample_rate))),
            jumps=tuple(int(jump) for jump in jumps),
            sample_rate=sample_rate,
        )

    def breakpoints(self, ends: tuple[KnobSettings, KnobSettings]) -> list[Breakpoint]:
        """Return how the knobs move: they stand at the first end, and jump to the other and back."""
        return [Breakpoint(frame=frame, settings=ends[number % 2]) for number, frame in enumerate((0, *self.jumps))]

    def heard(self, wet: Samples, sent: Sequence[float]) -> HeardMoves | None:
        """Return when the jumps, handed over at the frames `sent`, came back in the wet; None when they did not."""
        if len(sent) != len(self.jumps):
            return None
        settled = int(_SETTLED_SECONDS * self.sample_rate)
        ends = [*(int(frame) for frame in sent[1:]), len(self.dry) - int(_AFTER_SECONDS * self.sample_rate)]
        starts = [int(frame) + settled for frame in sent]
        period = int(_PERIOD_SECONDS * self.sample_rate)
        sections = list(zip(starts, ends, strict=True))
        one, other = (_folded(wet, sections[first::2], period) for first in (1, 0))
        if not _apart(wet, sections, (other, one), period):
            return None
        delays = []
        for number, frame in enumerate(sent):
            begin = max(int(frame), 0)
            at = np.arange(begin, begin + settled)
            part = wet[at].astype(np.float64)
            before, after = (one, other) if number % 2 == 0 else (other, one)
            changing = np.cumsum((part - before[at % period]) ** 2 - (part - after[at % period]) ** 2)
            delays.append(int(np.argmin(changing)) + 1 + begin - frame)
        stray = (max(delays) - min(delays)) / 2
        if stray > _MOST_SPREAD_SECONDS * self.sample_rate:
            return None
        return HeardMoves(frames=round(float(np.median(delays))), stray_frames=round(stray))


def trial_ends(knobs: Sequence[Knob], others: KnobSettings) -> tuple[KnobSettings, KnobSettings]:
    """Return two settings between which these knobs jump: a quarter and three quarters of their way, or two choices."""
    one, other = (
        {knob.id: knob.choices[-place] if knob.choices else knob.value_at(_ENDS[place]) for knob in knobs}
        for place in (0, 1)
    )
    return {**others, **one}, {**others, **other}


def _folded(wet: Samples, sections: Sequence[tuple[int, int]], period: int) -> NDArray[np.float64]:
    """Return what came back over one period of the noise, on average over sections in which knobs had settled."""
    at = np.concatenate([np.arange(start, stop) for start, stop in sections])
    total = np.bincount(at % period, weights=wet[at], minlength=period)
    return total / np.maximum(np.bincount(at % period, minlength=period), 1)


def _apart(
    wet: Samples, sections: Sequence[tuple[int, int]], periods: tuple[NDArray[np.float64], ...], period: int
) -> bool:
    """Return whether what comes back at both ends differs, by more than it does at either end by itself."""
    noise = []
    for number, (start, stop) in enumerate(sections):
        at = np.arange(start, stop)
        noise.append(float(np.mean((wet[at] - periods[number % 2][at % period]) ** 2)))
    between = float(np.mean((periods[0] - periods[1]) ** 2))
    power = float(np.mean([np.mean(each**2) for each in periods]))
    return between > max(_HEARD * power, _OVER_NOISE * float(np.mean(noise)) / max(len(sections), 1), 1e-14)
