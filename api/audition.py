"""Playing profiles for whoever listens, in processes of their own that stay: a knob that turns is heard at once."""

import contextlib
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from api.limits import Killed, bare_environment, was_killed
from api.problem import Problem
from api.sounds import MOST_SECONDS, Sound
from profiler.errors import GearError
from profiler.knob import KnobSettings
from profiler.plugins.child import Child
from profiler.plugins.wire import Message

__all__ = ["Auditions", "ProfileFile"]

SAMPLE_RATE = 48_000
_OUR_SECONDS = 5.0
_START_SECONDS = 120.0  # loading torch takes some seconds, and many on a machine that is busy
_KEPT_SOUNDS = 48
_MOST_REQUESTS = 1000  # then a process gives its place to a new one, whatever has grown in it
_MESSAGE_LETTERS = 400


_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class ProfileFile:
    """A profile file of the library: its hash, and what writes it to a path."""

    sha256: str
    write: Callable[[Path], None]


@dataclass(kw_only=True)
class _Worker:
    child: Child
    asked: int = 0


class Auditions:
    """Plays profiles, a few at a time; each request may take `seconds`. What was played last is kept.

    Close it at the end. The processes know nothing of the server's environment, and their memory is limited.
    """

    def __init__(self, scratch_folder: Path, *, seconds: float = 20.0, at_once: int | None = None) -> None:
        self._scratch, self._seconds = scratch_folder, seconds
        self._room = threading.BoundedSemaphore(at_once or max((os.cpu_count() or 1) // 2, 1))
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._kept: OrderedDict[tuple[Any, ...], Sound] = OrderedDict()
        self._is_closed = False

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.child.close()

    def played(self, profile: ProfileFile, dry: Sound, settings: KnobSettings, *, track: str) -> Sound:
        """Return what a profile makes of a dry, with its knobs at complete settings. Raises Problem.

        `track` names the dry: the same name is the same sound.
        """
        key = (profile.sha256, track, tuple(sorted(settings.items())))
        return self._known(key, lambda worker: self._play(worker, profile, dry, settings))

    def composed(self, kind: str) -> Sound:
        """Return playing of a kind, as dry as it comes."""
        request = {"do": "compose", "kind": kind, "seconds": _OUR_SECONDS, "sample_rate": SAMPLE_RATE}
        return self._known((kind,), lambda worker: _sound(self._ask(worker, Message(header=request))))

    def plots(self, profile: ProfileFile) -> list[tuple[str, str]]:
        """Return titles and charts, as SVG, of what a profile alone can tell. Raises Problem."""
        request = Message(header={"do": "plot", "sha256": profile.sha256})
        answer = self._done(lambda worker: _allowed(self._of(worker, profile, request)))
        return [(str(title), str(charts)) for title, charts in answer.header["plots"]]

    def read(self, path: Path, *, start_seconds: float) -> Sound:
        """Return some seconds of a recording, mono. Raises Problem that says why it cannot be heard."""
        request = {"do": "read", "path": str(path), "start": start_seconds, "seconds": MOST_SECONDS}
        answer = self._done(lambda worker: self._ask(worker, Message(header=request)))
        if reason := answer.header.get("refused"):
            told = str(reason).replace(str(path), "the file")[:_MESSAGE_LETTERS]
            raise Problem(422, "Not a recording", f"This recording cannot be played: {told}")
        return _sound(answer)

    def _known(self, key: tuple[Any, ...], make: Callable[[_Worker], Sound]) -> Sound:
        if (known := self._looked_up(key)) is not None:
            return known

        def made(worker: _Worker) -> Sound:  # unless another made it while this one waited
            known = self._looked_up(key)
            return make(worker) if known is None else known

        sound = self._done(made)
        with self._lock:
            self._kept[key] = sound
            while len(self._kept) > _KEPT_SOUNDS:
                self._kept.popitem(last=False)
        return sound

    def _looked_up(self, key: tuple[Any, ...]) -> Sound | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _play(self, worker: _Worker, profile: ProfileFile, dry: Sound, settings: KnobSettings) -> Sound:
        told = {"do": "play", "sha256": profile.sha256, "settings": dict(settings), "sample_rate": dry.sample_rate}
        return _sound(_allowed(self._of(worker, profile, Message(header=told, samples=dry.samples[None]))))

    def _of(self, worker: _Worker, profile: ProfileFile, request: Message) -> Message:
        """Ask something of a profile, which is loaded if need be."""
        answer = self._ask(worker, request)
        if "lacks" not in answer.header:
            return answer
        self._load(worker, profile)
        return self._ask(worker, request)

    def _load(self, worker: _Worker, profile: ProfileFile) -> None:
        path = self._scratch / secrets.token_hex(16)
        try:
            profile.write(path)
            told = {"do": "load", "sha256": profile.sha256, "path": str(path)}
            _allowed(self._ask(worker, Message(header=told)))
        finally:
            path.unlink(missing_ok=True)

    def _ask(self, worker: _Worker, request: Message) -> Message:
        worker.asked += 1
        try:
            return worker.child.ask(request, doing=str(request.header["do"]), seconds=self._seconds)
        except GearError as error:
            if was_killed(worker.child.ended_with):
                raise Killed from error
            detail = "The process that plays was stopped: this takes more time or memory than a profile does."
            raise Problem(422, "Not playable", detail) from error

    def _done(self, do: Callable[[_Worker], _T]) -> _T:
        """Have a process do something; where it is killed from outside, perhaps as it waited, a new one does it."""
        try:
            with self._worker() as worker:
                return do(worker)
        except Killed:
            with self._worker(is_new=True) as worker:
                return do(worker)

    @contextlib.contextmanager
    def _worker(self, *, is_new: bool = False) -> Iterator[_Worker]:
        """Lend a process. Raises Problem when all have been busy for long."""
        if not self._room.acquire(timeout=self._seconds):
            detail = "Many are listening just now. Come again in a moment."
            raise Problem(503, "Busy", detail, retry_after_seconds=5)
        try:
            with self._lock:
                worker = self._idle.pop() if self._idle and not is_new else None
            worker = worker or _Worker(child=_started())
            try:
                yield worker
            finally:
                self._take_back(worker)
        finally:
            self._room.release()

    def _take_back(self, worker: _Worker) -> None:
        with self._lock:
            is_good = worker.child.is_running and worker.asked < _MOST_REQUESTS and not self._is_closed
            if is_good:
                self._idle.append(worker)
        if not is_good:
            worker.child.close()


def _started() -> Child:
    try:
        child = Child("the player", module="api.auditioner", environment=bare_environment())
        child.ask(Message(header={"do": "begin"}), doing="starting", seconds=_START_SECONDS)
        return child
    except GearError as error:
        raise Problem(503, "Busy", "No process could be started to play this.", retry_after_seconds=5) from error


def _allowed(answer: Message) -> Message:
    if reason := answer.header.get("refused"):
        raise Problem(422, "Not playable", f"This profile cannot be played: {str(reason)[:_MESSAGE_LETTERS]}")
    return answer


def _sound(answer: Message) -> Sound:
    told = answer.header
    return Sound(
        samples=answer.samples[0],
        sample_rate=int(told["sample_rate"]),
        loudness=float(told["loudness"]),
        peak=float(told["peak"]),
    )
