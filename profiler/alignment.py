"""Alignment: putting a wet signal onto its dry one."""

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.session import Take

__all__ = ["aligned", "counted"]


def aligned(wet: Samples, take: Take, frames: int) -> Samples:
    """Return a take's wet, of shape (channels, any), on its dry signal of `frames` frames.

    Latency, polarity and gain are undone; there is silence where nothing was recorded.
    """
    out = np.zeros((wet.shape[0], frames), np.float32)
    begin = max(-take.latency_frames, 0)
    part = wet[:, max(take.latency_frames, 0) :][:, : max(frames - begin, 0)]
    out[:, begin : begin + part.shape[1]] = part * np.float32(take.polarity * 10 ** (-take.gain_db / 20))
    return out


def counted(take: Take, frames: int) -> NDArray[np.bool_]:
    """Return which of a dry signal's frames count: those at which the wet was not clipped. Shape (frames,)."""
    out = np.ones(frames, np.bool_)
    for start, stop in take.masked:
        out[max(start - take.latency_frames, 0) : max(stop - take.latency_frames, 0)] = False
    return out
