"""Splits: which frames of which takes a profile learns from, and which it is scored on."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from profiler.errors import KnobError, SplitError
from profiler.knob import find_knob
from profiler.session import CaptureSession, Take

__all__ = ["Division", "HoldOut", "Span", "Split", "applies", "divide", "parse_hold_out", "recorded_frames"]

_LONGEST_SHARE = 0.9


@dataclass(frozen=True, kw_only=True)
class HoldOut:
    """One rule: the last share of every take's time, every take with a knob at a value, or one take."""

    kind: Literal["time", "knob", "take"]
    share: float = 0.0
    knob: str = ""
    value: float | str = 0.0
    take: int = 0

    @property
    def spelt(self) -> str:
        """The rule as `parse_hold_out` reads it."""
        match self.kind:
            case "time":
                return f"time=last:{self.share:g}"
            case "take":
                return f"take:{self.take}"
            case "knob":
                return f"{self.knob}={self.value}"


@dataclass(frozen=True, kw_only=True)
class Split:
    """Rules that add up. What the session itself marks as held out, takes and parts of stimuli, always is."""

    hold_outs: tuple[HoldOut, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Span:
    """Frames `start` (included) to `stop` (not included) of a take."""

    take: int
    start: int
    stop: int


Division: TypeAlias = tuple[tuple[Span, ...], tuple[Span, ...]]
"""Spans to learn from, and spans to score on."""


def parse_hold_out(text: str) -> HoldOut:
    """Read one rule: `time=last:0.2`, `take:7` or `KNOB=VALUE`. Raises SplitError that shows the grammar."""
    if match := re.fullmatch(r"take:(\d+)", text):
        return HoldOut(kind="take", take=int(match[1]))
    if match := re.fullmatch(r"time=last:([\d.]+)", text):
        share = _number(match[1])
        if share is not None and 0 < share <= _LONGEST_SHARE:
            return HoldOut(kind="time", share=share)
        raise SplitError(f"--hold-out {text}: the share lies between 0 and {_LONGEST_SHARE}.")
    knob, equals, value = text.partition("=")
    if equals and knob and value and knob != "time":
        return HoldOut(kind="knob", knob=knob, value=value)  # its knob knows whether "4" is a number or a choice
    raise SplitError(f"--hold-out {text!r} is not understood. Write time=last:0.2, gain=0.5 or take:7.")


def divide(session: CaptureSession, split: Split) -> Division:
    """Return what to learn from and what to score on.

    Held out are: takes that the session marks so with replicates of them; the held-out part of every stimulus; and
    whatever the split's rules add. Raises SplitError when a rule matches nothing or nothing is left to learn from.
    """
    apart = {take.number for take in session.takes if take.held_out}
    for rule in split.hold_outs:
        apart |= _takes_matching(session, rule)
    apart |= {take.replicate_of for take in session.takes if take.number in apart and take.replicate_of is not None}
    apart |= {take.number for take in session.takes if take.replicate_of in apart}
    share = max((rule.share for rule in split.hold_outs if rule.kind == "time"), default=0.0)
    learnt: list[Span] = []
    scored: list[Span] = []
    for take in session.takes:
        begin, end = recorded_frames(session, take)
        learnt_until, scored_from = _parting(session, take, share)
        if take.number in apart:
            scored.append(Span(take=take.number, start=begin if scored_from >= end else scored_from, stop=end))
            continue
        if begin < learnt_until:
            learnt.append(Span(take=take.number, start=begin, stop=learnt_until))
        if scored_from < end:
            scored.append(Span(take=take.number, start=scored_from, stop=end))
    if not learnt:
        raise SplitError("The hold-outs leave nothing to learn from: every take is held out. Hold out less.")
    return tuple(learnt), tuple(scored)


def applies(session: CaptureSession, rule: HoldOut) -> bool:
    """Return whether a rule holds anything out of a session; one made for another session may not."""
    try:
        return rule.kind == "time" or bool(_takes_matching(session, rule))
    except SplitError:
        return False


def _takes_matching(session: CaptureSession, rule: HoldOut) -> set[int]:
    match rule.kind:
        case "time":
            return set()
        case "take":
            found = {rule.take} & {take.number for take in session.takes}
            looked_for = f"take {rule.take}"
        case "knob":
            try:
                knob = find_knob(session.knobs, rule.knob)
                value = knob.checked(rule.value)
            except KnobError as error:
                raise SplitError(f"--hold-out {rule.knob}={rule.value}: {error}") from error
            found = {take.number for take in session.takes if _stands_at(take, knob.id, value)}
            looked_for = f"take with {knob.id}={knob.spelt(value)}"
    if not found:
        raise SplitError(f"The session has no {looked_for} to hold out. Its takes: {_numbers(session.takes)}.")
    return found


def _parting(session: CaptureSession, take: Take, share: float) -> tuple[int, int]:
    """Return the frame up to which a take is learnt from, and the one from which on it is scored.

    A stimulus ends with its held-out part, so that and a last share of the time are one span up to the end. A
    replicate passage is playing that was heard before, so it is not scored.
    """
    begin, end = recorded_frames(session, take)
    until = end - math.floor(share * (end - begin))
    stimulus = session.dries[take.dry].stimulus
    held_out, again = (stimulus.part(name) if stimulus else None for name in ("held-out", "replicate"))
    until = min(until, held_out.start) if held_out else until
    return until, max(until, min(again.stop, end)) if again and until < end else until


def recorded_frames(session: CaptureSession, take: Take) -> tuple[int, int]:
    """Return the frames of a take, on the dry signal's clock, of which both dry and wet are there."""
    begin = max(-take.latency_frames, 0)
    return begin, max(min(session.dries[take.dry].frames, take.frames - take.latency_frames), begin)


def _stands_at(take: Take, knob: str, value: float | str) -> bool:
    found = (take.settings or {}).get(knob)
    if found is None or isinstance(found, str) or isinstance(value, str):
        return found == value
    return math.isclose(found, value, rel_tol=1e-6, abs_tol=1e-9)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numbers(takes: Sequence[Take]) -> str:
    return ", ".join(str(take.number) for take in takes) or "none"
