"""What a report measures: of a session's recordings beside the profile on the same spans, and of the profile alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from profiler.audio import Samples
from profiler.evaluation import render_take
from profiler.knob import default_settings
from profiler.profile import LoadedProfile
from profiler.rendering import ProfileProcessor
from profiler.report.playing import finite_mono, worst_excerpt
from profiler.report.tone_answers import Ramp, Swept, measuring_tones, ramps, swept
from profiler.score import Score
from profiler.session import CaptureSession, Take, described
from profiler.session_folder import SessionFolder
from profiler.split import Span, recorded_frames

__all__ = ["Answers", "Case", "answers_alone", "answers_of_session", "cases", "golden_error_db"]

Measured = TypeVar("Measured")

_LOOKED_AT_SECONDS = 60.0
_EXCERPT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """Answers to test tones: of the learnt, and of the gear where there is a recording. `of` says at which settings."""

    of: str
    moving: bool
    gear_sweeps: list[Swept]
    learnt_sweeps: list[Swept]
    gear_ramps: list[Ramp]
    learnt_ramps: list[Ramp]


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A take to look at and listen to: at most a minute of it, mono, and the seconds where learnt is furthest off."""

    take: Take
    why: str
    dry: Samples
    gear: Samples
    learnt: Samples
    excerpt: slice


def cases(
    loaded: LoadedProfile, folder: SessionFolder, score: Score, spans: list[Span], *, worst: int
) -> list[Callable[[], Case]]:
    """Return what makes each take to show: so many of the worst, and the one in the middle, of those with sound.

    `spans` are those that were scored.
    """
    order = [row.take for row in score.takes if row.target_db > -200 and row.seconds > 0]
    chosen = {take: "among the worst" if number else "the worst" for number, take in enumerate(order[:worst])}
    if len(order) > worst:
        chosen[order[max(len(order) // 2, worst)]] = "from the middle"
    by_take = {span.take: span for span in spans}
    return [_maker(loaded, folder, by_take[take], why) for take, why in chosen.items() if take in by_take]


def _maker(loaded: LoadedProfile, folder: SessionFolder, span: Span, why: str) -> Callable[[], Case]:
    def made() -> Case:
        rate = folder.session.sample_rate
        part = replace(span, stop=min(span.stop, span.start + int(_LOOKED_AT_SECONDS * rate)))
        rendered = render_take(loaded, folder, part)
        dry, gear, learnt = (finite_mono(each) for each in (rendered.dry, rendered.wet, rendered.predicted))
        excerpt = worst_excerpt(gear, learnt, int(_EXCERPT_SECONDS * rate))
        return Case(take=rendered.take, why=why, dry=dry, gear=gear, learnt=learnt, excerpt=excerpt)

    return made


def answers_of_session(loaded: LoadedProfile, folder: SessionFolder) -> Answers | None:
    """Return what gear and learnt answer to a take's sweeps and ramps; None for a session without any.

    A take at fixed settings tells more than one whose knobs move.
    """
    session = folder.session
    takes = [take for take in session.takes if take.replicate_of is None and len(_tones(session, take)) == 2]
    if not takes:
        return None
    take = min(takes, key=lambda each: each.settings is None)
    sweep, ramp = _tones(session, take)
    gear_sweeps, learnt_sweeps = _beside(loaded, folder, sweep, swept)
    gear_ramps, learnt_ramps = _beside(loaded, folder, ramp, ramps)
    return Answers(
        of=f"take {take.number}, {described(session.knobs, take.settings)}",
        moving=take.settings is None,
        gear_sweeps=gear_sweeps,
        learnt_sweeps=learnt_sweeps,
        gear_ramps=gear_ramps,
        learnt_ramps=learnt_ramps,
    )


def answers_alone(loaded: LoadedProfile) -> Answers:
    """Return what the profile answers to test tones with its knobs at their defaults."""
    profile = loaded.profile
    rate = profile.sample_rate
    settings = default_settings(profile.knobs)
    sweeps_in, ramps_in = measuring_tones(rate)
    tones = np.concatenate([sweeps_in, ramps_in]).astype(np.float32)
    wet = finite_mono(ProfileProcessor(loaded, settings).process(tones[None], rate))
    still = np.ones(len(tones), np.bool_)
    turn = len(sweeps_in)
    return Answers(
        of=described(profile.knobs, settings) if profile.knobs else "",
        moving=False,
        gear_sweeps=[],
        learnt_sweeps=swept(sweeps_in, wet[:turn].astype(np.float64), still[:turn], rate),
        gear_ramps=[],
        learnt_ramps=ramps(ramps_in, wet[turn:].astype(np.float64), still[turn:], rate),
    )


def golden_error_db(loaded: LoadedProfile) -> float:
    """Return how far the profile plays beside its golden pair here: the difference's peak below the wet's, in dB."""
    wet = ProfileProcessor(loaded, loaded.profile.golden_settings).process(
        loaded.golden_dry, loaded.profile.sample_rate
    )
    difference = float(np.abs(wet - loaded.golden_wet).max(initial=0))
    return 20 * float(np.log10(max(difference, 1e-9) / max(float(np.abs(loaded.golden_wet).max(initial=0)), 1e-6)))


def _tones(session: CaptureSession, take: Take) -> list[Span]:
    """Return where a take answers sweeps and ramps whole."""
    stimulus = session.dries[take.dry].stimulus
    begin, end = recorded_frames(session, take)
    parts = [stimulus.part(name) for name in ("sweeps", "ramps")] if stimulus else []
    return [
        Span(take=take.number, start=part.start, stop=part.stop)
        for part in parts
        if part is not None and begin <= part.start and part.stop <= end
    ]


def _beside(
    loaded: LoadedProfile, folder: SessionFolder, span: Span, measure: Callable[..., list[Measured]]
) -> tuple[list[Measured], list[Measured]]:
    """Return what a measure finds in the gear's answer, and in the learnt one, on a span of a take."""
    rendered = render_take(loaded, folder, span)
    still = np.ones(span.stop, np.bool_)
    for move in folder.track_of(rendered.take).breakpoints[1:]:
        still[move.frame : move.frame + move.ramp_frames + 1] = False
    dry, gear, learnt = (finite_mono(each) for each in (rendered.dry, rendered.wet, rendered.predicted))
    both = (measure(dry, each, still[span.start :], folder.session.sample_rate) for each in (gear, learnt))
    return next(both), next(both)
