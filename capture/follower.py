"""The follower: has knobs turned while a dry is played, and tells at which of its frames what was sent."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from capture.interface import Meter
from capture.knob_turner import KnobTurner, Sent
from profiler.errors import GearError, ProfilerError
from profiler.knob_track import KnobTrack

__all__ = ["Follower"]

_SMOOTHED = 9  # clocks, of about a second: blocks are handed over a little late now and then, never early


class Follower:
    """Turns knobs along a track, in a thread, while the track's dry is played; `hear` is told the interface's clock."""

    def __init__(self, turner: KnobTurner, track: KnobTrack, sample_rate: int) -> None:
        self._turner = turner
        self._track = track
        self._sample_rate = sample_rate
        self._clocks: list[tuple[float, int]] = []
        self._sent: Sequence[Sent] = ()
        self._is_over = False
        self._error: ProfilerError | None = None

    def hear(self, meter: Meter) -> None:
        """Take in which frame was handed over, and when."""
        self._clocks.append(meter.clock)

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Turn knobs as long as the block lasts. Raises GearError when they did not follow what was played."""
        thread = threading.Thread(target=self._follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over = True
            thread.join()
        if self._error is not None:
            raise GearError(f"The knobs did not follow: {self._error}") from self._error

    def sent(self) -> list[tuple[float, Sent]]:
        """Return what was sent after the first settings, each with the frame that was then being handed over."""
        return list(zip(self._handed([each.when for each in self._sent[1:]]), self._sent[1:], strict=True))

    def _handed(self, whens: Sequence[float]) -> list[float]:
        """Return the frames handed over at these times, by all clocks around them."""
        times, frames = (np.asarray(each, np.float64) for each in zip(*self._clocks, strict=True))
        offsets = _smoothed(frames - times * self._sample_rate)
        return [when * self._sample_rate + float(np.interp(when, times, offsets)) for when in whens]

    def _elapsed_frames(self) -> float | None:
        """Return the frame of the dry that is handed over now; None when it is over."""
        if self._is_over:
            return None
        if not self._clocks:
            return -float(self._sample_rate)
        offsets = [frame - when * self._sample_rate for when, frame in self._clocks[-_SMOOTHED:]]
        return time.monotonic() * self._sample_rate + float(np.median(offsets))

    def _follow(self) -> None:
        try:
            self._sent = self._turner.follow(self._track, self._sample_rate, self._elapsed_frames)
        except ProfilerError as error:
            self._error = error


def _smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of the values around each."""
    half = _SMOOTHED // 2
    return np.asarray([np.median(values[max(at - half, 0) : at + half + 1]) for at in range(len(values))])
