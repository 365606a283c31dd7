"""`tonecast worker`: carries out the jobs of a library, beside its server or on another machine."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonecast.console import Screen
from tonecast.options import AsJson, LibraryDatabase, LibraryStorage

if TYPE_CHECKING:
    import threading

    from api.jobs.engine import Queue

__all__ = ["worker"]


def worker(
    *,
    data: Annotated[Path, typer.Option(help="Folder to work in; the library's own where it has no URLs.")] = Path(
        "library"
    ),
    database: LibraryDatabase = None,
    storage: LibraryStorage = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Also train what is to be trained on a GPU.")] = False,
    beneath: Annotated[bool, typer.Option("--beneath", hidden=True, help="End with the standard input.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train, render and export what a library's users ask for, until told to end. What runs then is given back."""
    import signal
    import threading

    from api.jobs.worker import work
    from api.log import start_logging
    from api.settings import ServiceSettings

    queues: tuple[Queue, ...] = ("cpu", "quick")
    if gpu:
        from profiler.training import training_device

        training_device("cuda")  # raises where there is none
        queues = ("cpu", "gpu", "quick")
    start_logging()
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    if beneath:
        threading.Thread(target=_end_with_input, args=(ending,), daemon=True).start()
    screen = Screen(as_json)

    def ready(worker_id: str) -> None:
        screen.say(f"Worker {worker_id} takes jobs: {', '.join(queues)}")
        screen.result({"worker": worker_id, "queues": queues})
        sys.stdout.flush()

    work(ServiceSettings(data=data, database=database, storage=storage), queues, ending, ready)


def _end_with_input(ending: "threading.Event") -> None:
    import contextlib
    import os

    with contextlib.suppress(OSError):
        while os.read(0, 64):  # by its number: a thread that waits in sys.stdin would keep Python from ending
            pass
    ending.set()
