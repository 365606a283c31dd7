"""A circuit played at a multiple of the sound's rate, in time with the sound, in blocks of any size."""

import functools
from collections.abc import Callable

import numpy as np
from scipy.signal import firwin, upfirdn

from profiler.circuits.port import Wave

__all__ = ["Oversampled"]

_REACH = 32
"""How many frames of sound the filters look ahead, up as down."""

_STOP_DB = 90.0


class Oversampled:
    """Plays `play` at `factor` times the rate: `feed` returns what is ready, which lags behind by 2 x 32 frames.

    Up and down go through the same linear-phase filter, flat to 0.45 of the sound's rate, 90 dB down from 0.55 on. It
    is symmetric, so what comes out is in time with what went in.
    """

    def __init__(self, play: Callable[[Wave], Wave], factor: int) -> None:
        self._play, self._factor = play, factor
        self._dry = np.zeros(_REACH)
        self._wet = np.zeros(_REACH * factor)

    @property
    def behind(self) -> int:
        """How many frames the circuit has still to hear of what it was fed."""
        return 0 if self._factor == 1 else _REACH

    def feed(self, dry: Wave) -> Wave:
        """Return the frames that are ready."""
        if self._factor == 1:
            return self._play(dry)
        factor, taps = self._factor, _low_pass(self._factor)
        self._dry = np.concatenate([self._dry, dry])
        frames = max(len(self._dry) - 2 * _REACH, 0)
        if not frames:
            return np.zeros(0)
        begin = 2 * _REACH * factor
        fast = factor * upfirdn(taps, self._dry, up=factor)[begin : begin + frames * factor]
        self._dry = self._dry[frames:]
        self._wet = np.concatenate([self._wet, self._play(fast)])
        frames = max(len(self._wet) // factor - 2 * _REACH, 0)
        slow = upfirdn(taps, self._wet, down=factor)[2 * _REACH : 2 * _REACH + frames]
        self._wet = self._wet[frames * factor :]
        return slow


@functools.cache
def _low_pass(factor: int) -> Wave:
    """Return the filter, of 64 frames and one tap."""
    beta = 0.1102 * (_STOP_DB - 8.7)
    taps: Wave = firwin(2 * _REACH * factor + 1, 1 / factor, window=("kaiser", beta))
    return taps
