"""The forecast: the lowest ESR any training could reach on these takes, what sets it, and what to do about it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from profiler.checks.result import Cause, Grade, Limit, SessionCheck, TakeCheck
from profiler.score import GOOD_ESR, SILENCE_DB, TRANSPARENT_ESR, USABLE_ESR

__all__ = [
    "CLIPPED_TRACE",
    "advice_on",
    "grade_of",
    "in_words",
    "lowered",
    "noise_power",
    "session_limits",
    "total",
    "with_known_noise",
    "with_limits",
]

_GRADES: tuple[Grade, ...] = ("transparent", "good", "usable", "does not match")

CLIPPED_TRACE = 1e-4
"""Share of clipped frames up to which nothing is lost."""

_WORDS: dict[Cause, str] = {
    "noise": "the noise of the gear and the interface",
    "hum": "mains hum",
    "disagreement": "takes at the same settings that differ: something was turned or moved in between",
    "moves by itself": "movement in the gear itself, such as an LFO or drifting parts, that no knob or note explains",
    "timing": "a latency that changes while a take plays",
    "nothing recorded": "takes on which nothing usable was recorded",
}
_ADVICE: dict[Cause, str] = {
    "noise": "Send a hotter signal, raise the return just below clipping, and keep away from screens and dimmers.",
    "hum": "Try one mains outlet for everything, a ground lift or DI box, and another cable; then record again.",
    "disagreement": "Record the takes that differ again, and leave every control alone but the ones you list.",
    "moves by itself": "Turn chorus, tremolo and the like off, record without it, and add it back behind the profile.",
    "timing": "Use one interface for both directions and larger buffers, close other programs, and record again.",
    "nothing recorded": "Check cables, levels and the table of files, and record these takes again.",
}


def with_limits(check: TakeCheck, limits: Iterable[Limit]) -> TakeCheck:
    """Return a take's check with more limits. The larger of two of one cause counts: they measure the same."""
    largest: dict[Cause, float] = {}
    for limit in (*check.limits, *limits):
        largest[limit.cause] = max(largest.get(limit.cause, 0.0), limit.esr)
    kept = tuple(Limit(cause=cause, esr=min(esr, 1.0)) for cause, esr in largest.items())
    return replace(check, limits=kept, best_esr=total(kept))


def total(limits: Sequence[Limit]) -> float | None:
    """Return the ESR of several limits together, None of none. What strays also seems to move: one of them counts."""
    if not limits:
        return None
    by_cause = {limit.cause: limit.esr for limit in limits}
    moving = max(by_cause.pop("moves by itself", 0.0), by_cause.pop("timing", 0.0))
    return min(sum(by_cause.values()) + moving, 1.0)


def with_known_noise(check: TakeCheck, *, floor: float, power: float) -> TakeCheck:
    """Return the check of a take whose own noise is unknown, with that of a replicate: of its power or less."""
    if any(limit.cause in ("noise", "hum", "nothing recorded") for limit in check.limits):
        return check
    return with_limits(check, [Limit(cause="noise", esr=min(floor, power / _power(check)))])


def session_limits(takes: Sequence[TakeCheck]) -> tuple[Limit, ...]:
    """Return the limits over all takes as one signal, the largest first.

    Takes on which nothing was recorded carry no energy, so they are left out here; they have findings of their own.
    """
    sounding = [take for take in takes if take.level_db >= SILENCE_DB and take.limits]
    energy = sum(_power(take) * take.seconds for take in takes if take.level_db >= SILENCE_DB)
    summed: dict[Cause, float] = {}
    for take in sounding:
        for limit in take.limits:
            share = _power(take) * take.seconds / energy
            summed[limit.cause] = summed.get(limit.cause, 0.0) + limit.esr * share
    limits = (Limit(cause=cause, esr=esr) for cause, esr in summed.items())
    return tuple(sorted(limits, key=lambda limit: limit.esr, reverse=True))


def noise_power(check: SessionCheck) -> float | None:
    """Return the mean square of the noise in a session, or None unless noise or hum is what limits it most."""
    if not check.limits or check.limits[0].cause not in ("noise", "hum"):
        return None
    known = [
        (sum(limit.esr for limit in take.limits if limit.cause in ("noise", "hum")) * _power(take), take.seconds)
        for take in check.takes
        if take.level_db >= SILENCE_DB and any(limit.cause in ("noise", "hum") for limit in take.limits)
    ]
    return sum(power * seconds for power, seconds in known) / sum(seconds for _, seconds in known)


def grade_of(best_esr: float | None) -> Grade:
    """Return the grade that a score equal to the forecast would have."""
    if best_esr is None:
        return "unknown"
    if best_esr <= TRANSPARENT_ESR:
        return "transparent"
    if best_esr <= GOOD_ESR:
        return "good"
    return "usable" if best_esr <= USABLE_ESR else "does not match"


def lowered(grade: Grade, *, clipped_share: float) -> Grade:
    """Return the grade, one lower when more than a trace of the recordings clipped.

    Clipped frames are not scored, and they are the loudest: no score on these recordings vouches for them.
    """
    if clipped_share <= CLIPPED_TRACE or grade in ("unknown", _GRADES[-1]):
        return grade
    return _GRADES[_GRADES.index(grade) + 1]


def in_words(limits: Sequence[Limit]) -> str:
    """Return what sets the best score, in words."""
    if not limits:
        return "no replicate and no silence tell how much noise there is"
    if limits[0].esr < 1e-6:
        return "nothing that was found: these recordings are as clean as software's"
    return _WORDS[limits[0].cause]


def advice_on(limits: Sequence[Limit]) -> str | None:
    """Return what would lower the largest limit, None when it is no hindrance."""
    if not limits or limits[0].esr < TRANSPARENT_ESR / 10:
        return None
    return _ADVICE[limits[0].cause]


def _power(check: TakeCheck) -> float:
    return 10 ** (check.level_db / 10)
