"""The verdict on a training: what really limits the profile, and what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from profiler.checks import Cause, Limit, SessionCheck, noise_power
from profiler.finding import Finding
from profiler.profile import LimitedBy, LoadedProfile, Profile
from profiler.score import TakeScore

__all__ = ["Verdict", "concluded", "verdict"]

_EXPLAINED = 0.5
_AUDIBLE = 0.003
_TIMES = 3.0
_RATE_STILL_HIGH = 0.6
_FLAT = 0.9
# Before so many steps errors are flat because learning has hardly begun. What was left at the end of that at six tenths
# of the way, where more learning helped: .09 (5,572 steps), .32 (916), .53 (907), .29 (597), .26 (264), .70 (1,500).
_FEWEST_STEPS = 200
_FEWEST_LOOKS = 8

_OF_RECORDINGS: dict[Cause, LimitedBy] = {
    "noise": "noise",
    "hum": "noise",
    "timing": "latency",
    "moves by itself": "capacity",
    "disagreement": "settings",
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What limits a profile, in one line why and what would help, and what was found on the way, worst first."""

    limited_by: LimitedBy
    reason: str
    findings: tuple[Finding, ...] = ()


def concluded(loaded: LoadedProfile, check: SessionCheck) -> tuple[LoadedProfile, Verdict]:
    """Return a profile that was just trained and scored with what limits it written into it, and the verdict."""
    told = verdict(loaded, check)
    provenance = loaded.profile.provenance
    found = replace(told, findings=(*provenance.findings, *_hindrances(check)))
    provenance = replace(provenance, limited_by=told.limited_by)
    return replace(loaded, profile=replace(loaded.profile, provenance=provenance)), found


def _hindrances(check: SessionCheck) -> list[Finding]:
    """Return the warnings and errors of a check, one of each kind."""
    every = (*check.findings, *(finding for take in check.takes for finding in take.findings))
    told = [finding for finding in every if finding.severity != "note"]
    first = {finding.kind: finding for finding in reversed(told)}
    if not check.makes_sense:
        message = f"Training makes little sense: {check.limited_by.rstrip('.')}."
        first["hopeless"] = Finding(kind="hopeless", message=message, severity="warning")
    return sorted(first.values(), key=lambda finding: finding.severity)


def verdict(loaded: LoadedProfile, check: SessionCheck) -> Verdict:
    """Return what limits a profile that was just trained and scored, by the check of its session.

    Noise, latency or gear that moves limit it when they explain at least half of the error on what it never heard (or
    with nothing held out, on watched audio). Settings do when it errs three times as much at settings that it never
    heard. Capacity does when the watched error no longer fell while the learning rate did. Below an ESR of .003 nothing
    but noise is worth naming. Else more learning would help.
    """
    profile = loaded.profile
    if profile.provenance.limited_by == "interrupted":
        return Verdict(limited_by="interrupted", reason="Training was stopped. Go on with it: --resume.")
    looks: Iterable[Callable[[Profile, SessionCheck], Verdict | None]] = (_recordings, _settings, _capacity)
    found = next((each for look in looks if (each := look(profile, check))), None)
    return found or _time(profile)


def _recordings(profile: Profile, check: SessionCheck) -> Verdict | None:
    """Tell whether what the recordings hold beside the gear's answer explains the error."""
    error = _error(profile)
    named = [limit for limit in check.limits if limit.cause in _OF_RECORDINGS]
    if not named or error is None:
        return None
    largest = named[0]
    by = _OF_RECORDINGS[largest.cause]
    if _explained(profile, check, largest, error) < _EXPLAINED or (by != "noise" and error < _AUDIBLE):
        return None
    return Verdict(limited_by=by, reason=f"What limits it: {check.limited_by}. {check.advice}".strip())


def _explained(profile: Profile, check: SessionCheck, largest: Limit, error: float) -> float:
    """Return the share of the error that the largest limit explains. Noise is as loud in quiet takes as in others."""
    rows, noise = _unseen(profile), noise_power(check)
    if noise is None or not rows:
        return largest.esr / (error + 1e-12)
    frames = sum(row.seconds for row in rows) * profile.sample_rate
    return noise * frames / (sum(row.error_energy for row in rows) + 1e-12)


def _settings(profile: Profile, check: SessionCheck) -> Verdict | None:
    """Tell whether settings that were not recorded are much worse than those that were."""
    del check
    other = [row.esr for row in _unseen(profile) if row.esr is not None and not row.settings_seen]
    known = [row.esr for row in _unseen(profile) if row.esr is not None and row.settings_seen]
    reference = float(np.median(known)) if known else _watched(profile)
    if not other or reference is None:
        return None
    there = float(np.median(other))
    if there < max(_TIMES * reference, _AUDIBLE):
        return None
    return Verdict(
        limited_by="settings",
        reason=(
            f"What limits it: settings. Where the knobs were not recorded it errs {there / max(reference, 1e-9):.0f} "
            "times as much as where they were. Record more settings, or one take with --moving knobs."
        ),
    )


def _capacity(profile: Profile, check: SessionCheck) -> Verdict | None:
    """Tell whether the error had stopped falling while there was much left to learn by."""
    del check
    told, error = profile.provenance, _error(profile)
    early = [point.esr for point in told.curve if point.step <= _RATE_STILL_HIGH * told.steps]
    if told.steps < _FEWEST_STEPS or len(told.curve) < _FEWEST_LOOKS or not early or (error or 0.0) < _AUDIBLE:
        return None
    if min(point.esr for point in told.curve) < _FLAT * min(early):
        return None
    return Verdict(
        limited_by="capacity",
        reason=(
            "What limits it: the effect itself. Its error stopped falling long before the end, so more time will not "
            "help. Does the gear ring on, as reverb and echo do, or move by itself? Turn that off and add it behind."
        ),
    )


def _time(profile: Profile) -> Verdict:
    by, esr = profile.provenance.limited_by, _error(profile)
    if esr is not None and esr < _AUDIBLE:
        return Verdict(limited_by=by, reason="Nothing but time limits it, and little is left to hear.")
    return Verdict(limited_by=by, reason="What limits it: how long it learnt. Train longer.")


def _unseen(profile: Profile) -> list[TakeScore]:
    return [row for row in profile.score.takes if not row.seen] if profile.score else []


def _error(profile: Profile) -> float | None:
    """Return the error on what it never heard, or with nothing held out on what was watched."""
    scored = profile.score.esr if profile.score else None
    return _watched(profile) if scored is None else scored


def _watched(profile: Profile) -> float | None:
    return min((point.esr for point in profile.provenance.curve), default=None)
