"""Knobs in pairs of takes: two takes that differ in one knob say what that knob does."""

from collections.abc import Callable, Collection, Sequence
from itertools import combinations

import numpy as np

from profiler.checks.difference import compare
from profiler.checks.result import KnobCheck, TakeCheck
from profiler.checks.take_audio import TakeAudio
from profiler.errors import ProfilerError
from profiler.knob import Knob
from profiler.session import CaptureSession, Take

__all__ = ["check_knob_by_pairs"]

_MOST_PAIRS = 3
_LEAST_TRAVEL = 0.3
_HEARD = 1e-5
_OVER_FLOOR = 4.0
_FLOOR_TO_TELL = 1e-3

Read = Callable[[Take], TakeAudio]


def check_knob_by_pairs(
    knob: Knob, session: CaptureSession, checks: Sequence[TakeCheck], read: Read, *, usable: Collection[int]
) -> KnobCheck | None:
    """Return what pairs of takes say that differ in this knob alone, the ones furthest apart; None without such.

    With other playing the test tones that both takes have are compared. A knob that makes no difference anywhere does
    nothing; a difference that noise may hide tells nothing, nor does a single pair among several knobs, since another
    knob may be what keeps this one from being heard.
    """
    floors = {check.take: check.best_esr or 0.0 for check in checks}
    pairs = _pairs(knob, [take for take in session.takes if take.number in usable], session.knobs)
    changes: list[tuple[float, float]] = []
    for one, other in pairs:
        change = _change(read, one, other)
        if change is not None:
            changes.append((change, floors[one.number] + floors[other.number]))
        if change is not None and change > max(_HEARD, _OVER_FLOOR * changes[-1][1]):
            return KnobCheck(knob=knob.id, verdict="works", change_db=_as_gain(change))
        if len(changes) == _MOST_PAIRS:
            break
    if not changes:
        return None
    largest = _as_gain(max(change for change, _ in changes))
    enough = len(changes) > 1 or len(session.knobs) == 1
    if enough and max(floor for _, floor in changes) < _FLOOR_TO_TELL:
        return KnobCheck(knob=knob.id, verdict="does nothing", change_db=largest)
    return KnobCheck(knob=knob.id, verdict="cannot tell", change_db=largest)


def _pairs(knob: Knob, takes: Sequence[Take], knobs: Sequence[Knob]) -> list[tuple[Take, Take]]:
    """Return pairs of takes that differ in this knob alone, the furthest apart first, each from other settings."""
    found = []
    for one, other in combinations(takes, 2):
        if one.settings is None or other.settings is None:
            continue
        differing = [each.id for each in knobs if one.settings[each.id] != other.settings[each.id]]
        if differing == [knob.id]:
            between = knob.position(one.settings[knob.id]) - knob.position(other.settings[knob.id])
            if (travel := float(np.abs(between).max())) >= _LEAST_TRAVEL:
                found.append((travel, one, other))
    found.sort(key=lambda each: -each[0])
    spread: dict[str, tuple[Take, Take]] = {}
    for _, one, other in found:
        where = repr(sorted((name, value) for name, value in (one.settings or {}).items() if name != knob.id))
        spread.setdefault(where, (one, other))
    return list(spread.values())


def _change(read: Read, one: Take, other: Take) -> float | None:
    """Return the energy of the difference between two takes against their own; None when it cannot be told."""
    try:
        first, second = read(one), read(other)
    except (ProfilerError, OSError):
        return None
    if one.dry == other.dry and first.start == second.start:
        frames = min(len(first.wet), len(second.wet))
        wets = first.wet[:frames], second.wet[:frames]
    else:
        tones, same = first.tones, second.tones
        if tones is None or same is None or not np.array_equal(first.dry[tones], second.dry[same]):
            return None
        wets = first.wet[tones], second.wet[same]
    both = compare(*wets, first.sample_rate), compare(*wets[::-1], first.sample_rate)
    found = [each.esr for each in both if each is not None]
    return min(found) if len(found) == 2 else 1.0  # one of them is silent: the knob turned it off


def _as_gain(change: float) -> float:
    """Return the change of level in dB that would make a difference as large."""
    return round(20 * float(np.log10(1 + np.sqrt(change))), 2)
