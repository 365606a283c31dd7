"""Rest: the wet while the dry is silent. What is heard there is the gear's own noise, and hum."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from profiler.audio import Samples
from profiler.checks.levels import decibels
from profiler.tones import blip_frames

__all__ = ["Hum", "Rest", "find_hum", "find_rest", "noise_power", "rings_long"]

_WINDOW_SECONDS = 0.1
_SETTLING_SECONDS = 0.3
_SILENT = 3e-6
_NEAR_SILENT_DB = -80.0
_LEAST_WINDOWS = 3
_QUIETEST_SHARE = 0.1
_SHORTEST_HUM_SECONDS = 0.35
_LONGEST_HUM_SECONDS = 4.0
_HARMONICS = 12
_CLEAR_HARMONIC = 8.0
_SURE_HARMONIC = 40.0
_LONG_SECONDS = 0.25
_LONG_SHARE = 0.003


@dataclass(frozen=True, kw_only=True, eq=False)
class Rest:
    """The wet's frames at rest, as spans. `is_digital` tells that the dry is exactly silent there."""

    spans: tuple[tuple[int, int], ...]
    is_digital: bool


@dataclass(frozen=True, kw_only=True)
class Hum:
    """Mains hum: its fundamental, 50 or 60 Hz, and the level of all its harmonics together in dBFS."""

    hz: int
    level_db: float


def find_rest(dry: Samples, sample_rate: int) -> Rest:
    """Return where the gear rests: the dry, of shape (frames,), has been silent for 0.3 s already.

    The first frames count as rest at once. A recorded dry is never exactly silent: below -80 dBFS will do then.
    """
    window = max(int(_WINDOW_SECONDS * sample_rate), 1)
    count = len(dry) // window
    folded = dry[: count * window].reshape(count, window)
    silent = np.abs(folded).max(axis=1, initial=0.0) < _SILENT
    spans = _spans(silent, window, sample_rate)
    if spans:
        return Rest(spans=spans, is_digital=True)
    power = np.mean(np.square(folded, dtype=np.float64), axis=1) if count else np.zeros(0)
    return Rest(spans=_spans(power < 10 ** (_NEAR_SILENT_DB / 10), window, sample_rate), is_digital=False)


def noise_power(dry: Samples, wet: Samples, rest: Rest, sample_rate: int) -> float | None:
    """Return the power of the gear's own noise at rest, the quietest tenth of it: echoes ring into the rest.

    What follows even a faint dry is sound, not noise, and is taken out by coherence. None without rest.
    """
    window = int(_WINDOW_SECONDS * sample_rate)
    starts = [start for begin, end in rest.spans for start in range(begin, end - window + 1, window)]
    if len(starts) < _LEAST_WINDOWS:
        return None
    pieces = [wet[start : start + window] for start in starts]
    power = np.asarray([np.mean(np.square(piece - piece.mean(), dtype=np.float64)) for piece in pieces])
    quietest = float(np.quantile(power, _QUIETEST_SHARE)) if len(power) > 20 else float(power.min())
    if rest.is_digital:
        return quietest
    return quietest * _unexplained([dry[start : start + window] for start in starts], pieces)


def find_hum(wet: Samples, rest: Rest, sample_rate: int) -> Hum | None:
    """Return the hum at rest: energy at multiples of 50 or 60 Hz that stands above what lies between them."""
    begin, end = max(rest.spans, key=lambda span: span[1] - span[0], default=(0, 0))
    end = min(end, begin + int(_LONGEST_HUM_SECONDS * sample_rate))
    if end - begin < _SHORTEST_HUM_SECONDS * sample_rate:
        return None
    piece = wet[begin:end].astype(np.float64)
    found = [_hum_at(piece - piece.mean(), hz, sample_rate) for hz in (50, 60)]
    return max((hum for hum in found if hum), key=lambda hum: hum.level_db, default=None)


def rings_long(blips: Samples, sample_rate: int, *, noise: float) -> bool:
    """Tell whether the answer to blips, of shape (frames,), still sounds after a quarter of a second: echo, reverb."""
    frames = blip_frames(sample_rate)
    whole = late = 0.0
    for frame in frames:
        answer = np.square(blips[frame : frame + frames[0] * 2], dtype=np.float64)
        whole += float(answer.sum()) - noise * len(answer)
        answer = answer[int(_LONG_SECONDS * sample_rate) :]
        late += float(answer.sum()) - noise * len(answer)
    return late > max(_LONG_SHARE * whole, noise * sample_rate * _LONG_SECONDS)


def _spans(is_silent: NDArray[np.bool_], window: int, sample_rate: int) -> tuple[tuple[int, int], ...]:
    settling = int(_SETTLING_SECONDS * sample_rate)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_silent.astype(np.int8), [0]])))
    spans = []
    for start, stop in zip(edges[::2] * window, edges[1::2] * window, strict=True):
        begin = int(start) + (settling if start else window // 2)
        if begin + window <= stop:
            spans.append((begin, int(stop)))
    return tuple(spans)


def _unexplained(dry: list[Samples], wet: list[Samples]) -> float:
    """Return the share of the wet's energy that no linear filter makes of the dry, over pieces of one length."""
    size = min(512, len(dry[0]))
    joined = np.concatenate(dry).astype(np.float64), np.concatenate(wet).astype(np.float64)
    settings = {"nperseg": size, "noverlap": size // 2}
    _, cross = signal.csd(*joined, **settings)
    _, one = signal.welch(joined[0], **settings)
    _, other = signal.welch(joined[1], **settings)
    averages = max(2 * len(joined[0]) // size - 1, 2)
    coherence = np.abs(cross) ** 2 / (one * other + 1e-40)
    coherence = np.clip((coherence - 1 / averages) / (1 - 1 / averages), 0, 1)  # chance alone shows 1 / averages
    return float(np.sum(other * (1 - coherence)) / (np.sum(other) + 1e-40))


def _hum_at(piece: NDArray[np.float64], hz: int, sample_rate: int) -> Hum | None:
    window = signal.windows.hann(len(piece), sym=False)
    power = np.abs(np.fft.rfft(piece * window)) ** 2 / np.sum(window**2) / len(piece) * 2
    bin_hz = sample_rate / len(piece)
    excess, clear, sure = 0.0, 0, False
    for number in range(1, _HARMONICS + 1):
        centre = number * hz / bin_hz
        if number * hz > 0.45 * sample_rate:
            break
        bins = np.arange(max(int(centre - 9), 1), int(centre + 10))
        apart = np.abs(bins - centre)
        near, around = power[bins[apart <= 2]], power[bins[(apart > 3) & (apart < 9)]]
        between = float(np.median(around)) / np.log(2)  # the median of exponential powers, to their mean
        ratio = float(near.max()) / (between + 1e-30)
        if ratio > _CLEAR_HARMONIC:
            clear += 1
            sure |= ratio > _SURE_HARMONIC
            excess += max(float(near.sum()) - between * len(near), 0.0)
    return Hum(hz=hz, level_db=decibels(excess)) if (sure and clear >= 1) or clear >= 3 else None
