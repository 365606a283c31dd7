"""`tonecast backup` and `tonecast restore`: a whole library in one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonecast.console import Screen
from tonecast.options import AsJson, LibraryDatabase, LibraryFolder, LibraryStorage

if TYPE_CHECKING:
    from api.backup import Backup

__all__ = ["backup", "restore"]

_MEGABYTE = 1e6


def backup(
    out: Annotated[Path, typer.Argument(help="Zip file to write. One that is there stays until the new one is whole.")],
    *,
    data: LibraryFolder = Path("library"),
    database: LibraryDatabase = None,
    storage: LibraryStorage = None,
    as_json: AsJson = False,
) -> None:
    """Write a library, which may be in use, to one file: profiles, people, collections and all."""
    from api.backup import back_up
    from api.settings import ServiceSettings

    screen = Screen(as_json)
    with screen.progress("backup") as tell:
        done = back_up(ServiceSettings(data=data, database=database, storage=storage), out, on_progress=tell)
    _show(screen, f"{out} holds", done)


def restore(
    source: Annotated[Path, typer.Argument(help="A file that `tonecast backup` wrote.")],
    *,
    data: LibraryFolder = Path("library"),
    database: LibraryDatabase = None,
    storage: LibraryStorage = None,
    as_json: AsJson = False,
) -> None:
    """Fill a library that is not there yet from a backup; on another kind of database too."""
    from api.backup import restore as restore_library
    from api.settings import ServiceSettings

    screen = Screen(as_json)
    with screen.progress("restore") as tell:
        done = restore_library(ServiceSettings(data=data, database=database, storage=storage), source, on_progress=tell)
    _show(screen, f"{data} has", done)


def _show(screen: Screen, where: str, done: "Backup") -> None:
    screen.say(f"{where} {done.profiles} profiles in {done.files} files, {done.bytes / _MEGABYTE:.1f} MB")
    screen.result(vars(done))
