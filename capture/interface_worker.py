"""What sounddevice does, in a process of its own: `python -m capture.interface_worker`.

A sound server that dies takes PortAudio with it: its streams can then neither be stopped nor closed, and a program that
holds one never ends. So all of it runs here, where it can be killed, and where nothing else keeps a block waiting. One
request comes as a line of JSON on standard input; lines of JSON go to standard output until one says `done` or `error`.
"""

import json
import os
import sys
import threading
import time
from typing import Any, TextIO

import numpy as np
import sounddevice
from numpy.typing import NDArray

from capture.worker import say, teller

__all__ = ["main"]

_TELLING_SECONDS = 0.1
_STALLED_SECONDS = 2.0
_NEVER_STARTED_SECONDS = 5.0


class _Duplex:
    """Plays what it is given on one channel, then what comes in at another one, and keeps some of the inputs."""

    def __init__(self, out: NDArray[np.float32], request: dict[str, Any]) -> None:
        self.out = out
        self.channel = request["outputs"] - 1
        self.kept_channels = [channel - 1 for channel in request["keep"]]
        self.live = request.get("live")
        self.wanted_frames = len(out) + (self.live["frames"] if self.live else 0)
        self.kept = np.zeros((self.wanted_frames, len(self.kept_channels)), np.float32)
        self.frames = 0
        self.flagged: list[int] = []
        self.blocks: set[int] = set()
        self.clock: tuple[float, int] = (time.monotonic(), 0)  # when, and which frame was being handed over

    def __call__(self, given: Any, wanted: Any, frames: int, _: Any, status: Any) -> None:
        begin = self.frames
        count = min(frames, self.wanted_frames - begin)
        made = min(max(len(self.out) - begin, 0), count)
        wanted[:] = 0
        wanted[:made, self.channel] = self.out[begin : begin + made]
        if self.live and made < count:
            wanted[made:count, self.channel] = given[made:count, self.live["channel"] - 1] * self.live["gain"]
        self.kept[begin : begin + count] = given[:count, self.kept_channels]
        self.blocks.add(frames)
        if status:
            self.flagged.append(begin)
        self.clock = (time.monotonic(), begin)
        self.frames = begin + count
        if self.frames >= self.wanted_frames:
            raise sounddevice.CallbackStop

    def end_after(self, frames: int) -> None:
        """Have it end so many frames from now, or when it would have."""
        self.wanted_frames = min(self.wanted_frames, self.frames + frames)

    def send_peak(self, begin: int, stop: int) -> float:
        """Return the peak of what is played, as it comes in where it is passed on."""
        made = np.abs(self.out[begin:stop]).max(initial=0.0)
        if not self.live:
            return float(made)
        return float(max(made, np.abs(self.kept[max(begin, len(self.out)) : stop, -1]).max(initial=0.0)))


def main() -> None:
    """Answer the request on standard input, and end without a word to PortAudio, which may hang."""
    tell = teller()
    request = json.loads(sys.stdin.readline())
    try:
        answer = {"list": _list, "check": _check, "play": _play}[request["do"]](request, tell)
        say(tell, {"done": answer})
    except (sounddevice.PortAudioError, OSError, ValueError) as error:
        words = str(error.args[0] if error.args else error)
        say(tell, {"error": words})
    finally:  # also when nobody listens any more: then the pipe is broken, and nothing more is played
        os._exit(0)


def _list(_: dict[str, Any], __: TextIO) -> list[dict[str, Any]]:
    hosts = [host["name"] for host in sounddevice.query_hostapis()]
    return [
        {
            "name": device["name"],
            "host": hosts[device["hostapi"]],
            "inputs": device["max_input_channels"],
            "outputs": device["max_output_channels"],
            "default_rate": round(device["default_samplerate"]),
        }
        for device in sounddevice.query_devices()
    ]


def _index(wanted: dict[str, Any]) -> int:
    for number, device in enumerate(_list({}, sys.stderr)):
        if (device["name"], device["host"]) == (wanted["name"], wanted["host"]):
            return number
    raise ValueError(f"{wanted['name']} is gone")


def _check(request: dict[str, Any], _: TextIO) -> None:
    rate = request["sample_rate"]
    sounddevice.check_output_settings(
        device=_index(request["output"]), channels=request["outputs"], dtype="float32", samplerate=rate
    )
    sounddevice.check_input_settings(
        device=_index(request["input"]), channels=request["inputs"], dtype="float32", samplerate=rate
    )


def _play(request: dict[str, Any], tell: TextIO) -> dict[str, Any]:
    _check(request, tell)
    duplex = _Duplex(np.load(request["out_file"]), request)
    stream = sounddevice.Stream(
        samplerate=request["sample_rate"],
        device=(_index(request["input"]), _index(request["output"])),
        channels=(request["inputs"], request["outputs"]),
        dtype="float32",
        latency="low" if duplex.live else "high",  # who plays through it hears how late it is
        callback=duplex,
    )
    if duplex.live:
        threading.Thread(target=_stop_when_told, args=(duplex, request["live"]["after"]), daemon=True).start()
    begun = time.monotonic()
    stream.start()
    _watch(duplex, stream, tell)
    seconds = time.monotonic() - begun
    np.save(request["kept_file"], duplex.kept[: duplex.frames])
    return {
        "frames": duplex.frames,
        "is_whole": duplex.frames >= duplex.wanted_frames,
        "seconds": seconds,
        "flagged": duplex.flagged,
        "block": min(duplex.blocks) if len(duplex.blocks) == 1 else None,
    }


def _stop_when_told(duplex: _Duplex, after_frames: int) -> None:
    """Wait for another line on standard input, and have the playing end a little after it."""
    if sys.stdin.readline():
        duplex.end_after(after_frames)


def _watch(duplex: _Duplex, stream: Any, tell: TextIO) -> None:
    """Tell how far it is and how loud, until all is played, the stream ends by itself, or no block comes any more."""
    told, moved = 0, time.monotonic()
    while duplex.frames < duplex.wanted_frames:
        time.sleep(_TELLING_SECONDS)
        if duplex.frames == told:
            patience = _STALLED_SECONDS if told else _NEVER_STARTED_SECONDS
            if (told and not stream.active) or time.monotonic() - moved > patience:
                return
            continue
        say(
            tell,
            {
                "frames": duplex.frames,
                "clock": duplex.clock,
                "send_peak": duplex.send_peak(told, duplex.frames),
                "return_peak": float(np.abs(duplex.kept[told : duplex.frames, 0]).max(initial=0.0)),
            },
        )
        told, moved = duplex.frames, time.monotonic()


if __name__ == "__main__":
    main()
