"""A process that plays strangers' profiles and reads strangers' recordings, with limits, a request at a time.

It keeps the profiles that it played last, so that a knob that turns is heard at once. Requests and answers are messages
of `profiler.plugins.wire`; `do` says what is wanted, and an answer with `refused` says why there is none.
"""

import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from api.limits import limit_data
from profiler.audio import Samples
from profiler.audio_file import reading
from profiler.errors import ProfilerError
from profiler.listening.loudness import loudness_of
from profiler.plugins.wire import Message, receive, send
from profiler.profile import LoadedProfile
from profiler.profile_file import load
from profiler.programme import playing
from profiler.rendering import ProfileProcessor

__all__ = ["main"]

_DATA_BYTES = 2 << 30
_KEPT_PROFILES = 4
_RATES = range(8_000, 192_001)
_SEED = 7


def main() -> None:
    """Answer requests until the other side has gone."""
    limit_data(_DATA_BYTES)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    _serve(requests, answers)


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    stage = _Stage()
    while (message := receive(requests)) is not None:
        try:
            answer = getattr(stage, "do_" + message.header["do"])(message)
        except ProfilerError as error:
            answer = Message(header={"refused": str(error)})
        except (MemoryError, RecursionError, RuntimeError) as error:  # torch raises the last for all of them
            answer = Message(header={"refused": f"It takes more than a profile does ({type(error).__name__})."})
        send(answers, answer)


class _Stage:
    """What is loaded, and what can be done."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[str, LoadedProfile] = OrderedDict()

    def do_begin(self, message: Message) -> Message:  # noqa: ARG002
        """Say that all is loaded."""
        return Message(header={})

    def do_load(self, message: Message) -> Message:
        """Keep a profile file under its hash, and forget the one not played longest."""
        self._loaded[message.header["sha256"]] = load(Path(message.header["path"]))
        while len(self._loaded) > _KEPT_PROFILES:
            self._loaded.popitem(last=False)
        return Message(header={})

    def do_play(self, message: Message) -> Message:
        """Play a profile with its knobs at settings on a dry of shape (1, frames)."""
        sha256, rate = message.header["sha256"], message.header["sample_rate"]
        if sha256 not in self._loaded:
            return Message(header={"lacks": sha256})
        self._loaded.move_to_end(sha256)
        processor = ProfileProcessor(self._loaded[sha256], message.header["settings"])
        wet = processor.process(message.samples, rate)
        return _sound(np.nan_to_num(wet[0], posinf=0.0, neginf=0.0), rate)

    def do_plot(self, message: Message) -> Message:
        """Draw what a profile alone can tell, as titles and SVG."""
        from api.plots import plots  # noqa: PLC0415 - what draws is of no use to who listens

        sha256 = message.header["sha256"]
        if sha256 not in self._loaded:
            return Message(header={"lacks": sha256})
        return Message(header={"plots": plots(self._loaded[sha256])})

    def do_compose(self, message: Message) -> Message:
        """Compose playing of a kind."""
        rate = message.header["sample_rate"]
        frames = round(message.header["seconds"] * rate)
        return _sound(playing(message.header["kind"], _SEED, sample_rate=rate, frames=frames), rate)

    def do_read(self, message: Message) -> Message:
        """Read some seconds of a recording, mono."""
        start, seconds = message.header["start"], message.header["seconds"]
        with reading(Path(message.header["path"])) as file:
            if file.sample_rate not in _RATES:
                return _refused(f"it has a rate of {file.sample_rate} Hz; {_RATES[0]} to {_RATES[-1]} can be heard")
            first = round(start * file.sample_rate)
            frames = min(round(seconds * file.sample_rate), file.frames - first)
            if frames < file.sample_rate / 10:
                return _refused(f"it ends at {file.frames / file.sample_rate:.1f} s, so nothing is left to hear")
            return _sound(file.read(first, frames).mean(axis=0, dtype=np.float64), file.sample_rate)


def _refused(why: str) -> Message:
    return Message(header={"refused": f"{why}."})


def _sound(samples: Samples | Any, sample_rate: int) -> Message:
    samples = samples.astype(np.float32)
    peak = float(np.abs(samples).max(initial=0))
    told = {"sample_rate": sample_rate, "loudness": loudness_of(samples, sample_rate), "peak": peak}
    return Message(header=told, samples=samples[None])


if __name__ == "__main__":
    main()
