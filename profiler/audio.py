"""Audio in memory: float32 samples in one layout, with their rate."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from profiler.errors import AudioError

__all__ = ["Audio", "AudioStream", "Samples"]

Samples: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Audio:
    """Samples of shape (channels, frames), full scale at +-1, and their rate in Hz.

    Values beyond full scale are kept. Raises AudioError for another shape, type or rate.
    """

    samples: Samples
    sample_rate: int

    def __post_init__(self) -> None:
        found = self.samples
        if found.ndim != 2 or found.dtype != np.float32 or found.shape[0] < 1:
            raise AudioError(
                f"Audio holds float32 of shape (channels, frames); this is {found.dtype} of shape {found.shape}."
            )
        if self.sample_rate < 1:
            raise AudioError(f"The sample rate is {self.sample_rate} Hz; it must be at least 1 Hz.")

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """How many instants there are in each channel."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.frames / self.sample_rate

    def excerpt(self, start: int, stop: int) -> "Audio":
        """Return frames start to stop, as a view."""
        return Audio(samples=self.samples[:, start:stop], sample_rate=self.sample_rate)

    def mono(self) -> Samples:
        """Return the channels' mean, of shape (frames,)."""
        return self.samples[0] if self.channels == 1 else self.samples.mean(axis=0, dtype=np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class AudioStream:
    """Audio that may be too long for memory: its shape, and its blocks of shape (channels, any frames) in order."""

    blocks: Iterable[Samples]
    channels: int
    frames: int
    sample_rate: int

    @classmethod
    def of(cls, audio: Audio) -> "AudioStream":
        """Return audio in memory as a stream of one block."""
        return cls(blocks=(audio.samples,), channels=audio.channels, frames=audio.frames, sample_rate=audio.sample_rate)
