"""The process that works on one job, as the worker sees it: started, listened to, stopped."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from api.limits import kept_environment

__all__ = ["WorkProcess"]

_ALSO_KEPT = ("TMPDIR", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "TONECAST_SIMD")
"""What training needs to know of the worker's environment, beside what any process of ours does."""

_LONGEST_LINE = 4 << 20
_TAIL_BYTES = 2000
_END_SECONDS = 10
_LOG = "worker.log"


class WorkProcess:
    """A process of `api.jobs.child` in a job's folder."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / _LOG
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module on a path of our own
                (sys.executable, "-P", "-m", "api.jobs.child", str(folder)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=kept_environment(*_ALSO_KEPT),
                start_new_session=True,  # Ctrl-C in a terminal is for the worker, which asks it to stop
            )
        self._lines: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def told(self, wait_seconds: float) -> Mapping[str, Any] | None:
        """Return the next thing it says, None when it has ended. Raises TimeoutError where it says nothing."""
        try:
            return self._lines.get(timeout=wait_seconds)
        except queue.Empty:
            raise TimeoutError from None

    def ask_to_stop(self) -> None:
        """Ask it to stop at the next checkpoint."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(b"stop\n")
            self._process.stdin.flush()

    def end(self, patience_seconds: float) -> int:
        """Return the exit code, after killing what has not ended by itself in time."""
        try:
            code = self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join(_END_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        return code

    def last_words(self) -> str:
        """Return the end of what it wrote on standard error."""
        with contextlib.suppress(OSError):
            lines = self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""

    def _read(self) -> None:
        for told in self._objects():
            self._lines.put(told)
        self._lines.put(None)

    def _objects(self) -> Iterator[Mapping[str, Any]]:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        while line := self._process.stdout.readline(_LONGEST_LINE):
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict):
                    yield told
