"""What a match has found, as its page shows it."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from api.job import ProfileMatch
from api.values import Facts

__all__ = ["ShownMatch", "ShownMatches"]

_HARDLY = 0.2
_LEAST_DB, _LEAST_MS = 0.1, 0.1


@dataclass(frozen=True, kw_only=True)
class ShownMatch:
    """A match, the link to its profile with these knobs, and in words how the wet lies beside what it plays.

    `knobs` are name, value and whether it is well heard where the knob stands.
    """

    match: ProfileMatch
    link: str
    beside: str
    knobs: tuple[tuple[str, str, bool], ...]

    @classmethod
    def of(cls, match: ProfileMatch, facts: Facts) -> Self:
        """Return how a match is shown; `facts` are those of its version."""
        told = [("version", str(match.version)), *(("set", f"{id_}={at}") for id_, at in match.settings.items())]
        knobs = tuple(
            (knob.name, knob.spelt(match.settings[knob.id]), match.give.get(knob.id, 0.0) <= _HARDLY)
            for knob in facts.knobs
            if knob.id in match.settings
        )
        beside = _beside(match, facts.sample_rate)
        return cls(match=match, link=f"/profiles/{match.profile_id}?{urlencode(told)}", beside=beside, knobs=knobs)


@dataclass(frozen=True, kw_only=True)
class ShownMatches:
    """Matches, the nearest first, out of `compared`."""

    found: tuple[ShownMatch, ...]
    compared: int


def _beside(match: ProfileMatch, sample_rate: int) -> str:
    late_ms = match.lag_frames / sample_rate * 1000
    words = []
    if abs(match.gain_db) >= _LEAST_DB:
        words.append(f"{abs(match.gain_db):.1f} dB {'louder' if match.gain_db > 0 else 'softer'}")
    if match.polarity < 0:
        words.append("upside down")
    if abs(late_ms) >= _LEAST_MS:
        words.append(f"{abs(late_ms):.1f} ms {'late' if late_ms > 0 else 'early'}")
    return ", ".join(words)
