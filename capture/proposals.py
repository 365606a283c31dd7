"""Proposals: which settings to record next, beside those that a session has and a profile has learnt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from capture.spread import distances, places
from profiler.doubt import Doubt
from profiler.knob import Knob, KnobSettings

__all__ = ["LEAST_AWAY", "Proposal", "propose"]

LEAST_AWAY = 0.05
"""How far from everything recorded a proposal stands at least, in ranges of a knob."""

_AT_END = 0.05
_SHARE_AT_ENDS = 1 / 3
_GAP_EVERY = 3
"""Every third proposal is plain space-filling: a profile may be sure of itself and wrong."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Settings worth recording: because the profile is `unsure` there, or to fill the largest `gap`.

    `away` is how far the nearest setting lies that is learnt from, in ranges of a knob; a switch counts as a range.
    """

    settings: KnobSettings
    purpose: Literal["unsure", "gap"]
    away: float
    doubt: Doubt

    @property
    def reason(self) -> str:
        """What it is for, in words."""
        if self.purpose == "gap":
            return f"fills a gap: nothing learnt within {self.away:.0%} of a knob's range"
        told = []
        if self.doubt.sizes_differ is not None:
            told.append(f"full and light differ by an ESR of {self.doubt.sizes_differ:.2g}")
        if self.doubt.near_error is not None:
            told.append(f"where it sounds alike it scored {self.doubt.near_error:.2g}")
        return f"profile unsure: {', '.join(told)}"


def propose(
    knobs: Sequence[Knob],
    doubts: Sequence[Doubt],
    *,
    learnt: Sequence[KnobSettings],
    apart: Sequence[KnobSettings] = (),
    count: int,
) -> tuple[Proposal, ...]:
    """Return up to `count` of the candidates that `doubts` are of, the most worth recording first.

    Each is the one with the largest product of the ESR to expect and the squared distance from what is learnt and
    proposed; every third goes by distance alone, and all do where nothing is known to expect. At most a third have a
    knob within 5 % of an end of its range, but for one, and all stand apart from what is learnt or held `apart`.
    """
    if not doubts:
        return ()
    at = places(knobs, [doubt.settings for doubt in doubts])
    away = distances(at, places(knobs, learnt))
    clear = np.minimum(away, distances(at, places(knobs, apart)))
    expected = np.asarray([doubt.esr or 0.0 for doubt in doubts])
    at_end = _at_end(knobs, [doubt.settings for doubt in doubts])
    ends_left = max(int(count * _SHARE_AT_ENDS), 1)
    chosen: list[Proposal] = []
    while len(chosen) < count:
        free = (clear >= LEAST_AWAY) & (~at_end | (ends_left > 0))
        if not free.any():
            break
        by_doubt = (len(chosen) + 1) % _GAP_EVERY != 0 and bool(expected[free].any())
        reach = np.minimum(away, 1e3)  # of a session without takes everything is far away
        best = int(np.where(free, expected * reach**2 if by_doubt else reach, -1.0).argmax())
        purpose: Literal["unsure", "gap"] = "unsure" if by_doubt else "gap"
        settings = doubts[best].settings
        chosen.append(Proposal(settings=settings, purpose=purpose, away=float(reach[best]), doubt=doubts[best]))
        ends_left -= int(at_end[best])
        from_it = distances(at, at[best : best + 1])
        away, clear = np.minimum(away, from_it), np.minimum(clear, from_it)
    return tuple(chosen)


def _at_end(knobs: Sequence[Knob], settings: Sequence[KnobSettings]) -> NDArray[np.bool_]:
    """Return which settings have a knob next to an end of its range. Switches have no ends."""
    turned = [knob for knob in knobs if not knob.choices]
    positions = np.asarray([[knob.position(each[knob.id])[0] for knob in turned] for each in settings])
    near = (positions <= _AT_END) | (positions >= 1 - _AT_END)
    return np.asarray(near.reshape(len(settings), len(turned)).any(axis=1), np.bool_)
