"""`tonecast report`: a page on a profile, to look at and to listen to."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from tonecast.commands.evaluate import compared_with
from tonecast.console import Screen
from tonecast.options import AsJson, ComparedSession, ComparedTable, ProfileOrPreset

__all__ = ["report"]


def report(
    profile: ProfileOrPreset,
    out: Annotated[Path, typer.Option("--out", "-o", help="The page.")] = Path("report.html"),
    *,
    session: ComparedSession = None,
    table: ComparedTable = None,
    as_json: AsJson = False,
) -> None:
    """Write one HTML page: scores, pictures, players, a blind test. Without takes, what the profile alone tells."""
    from profiler.evaluation import scored
    from profiler.presets import effect_path
    from profiler.profile_file import load
    from profiler.progress import within
    from profiler.report import write_report

    if session is not None and table is not None:
        raise typer.BadParameter("Give --session or --table, not both.")
    if out.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(f"A page's name ends in .html; found {out.name!r}.", param_hint="--out")
    screen = Screen(as_json)
    path = effect_path(profile)
    loaded, size = load(path), path.stat().st_size
    has_takes = session is not None or table is not None
    takes = compared_with(screen, session, table, loaded.profile) if has_takes else contextlib.nullcontext()
    with takes as folder, screen.progress("report") as tell:
        score, share = loaded.profile.score, 0.0
        if folder is not None:
            share = 0.5
            loaded, score = scored(loaded, folder, on_progress=within(tell, start=0.0, share=share))
        written = write_report(
            out,
            loaded,
            score,
            folder=folder,
            file_bytes=size,
            on_progress=within(tell, start=share, share=1 - share),
        )
    screen.say(f"{out}: {written.bytes / 1e6:.1f} MB. Open it in a browser; it needs nothing else.")
    if folder is None:
        screen.say(
            "With --session or --table it also shows the gear beside the profile, with players and a blind test."
        )
    screen.result({"report": str(out), "bytes": written.bytes, "takes": written.takes, "esr": score and score.esr})
