"""The chain: processors one after the other, as one processor."""

from collections.abc import Sequence

import numpy as np

from profiler.audio import Samples
from profiler.processor import Processor

__all__ = ["Chain"]


class Chain(Processor):
    """Processors in series: what one returns is fed to the next."""

    def __init__(self, processors: Sequence[Processor]) -> None:
        self.processors = tuple(processors)
        self._channels, self._sample_rate = 1, 0

    def reset(self) -> None:
        """Bring every processor to rest."""
        for processor in self.processors:
            processor.reset()

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that has come through all of them."""
        self._channels, self._sample_rate = audio.shape[0], sample_rate
        for processor in self.processors:
            audio = processor.feed(audio, sample_rate)
        return audio

    def flush(self) -> Samples:
        """Return what is still due: each processor's rest goes through those after it before they are flushed."""
        rest: Samples | None = None
        for processor in self.processors:
            fed = processor.feed(rest, self._sample_rate) if rest is not None and rest.shape[1] else None
            rest = processor.flush()
            if fed is not None:
                rest = np.concatenate([fed, rest], axis=1)
        return np.zeros((self._channels, 0), np.float32) if rest is None else rest

    def close(self) -> None:
        """Close every processor."""
        for processor in self.processors:
            processor.close()
