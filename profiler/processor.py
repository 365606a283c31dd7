"""The processor contract: what renders audio, whole or in blocks."""

from abc import ABC, abstractmethod

import numpy as np

from profiler.audio import Samples

__all__ = ["Processor"]


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
