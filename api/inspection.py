"""Reading uploads in processes of their own: a hostile file costs its sender a message and nobody else a thing."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from api.facts import FACTS
from api.limits import Killed, bare_environment, was_killed
from api.problem import Problem
from api.values import Facts

__all__ = ["PATIENCE", "Inspections", "printed_by"]

PATIENCE = 15
"""So many times as long as a process may have a processor it may take: the machine may have much else to do."""

_MEGABYTES = 1536
_LARGEST_ANSWER = 1 << 20
_MESSAGE_LETTERS = 600
_GLANCE_SECONDS = 0.5


class Inspections:
    """Runs inspectors, a few at a time. `seconds` is how much of a processor one may have."""

    def __init__(self, *, seconds: float = 20.0, at_once: int | None = None) -> None:
        self._seconds = seconds
        self._room = threading.BoundedSemaphore(at_once or max(os.cpu_count() or 1, 2))

    def facts_of(self, path: Path) -> Facts:
        """Return what a profile file says of itself. Raises Problem: why it is none, or that it was not read now."""
        answer = self._told("profile", path)
        try:
            if "facts" in answer:
                return FACTS.validate_python(answer["facts"])
            reason = str(answer["error"])
        except (ValueError, KeyError, TypeError):
            reason = "the process that read it was stopped: reading it takes more than a profile does."
        # The scratch name means nothing to the sender.
        raise _not_a_profile(reason.replace(str(path), "the file")[:_MESSAGE_LETTERS])

    def check_responses(self, responses: Mapping[str, Path]) -> None:
        """Look at the files of impulse responses, by the slots that play them. Raises Problem for what is none."""
        answer = self._told("responses", *responses.values())
        if answer.get("heard") == len(responses):
            return
        try:
            slot, path = list(responses.items())[int(answer["number"])]
            reason = f"Slot {slot}: {str(answer['error']).replace(str(path), 'the file')[:_MESSAGE_LETTERS]}"
        except (ValueError, KeyError, TypeError, IndexError):
            reason = "The process that read them was stopped: reading them takes more than impulse responses do."
        raise Problem(422, "Not an impulse response", reason)

    def _told(self, what: str, *paths: Path) -> Mapping[str, Any]:
        """Return what an inspector says of files; nothing where it was stopped. Raises Problem where it is too busy."""
        limits: dict[str, Any] = {"megabytes": _MEGABYTES, "seconds": self._seconds}
        try:
            with self._room:
                printed = printed_by("api.inspector", what, *map(str, paths), **limits, patience=PATIENCE)
        except subprocess.TimeoutExpired as error:
            waited = self._seconds * PATIENCE
            detail = f"The file could not be read in {waited:g} s, for the server has much else to do. Try again later."
            raise Problem(503, "Busy", detail, retry_after_seconds=60) from error
        try:
            answer = json.loads(printed)
        except ValueError:
            return {}
        return answer if isinstance(answer, dict) else {}


def printed_by(
    module: str,
    *arguments: str,
    megabytes: int,
    seconds: float,
    patience: float = 1,
    stopped: Callable[[], bool] = lambda: False,
) -> bytes:
    """Return what a module of ours prints about a stranger's file, in a process of its own that knows no secrets.

    Empty when it prints more than it should, or is `stopped`. It may have a processor for `seconds`; raises
    TimeoutExpired after `patience` times as long, and Killed where something else ended it.
    """
    command = (sys.executable, "-P", "-m", module, *arguments, str(megabytes), str(int(seconds)))
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": bare_environment()}
    quiet["start_new_session"] = True  # Ctrl-C in a terminal is for the server: a file is not at fault that it ends
    deadline = time.monotonic() + seconds * patience
    with subprocess.Popen(command, stdout=subprocess.PIPE, **quiet) as process:  # noqa: S603 - our own module
        try:
            while not stopped():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    printed, _ = process.communicate(
                        timeout=min(max(deadline - time.monotonic(), 0.0), _GLANCE_SECONDS)
                    )
                    if was_killed(process.returncode):
                        raise Killed
                    return printed if len(printed) <= _LARGEST_ANSWER else b""
                if time.monotonic() >= deadline:
                    raise subprocess.TimeoutExpired(command, seconds)
        finally:
            process.kill()
    return b""


def _not_a_profile(reason: str) -> Problem:
    detail = f"This is not a profile that the library can take: {reason} Send a .tonecast file that Tonecast wrote."
    return Problem(422, "Not a profile", detail)
