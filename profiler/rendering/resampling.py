"""Resampling of streams, in and out of a profile's own rate."""

import numpy as np
import soxr

from profiler.audio import Samples

__all__ = ["StreamResampler"]


class StreamResampler:
    """Resamples blocks of shape (channels, frames); joined together they are what the whole would give."""

    def __init__(self, *, source_rate: int, target_rate: int, channels: int) -> None:
        self._channels = channels
        same = source_rate == target_rate
        self._stream = None if same else soxr.ResampleStream(source_rate, target_rate, channels, dtype="float32")

    def feed(self, samples: Samples, *, last: bool = False) -> Samples:
        """Return the frames that are ready; `last` ends the stream and returns the rest."""
        if self._stream is None:
            return samples
        out = self._stream.resample_chunk(np.ascontiguousarray(samples.T), last=last)
        return np.ascontiguousarray(out.reshape(-1, self._channels).T)
