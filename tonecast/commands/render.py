"""`tonecast render`: play a profile or a chain on an audio file, or on a folder of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from profiler.profile import Size
from tonecast.commands.remote import Where, render_there
from tonecast.console import Screen, clock, plain, text_table
from tonecast.options import AsJson, KnobValues, OneSize, parse_controllers, parse_settings

if TYPE_CHECKING:
    from profiler.rendering import Outcome, Rendered, RenderJob

__all__ = ["render"]


def render(  # noqa: PLR0913 - one parameter an option
    effect: Annotated[Path, typer.Argument(help="A .tonecast profile, a chain.json, or a preset's name.")],
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="The dry file: WAV, FLAC, AIFF, OGG or MP3. Or a folder of them.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The wet file: WAV, FLAC or AIFF. Or a folder.")],
    *,
    settings: KnobValues = None,
    automation: Annotated[
        Path | None,
        typer.Option(help="How knobs turn: a knob track (.json), a table of seconds, knob, value (.csv), or MIDI."),
    ] = None,
    controllers: Annotated[
        list[str] | None,
        typer.Option("--cc", metavar="[CHANNEL/]NUMBER=KNOB[:LOW:HIGH]", help="Which knob a MIDI controller turns."),
    ] = None,
    size: OneSize = Size.FULL,
    oversampling: Annotated[
        int | None,
        typer.Option(help="At how many times its rate a profile plays: 1, 2, 4 or 8. Costs as much, aliases less."),
    ] = None,
    tail: Annotated[
        bool | None,
        typer.Option(
            "--tail/--no-tail", help="Keep what still sounds when the dry is over. A chain does, a profile does not."
        ),
    ] = None,
    bits: Annotated[
        Literal["float", "24", "16", "same"] | None,
        typer.Option(help="How fine samples are stored. Usually WAV as float, FLAC and AIFF as 24."),
    ] = None,
    loudness: Annotated[
        bool, typer.Option("--match-loudness", help="Every slot goes on as loud as what it was fed. Takes more passes.")
    ] = False,
    table: Annotated[
        Path | None,
        typer.Option(help="Of a folder: a CSV with file, effect, automation, set, for what is not rendered alike."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Of a folder: how many files at once. All cores.")] = None,
    server: Where = None,
    as_json: AsJson = False,
) -> None:
    """Render files of any rate through a profile, chain or preset. Knobs that are not set stand at their defaults."""
    from profiler.presets import effect_path
    from profiler.rendering import RenderJob

    if controllers and automation is None and table is None:
        raise typer.BadParameter("--cc says what the controllers of a MIDI file turn; give it with --automation.")
    if server is not None:
        if controllers or table or jobs or tail is not None or loudness or oversampling:
            raise typer.BadParameter("--server takes --set, --automation (JSON or CSV), --size and --bits only.")
        query: dict[str, object] = {"set": settings, "automation": automation, "size": size.value, "bits": bits}
        _render_there(Screen(as_json), server, str(effect), (source, target), query)
        return
    job = RenderJob(
        effect=effect_path(effect),
        source=source,
        target=target,
        settings=parse_settings(settings),
        automation=automation,
        controllers=parse_controllers(controllers),
        size=size,
        oversampling=oversampling,
        keep_tail=tail,
        bits=bits,
        match_loudness=loudness,
    )
    if source.is_dir():
        _render_stems(job, table, jobs, Screen(as_json))
        return
    if table is not None or jobs is not None:
        raise typer.BadParameter(f"--table and --jobs are of a folder; {source} is none.")
    _render_one(job, Screen(as_json))


def _render_there(screen: Screen, server: str, effect: str, files: tuple[Path, Path], query: dict[str, object]) -> None:
    job = render_there(screen, server, effect, files, query)
    screen.say(f"{files[1]} written")
    screen.result({"out": str(files[1]), "job": job.id})


def _render_one(job: "RenderJob", screen: Screen) -> None:
    from profiler.rendering import run_job

    with screen.progress("render") as tell:
        rendered = run_job(job, tell)
    screen.say(f"{job.target} written in {clock(rendered.seconds)}")
    for note in _notes(job, rendered):
        screen.say(note)
    screen.result({"out": str(job.target), **plain(rendered)})


def _render_stems(job: "RenderJob", table: Path | None, workers: int | None, screen: Screen) -> None:
    """Render a folder, show what became of each file, and end in 1 when one of them failed."""
    from profiler.rendering import read_stems_table, render_folder, stem_jobs

    jobs = stem_jobs(job.source, job.target, job, read_stems_table(table) if table else ())
    with screen.progress("render") as tell:
        outcomes = render_folder(jobs, job.target, workers=workers, on_progress=tell)
    titles, cells = ("file", "length", "times real time", ""), (_cells(each, job.source) for each in outcomes)
    screen.show(text_table(titles, cells, to_the_right=("length", "times real time")))
    failed = sum(outcome.error is not None for outcome in outcomes)
    kept = sum(outcome.error is None and outcome.rendered is None for outcome in outcomes)
    screen.say(f"{len(outcomes) - failed - kept} rendered, {kept} as they were, {failed} failed.")
    files = [
        {"in": str(each.job.source), "out": str(each.job.target), "error": each.error, "rendered": plain(each.rendered)}
        for each in outcomes
    ]
    screen.result({"out": str(job.target), "failed": failed, "files": files})
    if failed:
        raise typer.Exit(1)


def _cells(outcome: "Outcome", source: Path) -> tuple[str, str, str, str]:
    file, rendered = str(outcome.job.source.relative_to(source)), outcome.rendered
    if rendered is None:
        return file, "", "", outcome.error or "as it was"
    pace = f"{rendered.audio_seconds / max(rendered.seconds, 1e-3):.1f}"
    return file, clock(rendered.audio_seconds), pace, " ".join(_notes(outcome.job, rendered))


def _notes(job: "RenderJob", rendered: "Rendered") -> list[str]:
    """Return what is worth knowing of a render, in sentences."""
    notes = []
    if rendered.levels_db:
        notes.append(
            f"Levels that match the loudness, in dB: {', '.join(f'{each:+.1f}' for each in rendered.levels_db)}."
        )
    if rendered.limited_frames:
        notes.append(
            f"{rendered.limited_frames} frames went beyond full scale and were limited, as {job.target.name} cannot "
            "keep them. Render to .wav to keep them."
        )
    if rendered.late_turns and job.automation:
        notes.append(
            f"{rendered.late_turns} of {rendered.turns} turns in {job.automation.name} come after the end, at "
            f"{rendered.audio_seconds:.1f} s."
        )
    if rendered.is_silent:
        notes.append("It is silent.")
    return notes
