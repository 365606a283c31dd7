"""The split: processors beside each other, whose sounds are summed, as one processor."""

from collections.abc import Sequence

import numpy as np

from profiler.audio import Samples
from profiler.processor import Processor

__all__ = ["Parallel"]


class Parallel(Processor):
    """Feeds all branches the same dry and returns their sum.

    Every processor takes its own latency out, so branches are in time with each other to the frame, whichever of them
    holds frames back.
    """

    def __init__(self, branches: Sequence[Processor]) -> None:
        self.branches = tuple(branches)
        self._begin(1)

    def reset(self) -> None:
        """Bring every branch to rest."""
        for branch in self.branches:
            branch.reset()
        self._begin(1)

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the sum as far as all branches have come."""
        if self._channels != audio.shape[0]:
            self._begin(audio.shape[0])
        return self._sum(tuple(branch.feed(audio, sample_rate) for branch in self.branches))

    def flush(self) -> Samples:
        """Return the sum of what is still due."""
        rest = self._sum(tuple(branch.flush() for branch in self.branches))
        self._begin(1)
        return rest

    def close(self) -> None:
        """Close every branch."""
        for branch in self.branches:
            branch.close()

    def _begin(self, channels: int) -> None:
        self._channels = channels
        self._ready: tuple[Samples, ...] = tuple(np.zeros((channels, 0), np.float32) for _ in self.branches)

    def _sum(self, more: tuple[Samples, ...]) -> Samples:
        ready = [
            np.concatenate([one, other], axis=1) if other.shape[1] else one
            for one, other in zip(self._ready, more, strict=True)
        ]
        frames = min(each.shape[1] for each in ready)
        self._ready = tuple(each[:, frames:] for each in ready)
        return np.sum([each[:, :frames] for each in ready], axis=0, dtype=np.float32)
