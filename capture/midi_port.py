"""MIDI ports: which there are, and one that takes messages or says within seconds that it does not."""

import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from capture.midi_map import MidiMessage
from capture.worker import Worker
from profiler.errors import GearError

__all__ = ["MidiPort", "midi_ports", "open_midi"]

_PATIENCE_SECONDS = 15.0  # every MIDI system of the machine is asked before the first word
_SENDING_SECONDS = 3.0
_CLOSING_SECONDS = 1.0
_WORKER = "capture.midi_worker"


class MidiPort:
    """An opened port. mido holds it in a process of its own, so that a sound server that hangs does not hang us."""

    def __init__(self, name: str, worker: Worker) -> None:
        self.name = name
        self._worker = worker

    def send(self, messages: Sequence[MidiMessage]) -> float:
        """Send messages and return when the last one left, by `time.monotonic`. Raises GearError when they do not."""
        try:
            return float(_asked(self._worker, {"do": "send", "messages": messages}, _SENDING_SECONDS))
        except GearError as error:
            raise GearError(f"MIDI port {self.name!r} takes nothing any more: {error}. Is it there?") from error

    def close(self) -> None:
        """Let go of the port, within a second."""
        with contextlib.suppress(GearError):
            _asked(self._worker, {"do": "close"}, _CLOSING_SECONDS)
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def midi_ports() -> list[str]:
    """Return the names of the ports that gear listens at, of every MIDI system of this machine that runs.

    Raises GearError when these do not answer.
    """
    with Worker(_WORKER) as worker:
        return _listed(worker)


def open_midi(name: str) -> MidiPort:
    """Open the port whose name is `name`, or the only one that has it in its name.

    Raises GearError that lists the ports there are.
    """
    worker = Worker(_WORKER)
    try:
        there = _listed(worker)
        fitting = [port for port in there if port == name] or [port for port in there if name in port]
        if len(fitting) != 1:
            problem = "means several MIDI ports" if fitting else "is no MIDI port here"
            listed = ", ".join(map(repr, there)) or "none"
            raise GearError(f"{name!r} {problem}. There are: {listed}. Name one of them, or switch the gear on.")
        try:
            _asked(worker, {"do": "open", "port": fitting[0]}, _PATIENCE_SECONDS)
        except GearError as error:
            raise GearError(f"MIDI port {fitting[0]!r} does not open: {error}. Another program may hold it.") from error
    except BaseException:
        worker.close()
        raise
    return MidiPort(fitting[0], worker)


def _listed(worker: Worker) -> list[str]:
    try:
        return list(_asked(worker, {"do": "list"}, _PATIENCE_SECONDS))
    except GearError as error:
        raise GearError(f"The MIDI ports cannot be listed: {error}. Restart the sound server.") from error


def _asked(worker: Worker, request: dict[str, Any], patience_seconds: float) -> Any:
    worker.ask(request)
    try:
        answer = worker.answer(patience_seconds)
    except TimeoutError:
        raise GearError(f"nothing was heard of it for {patience_seconds:.0f} s") from None
    if answer is None:
        raise GearError("its process ended")
    if "error" in answer:
        raise GearError(str(answer["error"]))
    return answer["done"]
