"""The process of one plugin: `python -m profiler.plugins.worker`. It loads the plugin and answers for it.

Whatever the plugin prints goes to standard error, whose other end the parent keeps the last lines of; the wire has
descriptors of its own. The process ends when its standard input does, so it never outlives its parent, not even
while the plugin hangs.
"""

import os
import queue
import signal
import threading
from typing import Any, BinaryIO

import numpy as np

from profiler.audio import Samples
from profiler.errors import AudioError, GearError, KnobError, ProfilerError
from profiler.knob import Knob
from profiler.plugins.grid import GridPlugin
from profiler.plugins.wire import Message, receive, send

__all__ = ["main"]

_NAMED_ERRORS = (AudioError, GearError, KnobError)


def main() -> None:
    """Answer requests until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes this process
    requests, replies = _take_the_pipes()
    inbox: queue.Queue[Message] = queue.Queue()
    threading.Thread(target=_read, args=(requests, inbox), daemon=True).start()
    plugin: GridPlugin | None = None
    while True:
        asked = inbox.get()
        try:
            if plugin is None:
                plugin = _opened(asked.header["ref"])
                answer = Message(header=_described(plugin))
            else:
                answer = _answer(plugin, asked)
        except ProfilerError as error:
            kind = next((each.__name__ for each in _NAMED_ERRORS if isinstance(error, each)), "GearError")
            answer = Message(header={"error": kind, "message": str(error)})
        send(replies, answer)


def _take_the_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard input and output for the wire, and point their descriptors where a plugin does no harm."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _read(requests: BinaryIO, inbox: "queue.Queue[Message]") -> None:
    while (message := receive(requests)) is not None:
        inbox.put(message)
    os._exit(0)  # at once: a plugin may be hanging in the main thread


def _opened(ref: str) -> GridPlugin:
    """Load a plugin; each kind has a door of its own, opened only for it."""
    if ref.startswith("lv2:"):
        from profiler.plugins.lv2_plugin import Lv2Plugin

        return Lv2Plugin(ref.removeprefix("lv2:"))
    from profiler.plugins.plugin_file import PluginFile

    return PluginFile(ref)


def _described(plugin: GridPlugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "version": plugin.version,
        "step_frames": plugin.step_frames,
        "knobs": [_plain(knob) for knob in plugin.knobs],
    }


def _plain(knob: Knob) -> dict[str, Any]:
    return {**vars(knob), "choices": list(knob.choices)}


def _answer(plugin: GridPlugin, asked: Message) -> Message:
    for knob, value in asked.header.get("turns", ()):
        plugin.turn(knob, value)
    wet: Samples = np.zeros((1, 0), np.float32)
    match asked.header["do"]:
        case "reset":
            plugin.reset()
        case "feed":
            wet = plugin.feed(asked.samples, asked.header["sample_rate"])
        case "flush":
            wet = plugin.flush()
    return Message(header={"side_db": plugin.side_db}, samples=wet)


if __name__ == "__main__":
    main()
