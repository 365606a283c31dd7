"""Rendering of many files, on all cores: what fails stops nothing, and what has not changed is left as it is."""

import contextlib
import functools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path

import filelock

from profiler.errors import ProfilerError, StorageError
from profiler.manifest import read_manifest, write_manifest
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.rendering.fingerprint import fingerprint
from profiler.rendering.render_job import Rendered, RenderJob, run_job
from profiler.storage import sha256_of, sweep

__all__ = ["Outcome", "render_folder"]

_RECORD = ".tonecast-renders.json"
_LOCK = ".tonecast-renders.lock"
_LOOK_SECONDS = 0.25
_GRACE_SECONDS = 10.0

_Told = tuple[int, float]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file: rendered, or as it was (`rendered` and `error` None), or an error in words."""

    job: RenderJob
    rendered: Rendered | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Kept:
    fingerprint: str
    bytes: int


@dataclass(kw_only=True)
class _Record:
    """What the files of a folder were rendered from, by their names."""

    files: dict[str, _Kept] = field(default_factory=dict)
    version: int = 0


def render_folder(
    jobs: Sequence[RenderJob], folder: Path, *, workers: int | None = None, on_progress: ProgressCallback = unheard
) -> tuple[Outcome, ...]:
    """Render files into `folder`, on as many cores as there are, and return what became of each, in order.

    A record in the folder says what each was rendered from; a file whose source, effect, automation and knobs are as
    they were is not rendered again. What a killed run left half-written is removed first. Raises StorageError when
    another process is rendering into the folder, or the record cannot be written.
    """
    with _alone_in(folder):
        sweep(folder)
        return _rendered(jobs, folder, workers, on_progress)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from rendering into a folder: each would forget what the other has recorded."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / _LOCK, timeout=0)
        lock.acquire()
    except filelock.Timeout:
        raise StorageError(
            f"Another process is rendering into {folder}. Wait until it is done, or choose another folder."
        ) from None
    except OSError as error:
        raise StorageError(f"{folder} cannot be written into: {error.strerror or error}. Check its permissions.") from (
            error
        )
    try:
        yield
    finally:
        lock.release()


def _rendered(
    jobs: Sequence[RenderJob], folder: Path, workers: int | None, on_progress: ProgressCallback
) -> tuple[Outcome, ...]:
    record = _read_record(folder)
    prints = _fingerprints(jobs, on_progress)
    due = [number for number, job in enumerate(jobs) if not _is_done(job, folder, prints[number], record)]
    outcomes = {number: Outcome(job=job) for number, job in enumerate(jobs) if number not in due}
    tell = _Teller([_bytes(jobs[number].source) for number in due], on_progress)

    def finished(number: int, outcome: Outcome) -> None:
        outcomes[number] = outcome
        if outcome.rendered is not None:
            _keep(outcome.job, folder, prints[number], record)

    queue = {number: jobs[number] for number in due}
    lost = _render_side_by_side(queue, min(workers or os.cpu_count() or 1, max(len(queue), 1)), finished, tell)
    for number, job in lost.items():  # which of them the process died over shows when each has one to itself
        if _render_side_by_side({number: job}, 1, finished, tell):
            error = "The process that rendered it died. There may be too little memory."
            finished(number, Outcome(job=job, error=error))
    return tuple(outcomes[number] for number in range(len(jobs)))


def _render_side_by_side(
    queue: dict[int, RenderJob], workers: int, finished: Callable[[int, Outcome], None], tell: "_Teller"
) -> dict[int, RenderJob]:
    """Render what can be, and return what a process died over, or may have."""
    lost: dict[int, RenderJob] = {}
    with _pool(workers, tell) as pool:
        with _interrupts_held_back():
            futures = {pool.submit(_render, tell.place(number), job): number for number, job in queue.items()}
        for future in _as_they_end(futures, tell):
            number = futures[future]
            try:
                finished(number, future.result())
            except BrokenProcessPool:
                lost[number] = queue[number]
    return lost


class _Teller:
    """Tells how far all files have come together, and how long it still takes."""

    def __init__(self, sizes: Sequence[int], on_progress: ProgressCallback) -> None:
        self._sizes, self._on_progress = sizes, on_progress
        self._done = [0.0] * len(sizes)
        self._places: dict[int, int] = {}
        self._begun = time.monotonic()
        context = multiprocessing.get_context("spawn")
        self.told: SimpleQueue[_Told] = context.SimpleQueue()
        self.stopping = context.Event()

    def place(self, number: int) -> int:
        """Return where a job's progress is told."""
        return self._places.setdefault(number, len(self._places))

    def tell(self) -> None:
        """Pass on what the workers have said."""
        while not self.told.empty():
            place, done = self.told.get()
            self._done[place] = done
        whole = sum(self._sizes)
        share = sum(size * done for size, done in zip(self._sizes, self._done, strict=True)) / whole if whole else 1.0
        taken = time.monotonic() - self._begun
        left = taken * (1 - share) / share if share > 0 else None
        self._on_progress(Progress(step="render", done=min(share, 1.0), seconds_left=left))


@contextlib.contextmanager
def _pool(workers: int, tell: _Teller) -> Iterator[ProcessPoolExecutor]:
    """Yield processes that render; when the person at the keyboard stops, they do as well, and leave no half file."""
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin_worker,
        initargs=(tell.told, tell.stopping),
    )
    try:
        yield pool
    except BaseException:
        tell.stopping.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back while processes are started, which then never hear it.

    One that heard it while it was still loading died of it, and the pool stopped the others in the middle of a file.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _as_they_end(futures: dict[Future[Outcome], int], tell: _Teller) -> Iterator[Future[Outcome]]:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        tell.tell()
        yield from done
    tell.tell()


_worker: "tuple[SimpleQueue[_Told], Event] | None" = None


def _begin_worker(told: "SimpleQueue[_Told]", stopping: Event) -> None:
    global _worker  # noqa: PLW0603 - what a process of a pool is given, it can keep nowhere else
    _worker = (told, stopping)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent says when to stop
    threading.Thread(target=_end_with_parent, args=(stopping,), daemon=True).start()


def _end_with_parent(stopping: Event) -> None:
    """Stop when the parent is no more: a pool's process would wait for it for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        stopping.set()  # so that the file in hand leaves nothing behind
        time.sleep(_GRACE_SECONDS)
        os._exit(1)


class _StoppedError(Exception):
    pass


def _render(place: int, job: RenderJob) -> Outcome:
    if _worker is None:
        raise RuntimeError("a render runs in a process of the pool")
    told, stopping = _worker
    heard = 0.0

    def on_progress(progress: Progress) -> None:
        nonlocal heard
        if stopping.is_set():
            raise _StoppedError
        if time.monotonic() - heard > _LOOK_SECONDS:
            told.put((place, progress.done))
            heard = time.monotonic()

    try:
        return Outcome(job=job, rendered=run_job(job, on_progress))
    except _StoppedError:
        return Outcome(job=job, error="stopped")
    except (ProfilerError, OSError, MemoryError, ArithmeticError, ValueError) as error:
        return Outcome(job=job, error=str(error) or type(error).__name__)
    finally:
        told.put((place, 1.0))


def _read_record(folder: Path) -> _Record:
    """Return the record, a new one where there is none or it is damaged: then all is rendered again."""
    try:
        return read_manifest(_Record, folder / _RECORD)
    except ProfilerError:
        return _Record()


def _fingerprints(jobs: Sequence[RenderJob], on_progress: ProgressCallback) -> list[str | None]:
    hashed = functools.cache(sha256_of)  # many files go through the same profile
    prints = []
    for number, job in enumerate(jobs):
        note = f"looking at what has changed: {number + 1} of {len(jobs)}"
        on_progress(Progress(step="render", done=0.0, seconds_left=None, note=note))
        prints.append(_fingerprint(job, hashed))
    return prints


def _fingerprint(job: RenderJob, hashed: Callable[[Path], str]) -> str | None:
    """Return the fingerprint, None where something is not there, which the render itself will tell."""
    try:
        return fingerprint(job, hashed)
    except (OSError, ProfilerError):
        return None


def _is_done(job: RenderJob, folder: Path, print_: str | None, record: _Record) -> bool:
    kept = record.files.get(job.target.relative_to(folder).as_posix())
    return kept is not None and kept == _Kept(fingerprint=print_ or "", bytes=_bytes(job.target))


def _keep(job: RenderJob, folder: Path, print_: str | None, record: _Record) -> None:
    if print_ is not None:
        name = job.target.relative_to(folder).as_posix()
        record.files[name] = _Kept(fingerprint=print_, bytes=_bytes(job.target))
        write_manifest(folder / _RECORD, record)


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
