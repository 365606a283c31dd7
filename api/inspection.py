"""Reading uploads in processes of their own: a hostile file costs its sender a message and nobody else a thing."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from api.facts import FACTS
from api.limits import bare_environment
from api.problem import Problem
from api.values import Facts

__all__ = ["Inspections"]

_MEGABYTES = 1536
_LARGEST_ANSWER = 1 << 20
_MESSAGE_LETTERS = 600


class Inspections:
    """Runs inspectors, a few at a time. `seconds` is how long one may take."""

    def __init__(self, *, seconds: float = 20.0, at_once: int | None = None) -> None:
        self._seconds = seconds
        self._room = threading.BoundedSemaphore(at_once or max(os.cpu_count() or 1, 2))

    def facts_of(self, path: Path) -> Facts:
        """Return what a profile file says of itself. Raises Problem that says why it is not a profile."""
        with self._room:
            printed = self._printed(path)
        try:
            answer = json.loads(printed)
            if "facts" in answer:
                return FACTS.validate_python(answer["facts"])
            reason = str(answer["error"])
        except (ValueError, KeyError, TypeError):
            reason = "the process that read it was stopped: reading it takes more than a profile does."
        # The scratch name means nothing to the sender.
        raise _not_a_profile(reason.replace(str(path), "the file")[:_MESSAGE_LETTERS])

    def _printed(self, path: Path) -> bytes:
        command = (sys.executable, "-P", "-m", "api.inspector", str(path), str(_MEGABYTES), str(int(self._seconds)))
        try:
            done = subprocess.run(  # noqa: S603 - our own module on a path of our own
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._seconds,
                env=bare_environment(),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _not_a_profile(f"reading it takes longer than {self._seconds:g} s.") from error
        return done.stdout if len(done.stdout) <= _LARGEST_ANSWER else b""


def _not_a_profile(reason: str) -> Problem:
    detail = f"This is not a profile that the library can take: {reason} Send a .tonecast file that Tonecast wrote."
    return Problem(422, "Not a profile", detail)
