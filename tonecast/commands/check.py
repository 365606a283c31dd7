"""`tonecast check`: what recordings show, and the best score a profile of them could reach."""

from pathlib import Path
from typing import Annotated

import typer

from tonecast.console import Screen
from tonecast.options import AsJson

__all__ = ["check"]


def check(
    session: Annotated[Path, typer.Argument(help="A session folder.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Look at a session before training: what is wrong with the takes, and how good a profile could get.

    Exits with 0 when training makes sense, with 1 when it does not.
    """
    from profiler.checks import check_session
    from profiler.session_folder import SessionFolder
    from tonecast.check_page import show_check

    screen = Screen(as_json)
    folder = SessionFolder.open(session)
    with screen.progress("check") as tell:
        found = check_session(folder, on_progress=tell)
    show_check(screen, found, folder.session, session)
    screen.result(found)
    if not found.makes_sense:
        raise typer.Exit(1)
