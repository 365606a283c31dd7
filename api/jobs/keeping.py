"""Worker processes that a server starts, starts again when they die, and ends when it ends."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from api.log import LOG
from api.settings import ServiceSettings

__all__ = ["DATABASE_VARIABLE", "STORAGE_VARIABLE", "working"]

DATABASE_VARIABLE = "TONECAST_DATABASE"
STORAGE_VARIABLE = "TONECAST_STORAGE"
"""Where workers learn URLs from: command lines, which others can see, may not show their passwords."""

_LOOK_SECONDS = 0.5
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 30.0
_LIVED_SECONDS = 60.0
_END_SECONDS = 60.0


@contextlib.contextmanager
def working(settings: ServiceSettings) -> Iterator[None]:
    """Keep as many worker processes as the settings say, while the block lasts. They end with this process."""
    ending = threading.Event()
    keepers = [threading.Thread(target=_kept, args=(settings, ending)) for _ in range(settings.workers)]
    for each in keepers:
        each.start()
    try:
        yield
    finally:
        ending.set()
        for each in keepers:
            each.join()


def _kept(settings: ServiceSettings, ending: threading.Event) -> None:
    wait = _FIRST_WAIT_SECONDS
    while not ending.is_set():
        begun = time.monotonic()
        process = _started(settings)
        while process.poll() is None and not ending.wait(_LOOK_SECONDS):
            pass
        if ending.is_set():
            _ended(process)
            return
        lived = time.monotonic() - begun
        wait = _FIRST_WAIT_SECONDS if lived > _LIVED_SECONDS else min(wait * 2, _LONGEST_WAIT_SECONDS)
        LOG.warning("worker died", extra={"fields": {"code": process.returncode, "again_in_seconds": wait}})
        ending.wait(wait)


def _started(settings: ServiceSettings) -> "subprocess.Popen[bytes]":
    urls = {DATABASE_VARIABLE: settings.database, STORAGE_VARIABLE: settings.storage}
    environment = {**os.environ, **{name: url for name, url in urls.items() if url is not None}}
    command = (sys.executable, "-m", "tonecast", "worker", "--data", str(settings.data), "--beneath")
    return subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
    )


def _ended(process: "subprocess.Popen[bytes]") -> None:
    """End a worker, which gives back what it works on."""
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
