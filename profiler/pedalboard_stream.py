"""Streaming through a pedalboard plugin, its own or a loaded one, so that blocks of any size sound like the whole."""

from typing import Any

import numpy as np

from profiler.audio import Samples
from profiler.errors import AudioError, GearError
from profiler.processor import Processor

__all__ = ["BLOCK_FRAMES", "PedalboardStream"]

BLOCK_FRAMES = 8192
"""No block that a plugin sees is larger."""

_NONE = np.zeros((1, 0), np.float32)
_MOST_FLUSHES = 400


class PedalboardStream(Processor):
    """Feeds a pedalboard plugin. `name` is what errors call it.

    Each stream begins with at least `quiet_seconds` of silence, whose wet is dropped: plugins that come up slowly
    have come up by then.
    """

    def __init__(self, plugin: Any, *, name: str, quiet_seconds: float = 0.0) -> None:
        self.plugin = plugin
        self._name = name
        self._quiet_seconds = quiet_seconds
        self._channels = self._sample_rate = 0
        self._is_late = False
        self._due = self._unheard = 0
        self._waiting: Samples = _NONE
        self._ready: list[Samples] = []

    def settle(self) -> None:
        """Play what is held back, so that a knob turned now is heard from the next frame fed and not before."""
        if self._waiting.shape[1]:
            self._ready.append(self._run(self._waiting))
            self._waiting = self._waiting[:, :0]

    def reset(self) -> None:
        """Bring the plugin to rest."""
        self.plugin.reset()
        self._channels = self._due = 0
        self._waiting, self._ready = _NONE, []

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready; a plugin with latency holds the first frames back.

        Raises AudioError when channels or rate change within a stream, GearError when the plugin refuses them.
        """
        if not self._channels:
            self._begin(audio.shape[0], sample_rate)
        if (audio.shape[0], sample_rate) != (self._channels, self._sample_rate):
            raise AudioError(
                f"This stream has {self._channels} channel(s) at {self._sample_rate} Hz; found {audio.shape[0]} "
                f"at {sample_rate} Hz. Reset before another kind of signal."
            )
        self._due += audio.shape[1]
        if self._is_late:
            audio = np.concatenate([self._waiting, audio], axis=1)
            whole = audio.shape[1] - audio.shape[1] % BLOCK_FRAMES
            audio, self._waiting = audio[:, :whole], audio[:, whole:]
        starts = range(0, audio.shape[1], BLOCK_FRAMES)
        blocks = [*self._ready, *(self._run(audio[:, start : start + BLOCK_FRAMES]) for start in starts)]
        self._ready = []
        return np.concatenate(blocks, axis=1) if blocks else audio[:, :0]

    def flush(self) -> Samples:
        """Return what latency has held back, by playing silence after the end."""
        blocks = [np.zeros((max(self._channels, 1), 0), np.float32), *self._ready]
        for _ in range(_MOST_FLUSHES):
            if self._due <= 0:
                break
            due = self._due
            silence = np.zeros((self._channels, BLOCK_FRAMES - self._waiting.shape[1]), np.float32)
            blocks.append(self._run(np.concatenate([self._waiting, silence], axis=1))[:, :due])
            self._waiting = self._waiting[:, :0]
        if self._due > 0:
            raise GearError(f"{self._name} still owes {self._due} frames after a minute of silence.")
        self.reset()
        return np.concatenate(blocks, axis=1)

    def _begin(self, channels: int, sample_rate: int) -> None:
        """Play silence, whose wet is dropped, and see whether the plugin comes late.

        From the first block pedalboard learns which side of an array is channels: left to guess, it refuses a square
        array and takes two channels of one frame for one channel of two. And no later block is larger, which would
        make an effect forget what it has heard. Late effects mix up odd blocks, so theirs are all of one size.
        """
        self._channels, self._sample_rate = channels, sample_rate
        self._waiting = np.zeros((channels, 0), np.float32)
        blocks = max(-(-int(self._quiet_seconds * sample_rate) // BLOCK_FRAMES), 1)
        self._unheard = blocks * BLOCK_FRAMES
        for _ in range(blocks):
            self._run(np.zeros((channels, BLOCK_FRAMES), np.float32))
        self._is_late = self._unheard > 0

    def _run(self, audio: Samples) -> Samples:
        try:
            wet = self.plugin.process(
                np.ascontiguousarray(audio), self._sample_rate, buffer_size=BLOCK_FRAMES, reset=False
            )
        except (ValueError, RuntimeError) as error:
            raise GearError(f"{self._name} refused {audio.shape[0]} channel(s): {error}") from error
        wet = np.asarray(wet, np.float32).reshape(audio.shape[0], -1)
        dropped = min(self._unheard, wet.shape[1])
        self._unheard -= dropped
        self._due -= wet.shape[1] - dropped
        return wet[:, dropped:]
