"""Knob lanes: how each of several knobs moves, one independent of the others."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.knob import Knob, KnobSettings
from profiler.knob_track import Breakpoint, KnobTrack

__all__ = ["KnobLanes"]


class KnobLanes:
    """A track for each knob, by its id, that names this knob alone. Raises KnobError for a value it does not take."""

    def __init__(self, knobs: Sequence[Knob], tracks: Mapping[str, KnobTrack]) -> None:
        self._knobs = tuple(knobs)
        self._motions = tuple(tracks[knob.id].motion((knob,)) for knob in knobs)

    @classmethod
    def of_track(cls, track: KnobTrack, knobs: Sequence[Knob]) -> "KnobLanes":
        """Return the moves of one track, whose knobs all travel together, knob by knob. Raises KnobError."""
        visited = track.visited(knobs)
        lanes = {
            knob.id: KnobTrack(
                breakpoints=tuple(
                    Breakpoint(frame=point.frame, settings={knob.id: at[knob.id]}, ramp_frames=point.ramp_frames)
                    for point, at in zip(track.breakpoints, visited, strict=True)
                )
            )
            for knob in knobs
        }
        return cls(knobs, lanes)

    @property
    def is_still(self) -> bool:
        """Whether nothing ever moves."""
        return all(motion.is_still for motion in self._motions)

    @property
    def slides(self) -> NDArray[np.bool_]:
        """Which positions slide, of shape (width,); those of switches flip."""
        return np.concatenate([np.zeros(0, np.bool_), *(motion.slides for motion in self._motions)])

    def at(self, start: int, stop: int) -> Samples:
        """Return the positions of all knobs at frames start to stop, of shape (stop - start, width)."""
        none = np.zeros((stop - start, 0), np.float32)
        return np.concatenate([none, *(motion.at(start, stop) for motion in self._motions)], axis=1)

    def stretches(self, start: int, stop: int, *, step_frames: int) -> Iterator[tuple[int, int, KnobSettings]]:
        """Yield stretches of frames over which no knob moves, with their settings: first frame, end, plain values.

        A ramp stands still for `step_frames` at a time, from where it began. Where stretches end does not depend on
        `start` and `stop`, but that none goes beyond them.
        """
        cuts = {start, stop}
        for motion in self._motions:
            ends = np.append(motion.starts[1:], np.iinfo(np.int64).max)
            now = slice(int(np.searchsorted(ends, start, side="right")), int(np.searchsorted(motion.starts, stop)))
            for begin, ramp, end in np.stack([motion.starts, motion.ramps, ends], axis=1)[now].tolist():
                over = min(begin + ramp, end, stop)
                first = begin + max(0, (start - begin) // step_frames) * step_frames
                cuts.update(frame for frame in (*range(first, over, step_frames), begin, over) if start < frame < stop)
        for one, other in pairwise(sorted(cuts)):
            yield one, other, self._settings(one, step_frames)

    def _settings(self, frame: int, step_frames: int) -> KnobSettings:
        settings = {}
        for knob, motion in zip(self._knobs, self._motions, strict=True):
            number = int(np.searchsorted(motion.starts, frame, side="right")) - 1
            begin = int(motion.starts[number])
            step = begin + (frame - begin) // step_frames * step_frames
            at = frame if frame - begin >= motion.ramps[number] else step
            own = motion.at(at, at + 1)[0]
            settings[knob.id] = knob.choices[int(own.argmax())] if knob.choices else knob.value_at(float(own[0]))
        return settings
