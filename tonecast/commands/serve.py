"""`tonecast serve`: a library of profiles that others on the network use."""

import os
import sys
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonecast.console import Screen
from tonecast.options import AsJson, LibraryDatabase, LibraryFolder, LibraryStorage

if TYPE_CHECKING:
    from api.http.server import Announcement

__all__ = ["serve"]

_MEGABYTE = 1 << 20


def serve(  # noqa: PLR0913 - options
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is all of this machine's.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    data: LibraryFolder = Path("library"),
    database: LibraryDatabase = None,
    storage: LibraryStorage = None,
    anonymous_read: Annotated[
        bool, typer.Option("--anonymous-read", help="Let strangers search and download.")
    ] = False,
    quota: Annotated[int, typer.Option(min=0, metavar="MB", help="What each account may keep.")] = 10_240,
    rate: Annotated[
        int, typer.Option(min=1, help="Requests a minute for each account, or address of strangers.")
    ] = 600,
    open_page: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open its page in a browser; yes on a desktop."),
    ] = None,
    hears: Annotated[
        bool, typer.Option("--hear/--no-hear", help="Listen to profiles as they come, for the search by sound.")
    ] = True,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Processes that carry out jobs, beside those of: tonecast worker.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Serve a library of profiles. The first start prints a link that signs the first admin in, once."""
    from api.http.server import serve as serve_library
    from api.settings import ServiceSettings

    screen = Screen(as_json)
    settings = ServiceSettings(
        data=data,
        database=database,
        storage=storage,
        host=host,
        port=port,
        anonymous_read=anonymous_read,
        quota_bytes=quota * _MEGABYTE,
        requests_a_minute=rate,
        hears=hears,
        workers=workers,
    )
    if open_page is None:
        open_page = not as_json and sys.stdout.isatty() and _has_desktop()

    def announce(told: "Announcement") -> None:
        _announce(screen, told)
        if open_page:
            # In a thread of its own: what opens it may take its time, and the server answers meanwhile.
            threading.Thread(target=webbrowser.open, args=(told.admin_link or told.url,), daemon=True).start()

    serve_library(settings, announce)


def _announce(screen: Screen, told: "Announcement") -> None:
    screen.say(f"The library and its page are at {told.url}")
    if told.admin_link:
        screen.say("Nobody administers it yet. Within a day, once, open this in a browser:")
        screen.say(told.admin_link)
        screen.say("or, for the command line: tonecast login and the same link.")
    screen.result({"url": told.url, "admin_link": told.admin_link})
    sys.stdout.flush()


def _has_desktop() -> bool:
    """Whether a browser would be one with windows: one in this terminal would take it from the server."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
