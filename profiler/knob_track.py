"""Knob tracks: how knobs move over time, for moving takes and for automation alike."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.errors import KnobError
from profiler.knob import Knob, KnobSettings, checked_settings, positions_of

__all__ = ["Breakpoint", "KnobMotion", "KnobTrack"]

_RAMP_STEPS = 512
_LAST_FRAME = 2**53  # frames stay exact in double precision; no recording comes near


@dataclass(frozen=True, kw_only=True)
class Breakpoint:
    """From `frame` on, the named knobs travel to `settings` in a straight line of positions, `ramp_frames` long."""

    frame: int
    settings: KnobSettings
    ramp_frames: int = 0


@dataclass(frozen=True, kw_only=True)
class KnobTrack:
    """Breakpoints in order of frame: piecewise constant settings with ramps between them.

    The first one stands at frame 0; a later one may name only the knobs that move. A ramp that the next
    breakpoint interrupts stops where it is. Raises KnobError for another order.
    """

    breakpoints: tuple[Breakpoint, ...]

    def __post_init__(self) -> None:
        frames = [point.frame for point in self.breakpoints]
        if not frames or frames[0] != 0:
            raise KnobError("A knob track must say where the knobs stand at frame 0; its first breakpoint does not.")
        if any(later <= earlier for earlier, later in itertools.pairwise(frames)):
            raise KnobError(f"A knob track's frames must grow from breakpoint to breakpoint; found {frames[:8]}.")
        if any(point.ramp_frames < 0 for point in self.breakpoints):
            raise KnobError("A knob track's ramp lasts 0 frames or more; found a negative one.")
        if (last := max(point.frame + point.ramp_frames for point in self.breakpoints)) > _LAST_FRAME:
            raise KnobError(f"A knob track ends by frame {_LAST_FRAME}; found frame {last}.")

    @classmethod
    def still(cls, settings: KnobSettings) -> "KnobTrack":
        """Return a track on which nothing moves."""
        return cls(breakpoints=(Breakpoint(frame=0, settings=settings),))

    def visited(self, knobs: Sequence[Knob]) -> tuple[KnobSettings, ...]:
        """Return the complete settings that the knobs stand at, one for each breakpoint. Raises KnobError."""
        settings: KnobSettings = {}
        found = []
        for point in self.breakpoints:
            settings = checked_settings(knobs, {**settings, **point.settings})
            found.append(settings)
        return tuple(found)

    def motion(self, knobs: Sequence[Knob]) -> "KnobMotion":
        """Return the track as positions of these knobs. Raises KnobError for a knob or value they do not have."""
        return KnobMotion(self, tuple(knobs))


class KnobMotion:
    """A knob track in positions: `at(start, stop)` gives every frame's. Built by `KnobTrack.motion`."""

    def __init__(self, track: KnobTrack, knobs: tuple[Knob, ...]) -> None:
        self.starts: NDArray[np.int64] = np.asarray([point.frame for point in track.breakpoints], np.int64)
        self.ramps: NDArray[np.int64] = np.asarray([point.ramp_frames for point in track.breakpoints], np.int64)
        self.targets = _targets(track, knobs)
        self.slides = np.concatenate(
            [np.full(knob.width, not knob.choices) for knob in knobs] or [np.zeros(0, np.bool_)]
        )

    @cached_property
    def departures(self) -> Samples:
        """Where the knobs stand as each breakpoint begins, of shape (breakpoints, width)."""
        departures = self.targets.copy()
        for index in range(1, len(self.starts)):
            elapsed = self.starts[index] - self.starts[index - 1]
            departures[index] = self._between(departures[index - 1], index - 1, elapsed[None])[0]
        return departures

    @property
    def is_still(self) -> bool:
        """Whether nothing ever moves."""
        return bool((self.targets == self.targets[0]).all())

    def at(self, start: int, stop: int) -> Samples:
        """Return the positions at frames start to stop, of shape (stop - start, width)."""
        first = int(np.searchsorted(self.starts, start, side="right")) - 1
        last = int(np.searchsorted(self.starts, stop - 1, side="right")) - 1
        pieces = []
        for index in range(max(first, 0), last + 1):
            begin = max(start, int(self.starts[index])) if index else start
            end = min(stop, int(self.starts[index + 1])) if index + 1 < len(self.starts) else stop
            elapsed = np.arange(begin, end) - self.starts[index]
            pieces.append(self._between(self.departures[index], index, elapsed))
        return np.concatenate(pieces) if pieces else self.targets[:0]

    def table(self, frames: int) -> tuple[Samples, NDArray[np.int32]]:
        """Return the first `frames` frames as a table of positions (settings, width) and each frame's row in it.

        Most frames share their settings with many others, so this is far smaller than `at`. A ramp is told in at
        most 512 steps.
        """
        rows: list[Samples] = []
        index = np.zeros(frames, np.int32)
        count = 0
        for number, start in enumerate(self.starts[self.starts < frames]):
            end = min(int(self.starts[number + 1]), frames) if number + 1 < len(self.starts) else frames
            ramp = int(self.ramps[number])
            steps = min(ramp, _RAMP_STEPS)
            elapsed = np.round(np.linspace(0, ramp, steps + 1)).astype(np.int64)
            rows.append(self._between(self.departures[number], number, elapsed))
            at = np.minimum(np.arange(end - start), ramp)
            index[start:end] = count + (np.round(at * steps / ramp).astype(np.int32) if ramp else 0)
            count += steps + 1
        return np.concatenate(rows), index

    def _between(self, departure: Samples, index: int, elapsed: NDArray[np.int64]) -> Samples:
        """Return positions `elapsed` frames into a breakpoint. A switch does not slide: it flips as the ramp begins."""
        ramp = int(self.ramps[index])
        share = np.ones(len(elapsed)) if ramp == 0 else np.clip(elapsed / ramp, 0.0, 1.0)
        share = np.where(self.slides, share[:, None], 1.0)
        return (departure + share * (self.targets[index] - departure)).astype(np.float32)


def _targets(track: KnobTrack, knobs: tuple[Knob, ...]) -> Samples:
    return np.stack([positions_of(knobs, settings) for settings in track.visited(knobs)])
