"""What a process that works on a job says of it, a JSON object a line, and whether it was asked to stop."""

import json
import sys
import threading
import time
from typing import Any

from api.job import FINDINGS, PROGRESS, JobProgress
from profiler.finding import Finding
from profiler.progress import Progress

__all__ = ["Stopped", "Teller"]

_TELL_EVERY_SECONDS = 0.25


class Stopped(Exception):  # noqa: N818 - no error
    """Raised where work was asked to stop, and can go on later."""


class Teller:
    """Says on standard output how the work goes, and whether it shall stop."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._last = ("", 0.0)

    def progress(self, told: Progress) -> None:
        """Tell how far a step is, a few times a second at most. Raises Stopped outside of training."""
        step, then = self._last
        now = time.monotonic()
        if told.step == step and told.done < 1 and now - then < _TELL_EVERY_SECONDS:
            return
        self._last = (told.step, now)
        left = None if told.seconds_left is None else max(told.seconds_left, 0.0)
        shown = JobProgress(step=told.step, done=min(max(told.done, 0.0), 1.0), seconds_left=left, note=told.note)
        self.say(progress=PROGRESS.dump_python(shown, mode="json"))

    def findings(self, found: list[Finding]) -> None:
        """Tell all that was found so far."""
        self.say(findings=FINDINGS.dump_python(tuple(found), mode="json"))

    def check(self) -> None:
        """Raise Stopped when it was asked to stop."""
        if self.stopping.is_set():
            raise Stopped

    def say(self, **told: Any) -> None:
        """Print one line."""
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
