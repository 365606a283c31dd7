"""Listening beside everything else that a server does: one profile at a time, as they come."""

import contextlib
import threading
from collections.abc import Iterator

from api.listening.listening import Listening
from api.log import LOG
from api.problem import Problem
from profiler.errors import StorageError

__all__ = ["hearing", "loading"]

_PAUSE_SECONDS = 3.0
_STOP_SECONDS = 10.0


@contextlib.contextmanager
def hearing(listening: Listening) -> Iterator[None]:
    """Have a thread listen to the profiles that are not heard yet, for as long as the block lasts."""
    stop = threading.Event()
    thread = threading.Thread(target=_hear, args=(listening, stop), name="hearing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_STOP_SECONDS)


def loading(listening: Listening) -> None:
    """Have a thread read how the profiles of a library sound."""
    threading.Thread(target=_load, args=(listening,), name="loading", daemon=True).start()


def _load(listening: Listening) -> None:
    try:
        listening.load()
    except Problem:  # a database that does not answer: who searches first will read them, or be told
        LOG.exception("loading")


def _hear(listening: Listening, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            if listening.hear_next(stop.is_set):
                continue
        except (Problem, StorageError, OSError):  # a database or a disk that does not answer now may answer later
            LOG.exception("hearing")
        stop.wait(_PAUSE_SECONDS)
