"""`tonecast verify`: whether a library is whole."""

from pathlib import Path
from typing import Annotated

import typer

from tonecast.console import Screen
from tonecast.options import AsJson, LibraryDatabase, LibraryFolder, LibraryStorage

__all__ = ["verify"]

_MEGABYTE = 1e6


def verify(
    *,
    data: LibraryFolder = Path("library"),
    database: LibraryDatabase = None,
    storage: LibraryStorage = None,
    grace: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="How long a file may be there before a row names it.")
    ] = 3600,
    as_json: AsJson = False,
) -> None:
    """Compare all rows, files and hashes of a library, which may be in use. Changes nothing.

    Exits with 0 when the library is whole, with 1 when it is not.
    """
    from api.settings import ServiceSettings
    from api.verification import verify as verify_library

    screen = Screen(as_json)
    settings = ServiceSettings(data=data, database=database, storage=storage)
    with screen.progress("verify") as tell:
        found = verify_library(settings, grace_seconds=grace, on_progress=tell)
    for flaw in found.flaws:
        screen.say(f"{flaw.subject}: {flaw.message}")
    compared = f"{found.profiles} profiles, {found.jobs} jobs, {found.files} files of {found.bytes / _MEGABYTE:.1f} MB"
    screen.say(f"{compared}: {f'{len(found.flaws)} flaws' if found.flaws else 'all is whole'}")
    screen.result(found)
    if found.flaws:
        raise typer.Exit(1)
