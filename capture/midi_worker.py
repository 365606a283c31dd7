"""What mido does with MIDI ports, in a process of its own: `python -m capture.midi_worker`.

A sound server that stands still takes its clients with it: a call of JACK's then returns late or never, with Python's
lock held. Requests come as lines of JSON on standard input, and each is answered by one with `done` or `error`.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import mido

from capture.worker import say, teller

__all__ = ["main"]

_BACKEND = "mido.backends.rtmidi"


class _Ports:
    """Answers requests, and holds the port that was opened."""

    def __init__(self) -> None:
        self._port: Any = None

    def list(self, _: dict[str, Any]) -> list[str]:
        return [name for backend in _backends() for name in backend.get_output_names()]

    def open(self, request: dict[str, Any]) -> None:
        for backend in _backends():
            if request["port"] in backend.get_output_names():
                self._port = backend.open_output(request["port"])
                return
        raise ValueError("it is gone")

    def send(self, request: dict[str, Any]) -> float:
        """Send messages, and return when the last one went."""
        for message in request["messages"]:
            self._port.send(_mido(*message))
        return time.monotonic()

    def close(self, _: dict[str, Any]) -> None:
        self._port.close()


def main() -> None:
    """Answer requests until there are no more, and end without a word to the MIDI system, which may hang."""
    tell = teller()
    os.environ.setdefault("JACK_NO_START_SERVER", "1")  # to look for ports must not start one
    ports = _Ports()
    try:
        for line in sys.stdin:
            say(tell, _answered(ports, json.loads(line)))
    finally:  # also when nobody listens any more
        os._exit(0)


def _answered(ports: _Ports, request: dict[str, Any]) -> dict[str, Any]:
    answers = {"list": ports.list, "open": ports.open, "send": ports.send, "close": ports.close}
    try:
        return {"done": answers[request["do"]](request)}
    except (OSError, ValueError, RuntimeError, SystemError) as error:
        return {"error": str(error)}


def _backends() -> Iterator[Any]:
    """Yield mido's doors to the MIDI systems that run here: CoreMIDI, Windows', ALSA's, JACK's."""
    for system in mido.Backend(_BACKEND).module.get_api_names():
        backend = mido.Backend(f"{_BACKEND}/{system}")
        try:
            backend.get_output_names()
        except (OSError, RuntimeError, SystemError):  # compiled in, but not running
            continue
        yield backend


def _mido(kind: str, channel: int, number: int, value: int) -> Any:
    if kind == "program_change":
        return mido.Message(kind, channel=channel, program=value)
    return mido.Message(kind, channel=channel, control=number, value=value)


if __name__ == "__main__":
    main()
