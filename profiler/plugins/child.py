"""The child process of a plugin as its parent sees it: one answer a request, within a deadline, or one clear error."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from profiler.errors import AudioError, GearError, KnobError, ProfilerError
from profiler.plugins.wire import Message, receive, send

__all__ = ["Child"]

_MODULE = "profiler.plugins.worker"
_KEPT_BYTES = 4096
_QUOTED_LINES = 3
_QUOTED_LETTERS = 300
_END_SECONDS = 2.0
_LOOK_SECONDS = 0.5
_ERRORS: dict[str, type[ProfilerError]] = {"AudioError": AudioError, "GearError": GearError, "KnobError": KnobError}


class Child:
    """A running worker. `plugin` is what errors call it, `module` what runs, with this environment or our own.

    A thread talks on the pipes, so that neither a full pipe nor a silent child holds its caller up: this works on
    every system, where waiting on a pipe with a limit does not. Another keeps the end of what the plugin prints.
    """

    def __init__(self, plugin: str, *, module: str = _MODULE, environment: Mapping[str, str] | None = None) -> None:
        self.plugin = plugin
        self.ended_with: int | None = None
        """The exit code of its process, where that ended unasked."""
        self._process = _started(plugin, module, os.environ if environment is None else environment)
        self._printed: deque[bytes] = deque(maxlen=16)
        self._requests: queue.Queue[Message | None] = queue.Queue()
        self._answers: queue.Queue[Message | GearError | None] = queue.Queue()
        pipes = (cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout))
        talker = threading.Thread(target=_talk, args=(*pipes, self._requests, self._answers), daemon=True)
        listener = threading.Thread(target=_listen, args=(self._process.stderr, self._printed), daemon=True)
        self._listener = listener
        talker.start()
        listener.start()
        # Even a child that nobody closes ends with the program, or as soon as nothing refers to it.
        self._end = weakref.finalize(self, _end, self._process, self._requests, (talker, listener))

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it can be asked anything."""
        return bool(self._end.alive)

    def ask(self, message: Message, *, doing: str, seconds: float) -> Message:
        """Return the child's answer.

        Raises GearError when it crashes, hangs for longer than `seconds` or sends nonsense, after which it is gone;
        what the plugin refuses is raised as the error that it is, and the child goes on.
        """
        if not self.is_running:
            raise GearError(f"{self.plugin} runs no more. Open it again.")
        self._requests.put(message)
        try:
            answer = self._answered(seconds)
        except queue.Empty:
            self.close()
            raise GearError(
                f"{self.plugin} was stopped: no answer within {seconds:.4g} s of {doing}. It hangs, or it needs longer"
                f"{'; give it more with --patience' if doing == 'loading' else ''}.{self._said()}"
            ) from None
        except BaseException:  # interrupted: the answer that still comes is to nothing that will be asked
            self.close()
            raise
        if answer is None:
            raise self._crashed(doing)
        if isinstance(answer, GearError):
            self.close()
            raise GearError(f"{self.plugin} was stopped while {doing}: {answer}{self._said()}") from answer
        if kind := answer.header.get("error"):
            raise _ERRORS.get(str(kind), GearError)(str(answer.header.get("message")))
        return answer

    def _answered(self, seconds: float) -> Message | GearError | None:
        """Wait for an answer, or for the process to end: its pipes may be held open by one that the plugin started."""
        deadline = time.monotonic() + seconds
        while True:
            has_ended = self._process.poll() is not None
            try:
                return self._answers.get(timeout=max(min(_LOOK_SECONDS, deadline - time.monotonic()), 0.0))
            except queue.Empty:
                if has_ended:
                    return None
                if time.monotonic() >= deadline:
                    raise

    def close(self) -> None:
        """End the process, by force if it does not go by itself."""
        self._end()

    def _crashed(self, doing: str) -> GearError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        code = self.ended_with = self._process.poll()
        self.close()
        end = "its process was stopped" if code is None else _told(code)
        return GearError(
            f"{self.plugin} crashed while {doing}: {end}. Try other knob ranges, or update the plugin.{self._said()}"
        )

    def _said(self) -> str:
        """Return the last lines that the plugin printed, to be put behind a message."""
        self._listener.join(_END_SECONDS)
        text = b"".join(self._printed)[-_KEPT_BYTES:].decode(errors="replace")
        lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        lines = ["".join(letter for letter in line if letter.isprintable()) for line in lines[-_QUOTED_LINES:]]
        return f" It printed last: {' / '.join(lines)[-_QUOTED_LETTERS:]}" if lines else ""


def _started(plugin: str, module: str, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603 - our own module, by the interpreter that runs
            (sys.executable, "-P", "-m", module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, "PYTHONPATH": _search_path()},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise GearError(f"No process could be started for {plugin}: {error}. Close other programs.") from error


def _search_path() -> str:
    """Return where the child finds this library, whatever folder it starts in."""
    own = str(Path(__file__).resolve().parents[2])
    others = os.environ.get("PYTHONPATH")
    return os.pathsep.join((own, others)) if others else own


def _talk(requests: IO[bytes], replies: IO[bytes], asked: "queue.Queue[Any]", answers: "queue.Queue[Any]") -> None:
    """Pass requests on and answers back until there is None to ask or the child has gone."""
    with _closing(requests), _closing(replies):
        while (message := asked.get()) is not None:
            try:
                send(cast(Any, requests), message)
                answer: Message | GearError | None = receive(cast(Any, replies))
            except GearError as error:
                answer = error
            except OSError:
                answer = None
            answers.put(answer)
            if not isinstance(answer, Message):
                return


def _listen(printed: IO[bytes], kept: "deque[bytes]") -> None:
    """Empty the pipe that the plugin prints to, however much that is, and keep its end."""
    with _closing(printed), contextlib.suppress(OSError):
        while piece := printed.read1(65_536):  # type: ignore[attr-defined]
            kept.append(piece[-_KEPT_BYTES:])


@contextlib.contextmanager
def _closing(pipe: IO[bytes]) -> Iterator[None]:
    """Close a pipe at the end, in the thread that uses it: another one would wait for it if it still reads."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # what is still to be written has nobody to read it
            pipe.close()


def _end(
    process: "subprocess.Popen[bytes]", requests: "queue.Queue[Any]", threads: tuple[threading.Thread, ...]
) -> None:
    requests.put(None)
    if process.poll() is None:
        process.kill()  # at once: what it holds is nothing but the plugin, and saying goodbye crashes some
    process.wait()
    for thread in threads:
        thread.join(_END_SECONDS)  # which may not be its end: a process that the plugin started may hold the pipes


def _told(code: int) -> str:
    """Return how a process ended, by the name of the signal where one ended it."""
    if code >= 0:
        return f"its process ended with code {code}" if code < 256 else f"its process ended with code {code:#x}"
    with contextlib.suppress(ValueError):
        return f"its process ended by {signal.Signals(-code).name}"
    return f"its process ended by signal {-code}"
