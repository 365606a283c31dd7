"""Repeats: recordings that should be the same, because the settings and the playing are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from profiler.audio import Samples
from profiler.checks.difference import Difference, compare
from profiler.checks.forecast import with_limits
from profiler.checks.result import Cause, Limit, TakeCheck
from profiler.checks.stray import measure_stray
from profiler.checks.take_audio import TakeAudio, read_take_audio
from profiler.errors import ProfilerError
from profiler.finding import Finding
from profiler.session import Take
from profiler.session_folder import SessionFolder

__all__ = ["Repeat", "compare_repeats", "repeat_findings", "repeated_passage", "with_repeats"]

_MOST_PAIRS = 24
_DELAYED_FRAMES = 0.25
_LOUDER_DB = 0.1
_STRAYING_FRAMES = 0.5
_OVER_NOISE = 0.1
_LEAST_LIMIT = 1e-7
_DISAGREEING = 0.003
_MOVING = 0.001
_LASTING = 0.25


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """Two recordings of one playing at one setting, and how they differ.

    They are two takes (`replicate`), one take's passage that is played twice (`passage`), or the test tones that
    takes of other playing share (`tones`). `delay_frames` is how much later the second one is, `is_straying`
    whether that changes.
    """

    one: int
    other: int
    source: Literal["replicate", "passage", "tones"]
    difference: Difference
    delay_frames: float = 0.0
    is_straying: bool = False

    @property
    def is_late(self) -> bool:
        """Whether a later arrival explains what is steady in the difference, rather than another setting."""
        return abs(self.delay_frames) >= _DELAYED_FRAMES and abs(self.difference.gain_db) < _LOUDER_DB


def compare_repeats(folder: SessionFolder, usable: Collection[int]) -> list[Repeat]:
    """Return how takes at equal settings differ, of those whose numbers are usable."""
    groups: dict[str, list[Take]] = {}
    for take in folder.session.takes:
        if take.number in usable and take.settings is not None:
            groups.setdefault(repr(sorted(take.settings.items())), []).append(take)
    pairs = [(group[0], other) for group in groups.values() for other in group[1:]]
    found = []
    for one, other in pairs[:_MOST_PAIRS]:
        try:
            repeat = _compared(read_take_audio(folder, one), read_take_audio(folder, other))
        except (ProfilerError, OSError):
            continue  # has its finding already
        if repeat is not None:
            found.append(repeat)
    return found


def repeated_passage(audio: TakeAudio) -> Repeat | None:
    """Return how the two recordings of the passage that a stimulus plays twice differ; None when there is none.

    What came before the two passages differs and may ring into them, or have charged what charges slowly. So only
    movement that lasts to the end of the passage counts, and nothing is said about noise.
    """
    programme, again = audio.part("programme"), audio.part("replicate")
    if programme is None or again is None or audio.take.settings is None:
        return None
    length = again.stop - again.start - audio.sample_rate // 100  # the second one ends in a fade
    first, second = (audio.wet[part.start + length // 3 : part.start + length] for part in (programme, again))
    whole, last = (compare(first[at:], second[at:], audio.sample_rate) for at in (0, len(first) // 2))
    if whole is None or last is None:
        return None
    lasts = last.moving > max(_LASTING * whole.moving, last.noise, _MOVING)
    moving = min(whole.moving, last.moving) if lasts else 0.0
    difference = Difference(esr=moving, steady=0.0, moving=moving, noise=0.0, gain_db=0.0)
    return Repeat(one=audio.take.number, other=audio.take.number, source="passage", difference=difference)


def with_repeats(takes: Sequence[TakeCheck], repeats: Sequence[Repeat]) -> list[TakeCheck]:
    """Return the checks of takes with the limits that their repeats show: half of each part of the difference."""
    checks = {take.take: take for take in takes}
    for repeat in repeats:
        if repeat.source != "tones":
            for number in {repeat.one, repeat.other}:
                checks[number] = with_limits(checks[number], _limits(repeat, checks[number]))
    return [checks[take.take] for take in takes]


def repeat_findings(repeats: Sequence[Repeat]) -> list[Finding]:
    """Return what differs between recordings that should be the same, in words."""
    found = []
    for repeat in repeats:
        parts = repeat.difference
        takes = f"Takes {repeat.one} and {repeat.other} have the same settings"
        if repeat.is_late and parts.steady > _MOVING:
            message = f"{takes}, but one is {abs(repeat.delay_frames):.1f} frames later than the other."
            found.append(Finding(kind="disagreement", message=message, severity="warning"))
        elif parts.steady > max(_DISAGREEING, parts.noise):
            message = f"{takes} but differ by {_shown(parts.steady)}"
            message += f", {parts.gain_db:+.1f} dB in level" if abs(parts.gain_db) > _LOUDER_DB else ", in tone"
            message += ": something was turned in between. Record one of them again."
            found.append(Finding(kind="disagreement", message=message, severity="warning"))
        if parts.moving > max(_MOVING, parts.noise) and not repeat.is_straying:
            twice = repeat.source == "passage"
            where = f"take {repeat.one} plays it twice" if twice else f"takes {repeat.one} and {repeat.other}"
            message = (
                f"The same playing came back with another sound ({_shown(parts.moving)}; {where}): the gear moves."
            )
            found.append(Finding(kind="time-variance", message=message, severity="warning"))
    return found


def _compared(one: TakeAudio, other: TakeAudio) -> Repeat | None:
    source: Literal["replicate", "tones"] = "replicate"
    if one.take.dry == other.take.dry and one.start == other.start:
        frames = min(len(one.wet), len(other.wet))
        first, second = one.wet[:frames], other.wet[:frames]
    else:
        source, tones, same = "tones", one.tones, other.tones
        if tones is None or same is None or not np.array_equal(one.dry[tones], other.dry[same]):
            return None
        first, second = one.wet[tones], other.wet[same]
    difference = compare(first, second, one.sample_rate)
    if difference is None:
        return None
    delay, is_straying = _delay(first, second, one.sample_rate) if difference.esr > _LEAST_LIMIT else (0.0, False)
    return Repeat(
        one=one.take.number,
        other=other.take.number,
        source=source,
        difference=difference,
        delay_frames=delay,
        is_straying=is_straying,
    )


def _delay(one: Samples, other: Samples, sample_rate: int) -> tuple[float, bool]:
    stray = measure_stray(one, other, sample_rate)
    if stray is None or not stray.is_clear:
        return 0.0, False
    return stray.frames, stray.spread_frames > _STRAYING_FRAMES


def _limits(repeat: Repeat, check: TakeCheck) -> list[Limit]:
    parts = repeat.difference
    least = max(_OVER_NOISE * parts.noise, _LEAST_LIMIT)
    noise: Cause = "hum" if any(limit.cause == "hum" for limit in check.limits) else "noise"
    steady: Cause = "timing" if repeat.is_late else "disagreement"
    moving: Cause = "timing" if repeat.is_straying else "moves by itself"
    limits = [Limit(cause=noise, esr=parts.noise / 2)] if repeat.source == "replicate" else []
    limits += [
        Limit(cause=cause, esr=energy / 2)
        for cause, energy in ((steady, parts.steady), (moving, parts.moving))
        if energy > least
    ]
    return limits


def _shown(share: float) -> str:
    return f"{share:.1%} of the energy" if share >= 0.001 else f"{share:.1g} of the energy"
