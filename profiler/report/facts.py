"""A report's findings in words: what was recorded, how close the profile comes, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from profiler.checks import SessionCheck
from profiler.finding import Finding
from profiler.profile import Cost, Profile
from profiler.score import IN_WORDS, Score
from profiler.session import CaptureSession, described

__all__ = ["Fact", "facts_of_profile", "facts_of_session", "findings", "headline"]

_LIMITS = {
    "budget": "time: the training ended with its budget, longer may come closer",
    "steps": "time: the training ended with its steps, more may come closer",
    "interrupted": "it was stopped early",
    "noise": "noise in the recordings",
    "latency": "latency that wanders",
    "settings": "too few knob settings were recorded",
    "capacity": "the effect is beyond what the network can follow",
}
_MOST_FINDINGS = 40
_NONE_DB = -150.0
_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of what is known: a name, its value in words, and perhaps what that means."""

    name: str
    value: str
    note: str = ""


def headline(score: Score | None) -> str:
    """Return in a sentence or two how close the profile comes."""
    if score is None or score.esr is None:
        return "No honest score: nothing was held out of training, or nothing was compared."
    words = IN_WORDS[score.grade]
    return f"{words} What it gets wrong lies {_below(score.esr)} below the sound itself."


def facts_of_profile(profile: Profile, *, file_bytes: int | None, golden_db: float) -> list[Fact]:
    """Return what the file itself tells."""
    told = profile.provenance
    found = [
        Fact(name="Limited by", value=_LIMITS.get(told.limited_by, told.limited_by)),
        Fact(
            name="Training",
            value=f"{told.steps:,} steps in {told.seconds:,.0f} s, on {told.device}",
            note=f"{told.audio_seconds:,.0f} s of audio",
        ),
        Fact(name="Held out", value=", ".join(told.hold_outs) or "the takes and passages that the capture set apart"),
        Fact(name="Plays at", value=f"{profile.sample_rate:,} Hz" + _oversampled(profile)),
        Fact(name="Latency when played", value=f"{profile.latency_frames} frames"),
        Fact(name="Full size", value=_cost(profile.cost)),
    ]
    if profile.light:
        scored = profile.light.score.esr if profile.light.score else None
        esr = "" if scored is None else f", ESR {scored:.2g}"
        found.append(Fact(name="Light size", value=_cost(profile.light.cost) + esr))
    if file_bytes is not None:
        found.append(Fact(name="File", value=f"{file_bytes / 1000:,.0f} kB"))
    found.append(_golden(golden_db))
    if told.warm_start:
        found.append(Fact(name="Went on from", value=f"profile {told.warm_start[:12]}"))
    versions = ", ".join(f"{name} {version}" for name, version in told.versions.items())
    found.append(Fact(name="Made with", value=f"{versions or 'unknown versions'}; seed {told.seed}"))
    return found


def facts_of_session(session: CaptureSession, check: SessionCheck | None, score: Score | None) -> list[Fact]:
    """Return what the recordings tell: how late, which way up, offset, noise, aliasing, and what was possible."""
    takes = session.takes
    held_out = sum(take.held_out for take in takes)
    repeats = sum(take.replicate_of is not None for take in takes)
    seconds = sum(take.frames for take in takes) / session.sample_rate
    found = [
        Fact(
            name="Recorded",
            value=f"{len(takes)} takes, {seconds / 60:.1f} min at {session.sample_rate:,} Hz",
            note=f"{held_out} of them held out, {repeats} to tell the noise",
        ),
        _latency([take.latency_frames for take in takes], session.sample_rate),
        _polarity([take.polarity for take in takes]),
    ]
    if check:
        offsets = [abs(each.dc) for each in check.takes]
        found.append(Fact(name="DC in the recordings", value=f"at most {max(offsets, default=0.0):.2g} of full scale"))
        noise = [each.noise_db for each in check.takes if each.noise_db is not None]
        if noise:
            level = float(np.median(noise))
            found.append(Fact(name="Noise at rest", value="none" if level < _NONE_DB else _decibels(level, "dBFS")))
        if check.best_esr is not None:
            best = "ESR below 0.000001" if check.best_esr < 1e-6 else f"ESR {check.best_esr:.2g}"
            found.append(Fact(name="The best any training could reach", value=best, note=check.limited_by))
    if score and score.aliasing:
        gear_db, profile_db = score.aliasing.gear_db, score.aliasing.profile_db
        found.append(
            Fact(
                name="Aliasing",
                value=f"gear {_decibels(gear_db, 'dB')}, profile {_decibels(profile_db, 'dB')}",
                note="what is no harmonic of a sweep from 1 to 5 kHz, beside the harmonics",
            )
        )
    return found


def findings(
    profile: Profile, session: CaptureSession | None, check: SessionCheck | None
) -> tuple[list[tuple[str, Finding]], int]:
    """Return findings with whose they are, gravest first, and how many more there are. Equal ones are told once."""
    found = [("the profile", each) for each in profile.provenance.findings]
    if check:
        found += [("the session", each) for each in check.findings]
        found += [(f"take {take.take}", each) for take in check.takes for each in take.findings]
    if session:
        found += [(f"take {take.number}", each) for take in session.takes for each in take.findings]
    told: dict[tuple[str, str], list[str]] = {}
    for whose, each in found:
        told.setdefault((each.severity, each.message), []).append(whose)
    rows = [
        (_joined(owners), Finding(kind="", message=message, severity=severity))  # type: ignore[arg-type]
        for (severity, message), owners in told.items()
    ]
    rows.sort(key=lambda row: _ORDER[row[1].severity])
    return rows[:_MOST_FINDINGS], max(len(rows) - _MOST_FINDINGS, 0)


def knob_ranges(profile: Profile) -> list[Fact]:
    """Return each knob with its range and default."""
    return [
        Fact(
            name=knob.name,
            value=", ".join(knob.choices)
            if knob.choices
            else f"{knob.spelt(knob.minimum)} to {knob.spelt(knob.maximum)}",
            note=f"default {knob.spelt(knob.default)}" + (", logarithmic" if knob.scale == "log" else ""),
        )
        for knob in profile.knobs
    ]


def golden_settings(profile: Profile) -> str:
    """Return where the knobs of the golden pair stand."""
    return described(profile.knobs, profile.golden_settings)


def _joined(owners: Sequence[str]) -> str:
    owners = list(dict.fromkeys(owners))
    return ", ".join(owners) if len(owners) <= 3 else f"{owners[0]} and {len(owners) - 1} others"


def _below(esr: float) -> str:
    return f"{max(-10 * np.log10(max(esr, 1e-12)), 0):.0f} dB"


def _latency(frames: list[int], sample_rate: int) -> Fact:
    low, high = min(frames, default=0), max(frames, default=0)
    span = f"{low}" if low == high else f"{low} to {high}"
    return Fact(
        name="Latency of the recordings", value=f"{span} frames, {1000 * high / sample_rate:.2f} ms", note="taken out"
    )


def _polarity(found: list[int]) -> Fact:
    turned = sum(each < 0 for each in found)
    value = "as played" if not turned else f"upside down in {turned} of {len(found)} takes, turned back"
    return Fact(name="Polarity", value=value)


def _golden(golden_db: float) -> Fact:
    good = golden_db < -60
    value = f"{'in order' if good else 'NOT in order'}: {_decibels(golden_db, 'dB')} from its golden pair, played here"
    return Fact(name="Plays as when it was made", value=value)


def _oversampled(profile: Profile) -> str:
    return f", {profile.oversampling} times oversampled" if profile.oversampling > 1 else ""


def _decibels(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}".replace("-", "\u2212")


def _cost(cost: Cost | None) -> str:
    if cost is None:
        return "not measured"
    return f"{cost.multiply_adds:,} multiply-adds a frame, {cost.times_real_time:.3g} times real time on one core"
