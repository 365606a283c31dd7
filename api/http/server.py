"""The server: a socket, uvicorn on it, and a library that is open for as long."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

import uvicorn

from api.freed_memory import giving_back
from api.http.app import create_app
from api.http.gate import Gate
from api.jobs.desk import Desk
from api.jobs.keeping import working
from api.library import Library, opened
from api.listening.background import hearing, loading
from api.listening.listening import Listening
from api.log import LOG, start_logging
from api.settings import ServiceSettings
from api.shipped import add_presets
from profiler.errors import LibraryError

__all__ = ["Announcement", "serve"]

_GRACE_SECONDS = 30
_IDLE_SECONDS = 75  # longer than clients keep connections, so that none is closed as they send


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """Where a server that is ready is found, and a one-time secret where no admin has a token yet."""

    url: str
    admin_secret: str | None

    @property
    def admin_link(self) -> str | None:
        """What `tonecast login` takes."""
        return None if self.admin_secret is None else f"{self.url}/#{self.admin_secret}"


def serve(settings: ServiceSettings, announce: Callable[[Announcement], None]) -> None:
    """Serve a library until the process is told to end; requests that are being answered then are finished.

    `announce` is called once, when the server answers. Raises LibraryError or StorageError where it cannot start.
    """
    start_logging()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        with opened(settings) as library, _listening(settings) as listener:
            add_presets(library)
            port = listener.getsockname()[1]
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            told = Announcement(url=f"http://{host}:{port}", admin_secret=library.admin_secret())
            listening = Listening(library)
            loading(listening)
            hears = hearing(listening) if settings.hears else contextlib.nullcontext()
            with hears, giving_back(), _with_workers(settings, library) as desk:
                _Server(library, listening, desk, lambda: announce(told)).run(sockets=[listener])
    finally:
        LOG.info("ended")


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what a handler is given
    """End as a program that is done: uvicorn raises the signal again when it has finished what it was at."""
    raise SystemExit(0)


@contextlib.contextmanager
def _with_workers(settings: ServiceSettings, library: Library) -> Iterator[Desk]:
    desk = Desk(library)
    try:
        desk.sweep()
        with working(settings):
            yield desk
    finally:
        desk.close()


class _Server(uvicorn.Server):
    def __init__(self, library: Library, listening: Listening, desk: Desk, ready: Callable[[], None]) -> None:
        self._ending = threading.Event()
        super().__init__(_config(create_app(library, listening, desk, self._ending)))
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending.set()
        await super().shutdown(sockets=sockets)


def _config(app: Gate) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_IDLE_SECONDS,
        h11_max_incomplete_event_size=32 << 10,
    )


def _listening(settings: ServiceSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Named, for asyncio sends at once (TCP_NODELAY) only on sockets that say that they are TCP. Otherwise the body of a
    # reply waits for the other end to say that it has the headers: 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except (OSError, OverflowError) as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        raise LibraryError(f"Nothing can listen on {where}: {error}. Choose another --port or --host.") from error
    return listener
