"""A worker: takes runs from the queue until it is told to end, and looks after those of workers that are gone."""

import contextlib
import itertools
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from api.freed_memory import giving_back
from api.job import JobState
from api.jobs.carrying import Run, folder_of
from api.jobs.desk import Desk
from api.jobs.engine import Executor, Queue, executing
from api.library import joined
from api.log import LOG
from api.problem import Problem
from api.settings import ServiceSettings
from api.store import jobs, workers
from profiler.errors import LibraryError, StorageError
from profiler.storage import write_bytes

__all__ = ["work"]

_BEAT_SECONDS = 2.0
_CLEAR_BEATS = 5
_GONE_SECONDS = 60.0
_SLOTS = 64
_END_SECONDS = 40.0


def work(
    settings: ServiceSettings, queues: tuple[Queue, ...], ending: threading.Event, ready: Callable[[str], None]
) -> None:
    """Carry out jobs until `ending` is set; what runs then stops at its next checkpoint and is given back.

    `ready` is called once, with this worker's id. Raises LibraryError or StorageError where it cannot start.
    """
    try:
        settings.jobs_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{settings.data} cannot be made: {error.strerror}. Name another folder.") from error
    with _slot(settings.jobs_folder) as worker_id, joined(settings) as library, giving_back():
        desk = Desk(library)
        try:
            _Worker(desk, worker_id, queues, ending).work(ready)
        finally:
            desk.close()


class _Worker:
    def __init__(self, desk: Desk, worker_id: str, queues: tuple[Queue, ...], ending: threading.Event) -> None:
        self._desk, self._id, self._queues, self._ending = desk, worker_id, queues, ending
        self._running: set[str] = set()
        self._seen: dict[str, tuple[int, float]] = {}

    def work(self, ready: Callable[[str], None]) -> None:
        self._desk.engine  # noqa: B018 - makes the queue's tables
        self._beat()
        self._clear(("succeeded", "cancelled"))
        with executing(self._desk.library.settings.jobs_url, self._id, self._queues, self._run) as executor:
            ready(self._id)
            for beat in itertools.count(1):
                if self._ending.wait(_BEAT_SECONDS):
                    break
                with contextlib.suppress(Problem):  # the database is away for a moment
                    self._beat()
                    self._desk.reconcile()
                    self._look_after(executor)
                    if beat % _CLEAR_BEATS == 0:
                        self._clear()  # of jobs that failed the folder is kept, until they are removed
            deadline = time.monotonic() + _END_SECONDS
            while self._running and time.monotonic() < deadline:
                time.sleep(0.05)
        with contextlib.suppress(Problem), self._desk.library.database.writing() as connection:
            workers.forget_worker(connection, self._id)

    def _run(self, run_id: str) -> None:
        job_id, _, run = run_id.rpartition("-")
        self._running.add(run_id)
        try:
            Run(self._desk, job_id, int(run), self._ending).carry_out()
        finally:
            self._running.discard(run_id)

    def _beat(self) -> None:
        with self._desk.library.database.writing() as connection:
            workers.beat(connection, self._id, " ".join(self._queues))

    def _look_after(self, executor: Executor) -> None:
        """Take over what workers had that are gone: that said so, or did not count on for long."""
        with self._desk.library.database.reading() as connection:
            beats = workers.beats(connection)
        now = time.monotonic()
        for worker_id, count in beats.items():
            if self._seen.get(worker_id, (None, 0.0))[0] != count:
                self._seen[worker_id] = (count, now)
        alive = {each for each in beats if now - self._seen[each][1] < _GONE_SECONDS}
        alive -= _unheld(self._desk.library.settings.jobs_folder)
        if orphans := executor.take_over(alive | {self._id}):
            LOG.warning("jobs of a worker that is gone taken over", extra={"fields": {"runs": orphans}})
        for worker_id in beats.keys() - alive - {self._id}:
            with self._desk.library.database.writing() as connection:
                workers.forget_worker(connection, worker_id)

    def _clear(self, states: Collection[JobState] = ()) -> None:
        """Remove folders of jobs that were removed, or are in one of some states."""
        for folder in self._desk.library.settings.jobs_folder.iterdir():
            if folder.is_dir() and folder == folder_of(self._desk, folder.name):
                with self._desk.library.database.reading() as connection:
                    state = jobs.state_of(connection, folder.name)
                if state is None or state in states:
                    shutil.rmtree(folder, ignore_errors=True)


def _unheld(folder: Path) -> set[str]:
    """Return the workers of a folder that do not run."""
    unheld = set()
    for path in folder.glob("worker-*.id"):
        with contextlib.suppress(Timeout, OSError), FileLock(path.with_suffix(".lock"), timeout=0):
            unheld.add(path.read_text())
    return unheld


@contextlib.contextmanager
def _slot(folder: Path) -> Iterator[str]:
    """Yield the id of a worker of this folder that nobody else is now: the one before goes on with what it had."""
    for number in range(_SLOTS):
        lock = FileLock(folder / f"worker-{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            path = folder / f"worker-{number}.id"
            if not path.is_file():
                write_bytes(path, secrets.token_hex(8).encode())
            yield path.read_text()
            return
        finally:
            lock.release()
    raise LibraryError(f"{_SLOTS} workers are at {folder}. Give more of them folders of their own with --data.")
