"""Channels between a dry of one or two and a plugin with inputs and outputs of its own number."""

import math

import numpy as np

from profiler.audio import Samples

__all__ = ["Sides", "gathered", "spread"]


def spread(dry: Samples, inputs: int) -> Samples:
    """Return dry as that many inputs: mono goes to every one, left and right go in turns."""
    return dry[np.arange(inputs) % dry.shape[0]]


def gathered(wet: Samples, channels: int) -> Samples:
    """Return outputs as one channel, which is their mean, or as several, which are the first of them in turns."""
    if channels == 1:
        return wet.mean(axis=0, keepdims=True, dtype=np.float32)
    return wet[np.arange(channels) % wet.shape[0]]


class Sides:
    """How far a plugin's two sides are apart in what it answers to mono."""

    def __init__(self) -> None:
        self._middle = self._side = 0.0
        self._is_stereo = False

    def hear(self, wet: Samples) -> None:
        """Take outputs (channels, frames) before they are averaged."""
        if wet.shape[0] < 2:
            return
        self._is_stereo = True
        left, right = wet[0].astype(np.float64), wet[1].astype(np.float64)
        self._middle += float(np.square(left + right).sum())
        self._side += float(np.square(left - right).sum())

    @property
    def side_db(self) -> float | None:
        """The energy of the difference beside that of the mean in dB; None without two sides or without any."""
        if not self._is_stereo or not (math.isfinite(self._side) and self._side > 0):
            return None
        return 10 * math.log10(self._side / self._middle) if self._middle > 0 else 300.0
