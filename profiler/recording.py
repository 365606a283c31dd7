"""Recordings that are read anywhere, as mono at one rate: in memory, or on disk in pieces however long they are."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import soxr

from profiler.audio import Samples
from profiler.audio_file import AudioReader

__all__ = ["FileRecording", "HeldRecording", "Recording"]

_SURROUND = 2048
"""Frames of the file read around an excerpt that is converted, far more than the converter's filter is long."""


class Recording(Protocol):
    """Mono audio of `frames` frames; `read` returns any excerpt, silence where it reaches beyond the ends."""

    @property
    def frames(self) -> int:
        """How long it is."""

    def read(self, start: int, frames: int) -> Samples:
        """Return `frames` frames from `start`, of shape (frames,)."""


@dataclass(frozen=True, eq=False)
class HeldRecording:
    """A recording in memory, of shape (frames,)."""

    samples: Samples

    @property
    def frames(self) -> int:
        """How long it is."""
        return len(self.samples)

    def read(self, start: int, frames: int) -> Samples:
        """Return an excerpt."""
        out = np.zeros(frames, np.float32)
        begin, end = max(start, 0), min(start + frames, len(self.samples))
        if begin < end:
            out[begin - start : end - start] = self.samples[begin:end]
        return out


@dataclass(frozen=True, eq=False)
class FileRecording:
    """An open audio file as a recording at `sample_rate`, which need not be its own: the mean of `channels`, or of all.

    Raises AudioError as it reads.
    """

    reader: AudioReader
    sample_rate: int
    channels: tuple[int, ...] = ()

    @property
    def frames(self) -> int:
        """How long it is at the wanted rate."""
        return math.ceil(self.reader.frames * self.sample_rate / self.reader.sample_rate)

    def read(self, start: int, frames: int) -> Samples:
        """Return an excerpt, the same whichever excerpt it is part of."""
        if self.reader.sample_rate == self.sample_rate:
            return self._own(start, frames)
        # Both clocks meet on multiples of these.
        common = math.gcd(self.reader.sample_rate, self.sample_rate)
        own_step, step = self.reader.sample_rate // common, self.sample_rate // common
        meets = math.floor(start / step) - math.ceil(_SURROUND / own_step)
        lead = start - meets * step
        count = math.ceil((lead + frames) / step) * own_step + 2 * _SURROUND
        converted = soxr.resample(self._own(meets * own_step, count), self.reader.sample_rate, self.sample_rate)
        return np.asarray(converted[lead : lead + frames], np.float32)

    def _own(self, start: int, frames: int) -> Samples:
        """Return an excerpt at the file's rate."""
        out = np.zeros(frames, np.float32)
        begin, end = max(start, 0), min(start + frames, self.reader.frames)
        if begin < end:
            block = self.reader.read(begin, end - begin)
            out[begin - start : end - start] = block[list(self.channels) or slice(None)].mean(axis=0)
        return out
