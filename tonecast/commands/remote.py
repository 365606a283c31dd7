"""Work that a library's server does instead of this machine: `train` and `render` with `--server URL`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profiler.errors import AutomationError, LibraryError
from tonecast.commands.library import open_client
from tonecast.commands.watching import watched
from tonecast.console import Screen

if TYPE_CHECKING:
    from api.client import LibraryClient
    from api.job import Job

__all__ = ["Where", "render_there", "train_there"]

Where = Annotated[str | None, typer.Option("--server", metavar="URL", help="Have a library's server do it.")]


def train_there(screen: Screen, server: str, session: Path, out: Path, query: Mapping[str, object]) -> "Job":
    """Have a session's folder, one with takes.csv or a zip of either be learnt, and fetch the profile to `out`.

    The profile is an entry of the library too, called as `out` is. Raises LibraryError where the job fails.
    """
    with open_client(server) as client:
        screen.say(f"Sending {session} to {client.server}")
        return _done(screen, client, client.train(session, {"name": out.stem, **query}), out)


def render_there(
    screen: Screen, server: str, name_or_id: str, files: tuple[Path, Path], query: Mapping[str, object]
) -> "Job":
    """Have a recording be played through a profile of the library or a chain, and fetch the wet file.

    A chain is a file here, or one that ships; files of profiles in it must be in the library, and those of impulse
    responses are sent. Of the query, `automation` is the path of a knob track or a table, or None.
    """
    dry, target = files
    form = {".wav": "wav", ".flac": "flac", ".aif": "aiff", ".aiff": "aiff"}.get(target.suffix.lower())
    if form is None:
        raise LibraryError(f"{target} is no file that a server renders to. Name it .wav, .flac or .aiff.")
    told = {"form": form, **query, "automation": _text_of(query.get("automation"))}
    chain = _chain_of(name_or_id)
    if chain is not None and told.pop("size", "full") != "full":
        raise LibraryError("--size chooses within a profile; a chain plays its profiles in full size.")
    with open_client(server) as client:
        if chain is not None:
            job = client.play_chain(chain, dry, told)
        else:
            job = client.render(client.find(name_or_id).id, dry, told)
        return _done(screen, client, job, target)


def _chain_of(name: str) -> Path | None:
    """Return the file of a chain; None for what is no chain."""
    from profiler.presets import PREFIX, effect_path

    if not name.endswith(".json") and not name.startswith(PREFIX):
        return None
    path = effect_path(name)
    return path if path.suffix == ".json" else None


def _text_of(path: object) -> str:
    if not isinstance(path, Path):
        return ""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AutomationError(f"{path} cannot be read as text: {error}. A server takes JSON and CSV only.") from error


def _done(screen: Screen, client: "LibraryClient", job: "Job", out: Path) -> "Job":
    """Show how a job goes on until it has ended, and fetch what came of it."""
    job = watched(screen, client, job)
    client.fetch_result(job, out)
    return job
