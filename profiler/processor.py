"""The processor contracts: what renders audio, whole or in blocks, and what has knobs that turn while it does."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import numpy as np

from profiler.audio import Samples
from profiler.errors import AudioError
from profiler.knob import Knob

__all__ = ["KnobProcessor", "Processor", "check_same_stream"]


class Processor(ABC):
    """Processes audio as pedalboard's plugins do, and in blocks of any size with the same result.

    A stream is `reset`, any number of `feed`s, and a `flush`; what they return, joined together, is as long as what
    was fed, with every latency taken out. A feed may return fewer frames than it was given and a later one more.
    """

    @abstractmethod
    def reset(self) -> None:
        """Forget everything heard."""

    @abstractmethod
    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Take dry (channels, frames), return the wet (channels, frames) that is ready."""

    @abstractmethod
    def flush(self) -> Samples:
        """End the stream and return the wet that is still due."""

    def process(self, audio: Samples, sample_rate: int, *, reset: bool = True) -> Samples:
        """Return wet for dry: a whole signal from rest, or with `reset=False` the next block of a stream."""
        if not reset:
            return self.feed(audio, sample_rate)
        self.reset()
        return np.concatenate([self.feed(audio, sample_rate), self.flush()], axis=1)

    def close(self) -> None:  # noqa: B027 - most processors hold nothing but memory
        """Let go of what it holds beside memory, such as a process of its own. It plays no more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class KnobProcessor(Processor):
    """A processor whose knobs turn while it plays.

    A turn is effective from the next frame fed, or, where a plugin runs in fixed blocks, from the next multiple of
    `step_frames` on.
    """

    name: str
    knobs: tuple[Knob, ...]
    step_frames: int = 1
    side_db: float | None = None
    """After the flush of a mono stream: how loud the difference of the gear's two sides is, beside their mean in dB.
    None where there is no such difference. The mean is what was returned."""

    @abstractmethod
    def turn(self, knob: str, value: float | str) -> None:
        """Turn a knob, by its id or the end of it, to a plain value. Raises KnobError."""


def check_same_stream(audio: Samples, sample_rate: int, *, channels: int, begun_at: int | None) -> None:
    """Raise AudioError when a block has other channels, or another rate, than the stream that it belongs to."""
    if (audio.shape[0], sample_rate) != (channels, begun_at):
        raise AudioError(
            f"This stream has {channels} channel(s) at {begun_at} Hz; found {audio.shape[0]} at {sample_rate} Hz. "
            "Reset before another kind of signal."
        )
