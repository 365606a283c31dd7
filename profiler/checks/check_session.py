"""The check of a session: every take on its own, takes against each other, knobs, and what training could reach."""

import time
from collections.abc import Callable

import numpy as np

from profiler.checks.check_take import check_take, does_ring, unreadable_take
from profiler.checks.forecast import (
    CLIPPED_TRACE,
    advice_on,
    grade_of,
    in_words,
    lowered,
    session_limits,
    total,
    with_known_noise,
)
from profiler.checks.knobs import check_knobs, knob_findings, unturned_findings
from profiler.checks.repeats import Repeat, compare_repeats, repeat_findings, repeated_passage, with_repeats
from profiler.checks.result import FloorSource, KnobCheck, SessionCheck, TakeCheck
from profiler.errors import ProfilerError
from profiler.finding import Finding
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.score import SILENCE_DB
from profiler.session_folder import SessionFolder

__all__ = ["check_session"]

_LITTLE_SECONDS = 20.0
_SEVERITY = {"note": 1, "warning": 2, "error": 3}


def check_session(folder: SessionFolder, *, on_progress: ProgressCallback = unheard) -> SessionCheck:
    """Return what a session's recordings show, without training anything.

    A take that cannot be read gets a finding; the rest goes on.
    """
    tell = _teller(len(folder.session.takes), on_progress)
    takes: list[TakeCheck] = []
    repeats: list[Repeat] = []
    for number, take in enumerate(folder.session.takes):
        try:
            check, audio = check_take(folder, take)
        except (ProfilerError, OSError) as error:
            known = error if isinstance(error, ProfilerError) else ProfilerError(str(error))
            check, audio = unreadable_take(take, known), None
        takes.append(check)
        if audio is not None and not does_ring(audio, 10 ** ((check.noise_db or -200.0) / 10)):
            repeats += [passage] if (passage := repeated_passage(audio)) else []
        tell(number + 1)
    usable = {take.take for take in takes if not any(limit.cause == "nothing recorded" for limit in take.limits)}
    repeats += compare_repeats(folder, usable)
    takes = _with_noise_of_replicates(with_repeats(takes, repeats), repeats)
    knobs = check_knobs(folder, takes, usable=usable)
    tell(len(takes) + 1)
    return _concluded(folder, takes, repeats, knobs)


def _teller(count: int, on_progress: ProgressCallback) -> Callable[[int], None]:
    begun = time.monotonic()

    def tell(number: int) -> None:
        done = number / (count + 1)  # one step more for the takes against each other
        left = (time.monotonic() - begun) * (1 - done) / done
        on_progress(Progress(step="check", done=done, seconds_left=left, note=f"take {min(number, count)} of {count}"))

    return tell


def _concluded(
    folder: SessionFolder, takes: list[TakeCheck], repeats: list[Repeat], knobs: tuple[KnobCheck, ...]
) -> SessionCheck:
    floor, source = _floor(takes, repeats)
    limits = session_limits(takes)
    best = total(limits)
    findings = [*_session_findings(takes, source), *repeat_findings(repeats), *knob_findings(knobs)]
    findings += unturned_findings(folder)
    reason = _hindrance(takes, best)
    return SessionCheck(
        gear=folder.session.gear.name,
        seconds=round(sum(take.seconds for take in takes), 3),
        takes=tuple(sorted(takes, key=_badness, reverse=True)),
        knobs=knobs,
        findings=tuple(findings),
        floor=floor,
        floor_source=source,
        limits=limits,
        best_esr=best,
        grade=lowered(grade_of(best), clipped_share=_clipped_share(takes)),
        limited_by=reason or in_words(limits),
        advice=advice_on(limits) or "",
        makes_sense=reason is None,
    )


def _floor(takes: list[TakeCheck], repeats: list[Repeat]) -> tuple[float | None, FloorSource]:
    """Return the ESR that noise leaves, from replicates if there are any, else from the silence in the takes."""
    found = [repeat.difference.esr / 2 for repeat in repeats if repeat.source == "replicate"]
    if found:
        return float(np.median(found)), "replicate"
    known = [
        (limit.esr, 10 ** (take.level_db / 10) * take.seconds)
        for take in takes
        for limit in take.limits
        if limit.cause in ("noise", "hum")
    ]
    if not known:
        return None, "unknown"
    return sum(esr * energy for esr, energy in known) / sum(energy for _, energy in known), "silence"


def _with_noise_of_replicates(takes: list[TakeCheck], repeats: list[Repeat]) -> list[TakeCheck]:
    """Return the checks with noise known for all takes, when a replicate tells it: noise hardly depends on settings."""
    levels = {take.take: 10 ** (take.level_db / 10) for take in takes}
    found = [(repeat.difference.noise / 2, levels[repeat.one]) for repeat in repeats if repeat.source == "replicate"]
    if not found:
        return takes
    floor = float(np.median([noise for noise, _ in found]))
    power = float(np.median([noise * level for noise, level in found]))
    return [with_known_noise(take, floor=floor, power=power) for take in takes]


def _session_findings(takes: list[TakeCheck], source: FloorSource) -> list[Finding]:
    found = []
    if source == "unknown" and takes:
        message = (
            "The noise of the gear is unknown: nothing is silent and no take is repeated. One take recorded twice "
            "(capture with --replicate) would tell."
        )
        found.append(Finding(kind="unknown-floor", message=message))
    if (clipped := _clipped_share(takes)) > CLIPPED_TRACE:
        message = (
            f"{clipped:.2%} of all recordings clipped, the loudest of them. No score vouches for how a profile sounds "
            "there, so the forecast is a grade lower."
        )
        found.append(Finding(kind="clipped", message=message, severity="warning"))
    seconds = sum(take.seconds for take in takes if take.level_db >= SILENCE_DB)
    if 0 < seconds < _LITTLE_SECONDS:
        message = f"Only {seconds:.1f} s were recorded; a profile needs half a minute of playing at the least."
        found.append(Finding(kind="little", message=message, severity="warning"))
    return found


def _clipped_share(takes: list[TakeCheck]) -> float:
    seconds = sum(take.seconds for take in takes)
    return sum(take.clipped_share * take.seconds for take in takes) / seconds if seconds else 0.0


def _hindrance(takes: list[TakeCheck], best: float | None) -> str | None:
    """Return why training makes no sense, or None when it does."""
    if not takes:
        return "the session has no takes"
    broken = [take for take in takes if any(finding.severity == "error" for finding in take.findings)]
    if len(broken) == len(takes):
        return f"no take can be used: {broken[0].findings[0].message}"
    if 2 * len(broken) > len(takes):
        return f"{len(broken)} of {len(takes)} takes cannot be used"
    if grade_of(best) == "does not match":
        return None if best is None else f"no profile could match these recordings (ESR {best:.2g} at best)"
    return None


def _badness(take: TakeCheck) -> tuple[int, float]:
    worst = max((_SEVERITY[finding.severity] for finding in take.findings), default=0)
    return worst, take.best_esr or 0.0
