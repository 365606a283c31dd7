"""Workers: what may hang for good, such as a driver, in a process of its own that is asked by lines of JSON.

A `Worker` is our side of it; the module that runs there answers by `say` what goes to `teller`.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Self, TextIO

__all__ = ["Worker", "say", "teller"]


class Worker:
    """A process that runs `module`, takes a line of JSON at a time and answers so. It is killed when this is closed."""

    def __init__(self, module: str) -> None:
        command = [sys.executable, "-m", module]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, request: dict[str, Any]) -> None:
        """Send a request. One that the process does not live to read is told by `answer`."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()

    def answer(self, patience_seconds: float) -> dict[str, Any] | None:
        """Return what it says next, or None when it has ended. Raises TimeoutError when it says nothing for so long."""
        try:
            line = self._lines.get(timeout=patience_seconds)
        except queue.Empty:
            raise TimeoutError from None
        return None if line is None else json.loads(line)

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _read(self) -> None:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)


def teller() -> TextIO:
    """Return standard output as it was, and give its number to standard error: drivers print what they like."""
    tell = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return tell


def say(tell: TextIO, message: dict[str, Any]) -> None:
    """Answer with a line. Raises OSError when nobody listens any more."""
    tell.write(json.dumps(message) + "\n")
    tell.flush()
