"""Plugins on a grid: run in blocks of 64 frames from the start of a stream on, however they are fed.

Many plugins sound a little different in blocks of another size, and convolvers need a fixed one. On one grid a plugin
plays the same to the last bit as LV2 and as VST3, and a stream as the whole.
"""

from abc import abstractmethod

import numpy as np

from profiler.audio import Samples
from profiler.errors import GearError
from profiler.knob import Knob, find_knob
from profiler.plugins.channels import Sides, gathered
from profiler.processor import KnobProcessor, check_same_stream

__all__ = ["BLOCK_FRAMES", "GridPlugin"]

BLOCK_FRAMES = 64
"""The smallest block that guitarix's convolvers take; knobs turn on multiples of it."""

_QUIET_SECONDS = 1.0
"""Silence before a stream: guitarix's plugins fade in from the dry signal when they start."""

_MOST_LATENCY_SECONDS = 60


class GridPlugin(KnobProcessor):
    """A plugin with its inputs and outputs, still without the library that runs it.

    Each stream begins at rest, with a second of silence at its settings. Mono goes to every main input and the mean
    of the outputs is returned; stereo through a plugin of one input goes through two copies. A knob turns on the next
    multiple of 64 frames.
    """

    step_frames = BLOCK_FRAMES

    def __init__(self, name: str, version: str, knobs: tuple[Knob, ...]) -> None:
        self.name, self.version, self.knobs = name, version, knobs
        self._settings: dict[str, float | str] = {knob.id: knob.default for knob in knobs}
        self._pending: list[tuple[str, float | str]] = []
        self._sides = Sides()
        self._channels = self._sample_rate = self._due = self._unheard = 0
        self._held = np.zeros((1, 0), np.float32)

    @abstractmethod
    def _start(self, channels: int, sample_rate: int) -> None:
        """Come to rest, for a dry of that many channels. Raises GearError for channels it cannot play."""

    @abstractmethod
    def _set(self, knob: str, value: float | str) -> None:
        """Turn a knob now, to a checked value."""

    @abstractmethod
    def _blocks(self, dry: Samples) -> list[Samples]:
        """Run whole blocks through each copy: (channels, frames) to the outputs of each copy, of (outputs, frames).

        What comes late may be missing at the start, of all copies alike.
        """

    def _latency(self) -> int:
        """Return by how many frames what `_blocks` returns is late, known after the silence."""
        return 0

    def turn(self, knob: str, value: float | str) -> None:
        """Turn a knob, effective from the next multiple of 64 frames on. Raises KnobError."""
        found = find_knob(self.knobs, knob)
        plain = found.checked(value)
        self._settings[found.id] = plain
        if self._held.shape[1]:
            self._pending.append((found.id, plain))
        elif self._channels:
            self._set(found.id, plain)

    def reset(self) -> None:
        """End the stream; the next begins at rest."""
        self._pending = []
        self._channels = self._due = self._unheard = 0
        self._held = self._held[:, :0]

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet of all whole blocks. Raises AudioError when channels or rate change within a stream."""
        if not self._channels:
            self._begin(audio.shape[0], sample_rate)
        check_same_stream(audio, sample_rate, channels=self._channels, begun_at=self._sample_rate)
        self._due += audio.shape[1]
        audio = np.concatenate([self._held, audio], axis=1)
        whole = audio.shape[1] - audio.shape[1] % BLOCK_FRAMES
        first = BLOCK_FRAMES if self._pending and whole else 0
        self._held = audio[:, whole:]
        pieces = [self._heard(audio[:, :first])]
        if first:
            self._turn_pending()
        pieces.append(self._heard(audio[:, first:whole]))
        return np.concatenate(pieces, axis=1)

    def flush(self) -> Samples:
        """Return what is still due, by playing silence after the end."""
        if not self._channels:
            return np.zeros((1, 0), np.float32)
        pieces = [np.zeros((self._channels, 0), np.float32)]
        silence = np.zeros((self._channels, BLOCK_FRAMES), np.float32)
        for _ in range(_MOST_LATENCY_SECONDS * self._sample_rate // BLOCK_FRAMES):
            if not self._due:
                break
            pieces.append(self._heard(np.concatenate([self._held, silence], axis=1)[:, :BLOCK_FRAMES]))
            self._held = self._held[:, :0]
            self._turn_pending()
        if self._due:
            raise GearError(f"{self.name} still owes {self._due} frames after a minute of silence.")
        self.side_db = self._sides.side_db
        self.reset()
        return np.concatenate(pieces, axis=1)

    def _begin(self, channels: int, sample_rate: int) -> None:
        """Let the plugin play silence at its settings, and find out how late it comes."""
        self._start(channels, sample_rate)
        self._channels, self._sample_rate = channels, sample_rate
        self._held = np.zeros((channels, 0), np.float32)
        for knob, value in self._settings.items():
            self._set(knob, value)
        quiet = -(-int(_QUIET_SECONDS * sample_rate) // BLOCK_FRAMES) * BLOCK_FRAMES
        silence = self._blocks(np.zeros((channels, quiet), np.float32))
        self._unheard = quiet - silence[0].shape[1] + self._latency()
        if not 0 <= self._unheard <= _MOST_LATENCY_SECONDS * sample_rate:
            raise GearError(f"{self.name} says that it is {self._unheard} frames late, which cannot be.")
        self._sides = Sides()

    def _turn_pending(self) -> None:
        while self._pending:
            self._set(*self._pending.pop(0))

    def _heard(self, dry: Samples) -> Samples:
        """Return the wet of whole blocks without the plugin's latency, and no more of it than is due."""
        if not dry.shape[1]:
            return dry
        copies = self._blocks(dry)
        dropped = min(self._unheard, copies[0].shape[1])
        self._unheard -= dropped
        copies = [wet[:, dropped : dropped + self._due] for wet in copies]
        self._due -= copies[0].shape[1]
        if len(copies) > 1:
            return np.concatenate([gathered(wet, 1) for wet in copies])
        if self._channels == 1:
            self._sides.hear(copies[0])
        return gathered(copies[0], self._channels)
