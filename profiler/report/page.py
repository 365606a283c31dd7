"""The page of a report: one HTML file with everything in it."""

import base64
import hashlib
import importlib.resources
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup

from profiler.checks import SessionCheck, check_session
from profiler.evaluation import scored_spans
from profiler.profile import LoadedProfile, Profile
from profiler.progress import Progress, ProgressCallback, unheard, within
from profiler.report.charts import knob_charts, learning_curve, look_at, scores_by_take, tone_charts
from profiler.report.facts import facts_of_profile, facts_of_session, findings, golden_settings, headline, knob_ranges
from profiler.report.knob_sweeps import KnobSweep, Place, bands_hz, by_position, learnt_alone, listened
from profiler.report.measured import Answers, Case, answers_alone, answers_of_session, cases, golden_error_db
from profiler.report.players import Player, player
from profiler.score import Score
from profiler.session import CaptureSession, described
from profiler.session_folder import SessionFolder
from profiler.storage import write_bytes

__all__ = ["Written", "write_report"]

_WORST_SHOWN = 3
_MOST_ROWS = 30
_MOST_KNOBS = 12
_CHECK_SHARE = 0.3
_MODULES = ("sound.js", "blind.js", "report.js")


@dataclass(frozen=True, kw_only=True)
class Written:
    """A report that was written: how many bytes it has, and the takes that it shows in full."""

    bytes: int
    takes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """One take on the page."""

    take: int
    why: str
    settings: str
    charts: Markup
    dc: str
    player: Player


@dataclass(kw_only=True)
class _Material:
    """What the page is made of."""

    shown: list[_Shown] = field(default_factory=list)
    answers: list[Answers] = field(default_factory=list)
    sweeps: list[KnobSweep] = field(default_factory=list)
    check: SessionCheck | None = None


def write_report(
    path: Path,
    loaded: LoadedProfile,
    score: Score | None,
    *,
    folder: SessionFolder | None = None,
    file_bytes: int | None = None,
    on_progress: ProgressCallback = unheard,
) -> Written:
    """Write a self-contained page on a profile: its score, and what of a session it was compared with.

    Without a session the page shows what the profile alone tells. `score` is that of the session's takes, and
    `file_bytes` the size of the profile's file. Of however many takes the three worst and one from the middle are
    shown in full. Raises StorageError, SessionError, AudioError.
    """
    material = _gathered(loaded, score, folder, on_progress)
    session = folder.session if folder else None
    content = _rendered(loaded, score, material, session, file_bytes).encode()
    write_bytes(path, content)
    return Written(bytes=len(content), takes=tuple(each.take for each in material.shown))


def _gathered(
    loaded: LoadedProfile, score: Score | None, folder: SessionFolder | None, on_progress: ProgressCallback
) -> _Material:
    material = _Material()
    share = 0.0
    if folder:
        share = _CHECK_SHARE
        material.check = check_session(folder, on_progress=within(on_progress, start=0.0, share=share))
    tell = within(on_progress, start=share, share=1 - share)
    begun = time.monotonic()
    for done in _gather(material, loaded, score, folder):
        left = (time.monotonic() - begun) * (1 - done) / done
        tell(Progress(step="report", done=done, seconds_left=left))
    return material


def _gather(
    material: _Material, loaded: LoadedProfile, score: Score | None, folder: SessionFolder | None
) -> Iterator[float]:
    """Work out one thing after the other, and yield after each how much of it all is done."""
    profile = loaded.profile
    knobs = profile.knobs[:_MOST_KNOBS]
    makers: Sequence[Callable[[], Case]] = ()
    if folder and score:
        spans = scored_spans(profile, folder.session)
        makers = cases(loaded, folder, score, spans, worst=_WORST_SHOWN)
    steps = len(makers) + (folder is not None) + 1 + len(knobs)
    shares = iter(np.linspace(0, 1, steps + 1)[1:].tolist())
    places: dict[str, tuple[Place, ...]] = {}
    if folder:
        for make in makers:
            material.shown.append(_shown(profile, folder, make()))
            yield next(shares)
        if (found := answers_of_session(loaded, folder)) is not None:
            material.answers.append(found)
        yield next(shares)
        places = by_position(profile.knobs, listened(loaded, folder)) if knobs else {}
    if all(each.moving for each in material.answers):
        material.answers.append(answers_alone(loaded))
    yield next(shares)
    frequency = bands_hz(profile.sample_rate)
    for knob in knobs:
        measured, alone = places.get(knob.id, ()), learnt_alone(loaded, knob)
        material.sweeps.append(KnobSweep(knob=knob, frequency_hz=frequency, measured=measured, alone=alone))
        yield next(shares)


def _shown(profile: Profile, folder: SessionFolder, case: Case) -> _Shown:
    rate = folder.session.sample_rate
    offsets = (float(case.gear.mean()), float(case.learnt.mean())) if len(case.gear) else (0.0, 0.0)
    return _Shown(
        take=case.take.number,
        why=case.why,
        settings=described(profile.knobs, case.take.settings),
        charts=look_at(case.dry, case.gear, case.learnt, rate),
        dc=f"gear {offsets[0]:+.2g}, learnt {offsets[1]:+.2g}",
        player=player(case.dry[case.excerpt], case.gear[case.excerpt], case.learnt[case.excerpt], rate),
    )


def _rendered(
    loaded: LoadedProfile,
    score: Score | None,
    material: _Material,
    session: CaptureSession | None,
    file_bytes: int | None,
) -> str:
    profile = loaded.profile
    script, style = _script(), _file("report.css")
    told, untold = findings(profile, session, material.check)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("profiler.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = score.takes if score else ()
    return environment.get_template("report.html.jinja").render(
        profile=profile,
        score=score,
        rows=rows[:_MOST_ROWS],
        unlisted=max(len(rows) - _MOST_ROWS, 0),
        headline=headline(score),
        session=session,
        facts=facts_of_profile(profile, file_bytes=file_bytes, golden_db=golden_error_db(loaded)),
        recorded=facts_of_session(session, material.check, score) if session else [],
        knob_ranges=knob_ranges(profile),
        golden=golden_settings(profile),
        findings=told,
        untold=untold,
        shown=material.shown,
        answers=[(each, tone_charts(each)) for each in material.answers],
        sweeps=[(each, knob_charts(each)) for each in material.sweeps],
        unswept=max(len(profile.knobs) - _MOST_KNOBS, 0),
        curve=learning_curve(profile.provenance.curve),
        by_take=scores_by_take(score) if score else None,
        described=described,
        sounds=_data(material.shown),
        style=Markup(style),  # noqa: S704 - the package's own
        script=Markup(script),  # noqa: S704 - the package's own
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _data(shown: Sequence[_Shown]) -> Markup:
    """Return the players as JSON that ends no script element: a "<" can be written otherwise."""
    text = json.dumps([asdict(each.player) for each in shown], allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - made safe here


def _script() -> str:
    """Return the modules as one script in a scope of its own: a page that is one file has nothing to import from."""
    modules = "\n".join(_file(name) for name in _MODULES)
    lines = (line.removeprefix("export ") for line in modules.splitlines() if not line.startswith("import "))
    return '"use strict";\n(() => {\n' + "\n".join(lines) + "\n})();"


def _file(name: str) -> str:
    return (importlib.resources.files("profiler.report") / name).read_text(encoding="utf-8").strip()
