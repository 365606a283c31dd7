"""Blips: what the pulses of a stimulus say about how late a wet signal is, and which way up."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from profiler.audio import Samples
from profiler.tones import BLIP_GAP_SECONDS, BLIP_POLARITIES, blip_frames

__all__ = ["BlipReading", "read_blips"]

_WINDOW_SHARE = 0.9
_THRESHOLD_OF_PEAK = 0.05
_THRESHOLD_OVER_NOISE = 4.0
_LEAST_OVER_NOISE = 2.0
_FLOOR_OF_PEAK = 0.02  # what filters ring ahead of a blip lies below it
_LEAST_FRAMES = 20  # of rest, to know how loud it is


@dataclass(frozen=True, kw_only=True)
class BlipReading:
    """What the blips of one take say: frames by which each arrives late, and the polarity they agree on."""

    latencies: tuple[int, ...]
    polarity: Literal[-1, 1] | None

    @property
    def latency_frames(self) -> int | None:
        """The median lateness, or None when no blip came through."""
        return int(np.median(self.latencies)) if self.latencies else None


def read_blips(wet: Samples, *, start: int, sample_rate: int) -> BlipReading:
    """Read the blips that begin at frame `start` of a wet signal of shape (frames,).

    A blip has arrived where the wet first leaves the noise before it, or where its variance changes as Akaike's
    criterion has it (Maeda 1985, as earthquakes are timed), whichever is sooner: the first is for gear that answers
    softly before it answers loudly, the second sees through noise. The polarity is the one that most blips agree on,
    read from the first swing, and None when they do not agree.
    """
    gap = int(BLIP_GAP_SECONDS * sample_rate)
    window = int(gap * _WINDOW_SHARE)
    rest = gap - window  # a blip that comes later than the window is long would fall into the next one's rest
    latencies: list[int] = []
    votes = 0
    for frame, sent in zip(blip_frames(sample_rate), BLIP_POLARITIES, strict=True):
        at = start + frame
        before, after = wet[max(at - rest, 0) : at], wet[at : at + window]
        resting = float(np.median(before)) if len(before) else 0.0
        swing = np.abs(after - resting)
        noise = float(np.abs(before - resting).max()) if len(before) else 0.0
        peak = float(swing.max()) if len(swing) else 0.0
        threshold = max(_THRESHOLD_OF_PEAK * peak, _THRESHOLD_OVER_NOISE * noise, 1e-6)
        if peak <= max(_LEAST_OVER_NOISE * noise, 1e-6):
            continue
        arrival = _onset((np.concatenate([before, after]) - resting).astype(np.float32), len(before))
        if peak > threshold:
            arrival = min(arrival, int(np.argmax(swing > threshold)))
        latencies.append(arrival)
        votes += sent * int(np.sign(after[arrival] - resting))
    polarity: Literal[-1, 1] | None = 1 if votes > 0 else -1 if votes < 0 else None
    return BlipReading(latencies=tuple(latencies), polarity=polarity)


def _onset(around: Samples, rest: int) -> int:
    """Return how many frames after the first `rest` ones, up to the loudest, the variance changes for good."""
    peak = rest + int(np.argmax(np.abs(around[rest:])))
    power = around[: peak + 1].astype(np.float64) ** 2
    floor = (_FLOOR_OF_PEAK**2) * power[-1]
    at = np.arange(min(_LEAST_FRAMES, peak), len(power))
    sums = np.cumsum(power)
    before, after = sums[at - 1] / at + floor, (sums[-1] - sums[at - 1]) / (len(power) - at) + floor
    criterion = at * np.log(before) + (len(power) - at) * np.log(after)
    return max(int(at[np.argmin(criterion)]) - rest, 0)
