"""Timing: how a recording runs against its dry signal over its whole length: lateness, clock drift, wander."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from profiler.lateness import CLEAR, SPREAD_SECONDS, correlation_within
from profiler.recording import Recording
from profiler.transfer import Spectrum, Transfer, fine_lateness
from profiler.varispeed import read_along
from profiler.whereabouts import find_passage

__all__ = ["Timing", "measure_timing"]

_WINDOW_SECONDS = 1.0
_WINDOWS = 32
_QUIET_DB = 30.0
_DRIFT_REACH = 400e-6  # further than any two clocks are apart; tape machines go beyond and are told as wander
_FAR_CLEARER = 2.5
_CLEAR_OF_REST = 1.5
_LEAST_JUMP_FRAMES = 3.0
_LEAST_SIDE = 3
_LOOSEST = 1.5
_LONGEST_JUMP_FRAMES = 1200
_LEAST_REACH = 48
_LEAST_WINDOWS = 6
_ROUNDS = 8
_SURE = 4.0  # standard errors
# Strays over their error: up to 1.5 for gear of all kinds, 6 and more for tape and for clocks that are regulated.
_STRAYS = 3.0
_LEAST_ERROR = 0.02


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How a wet runs against its dry: dry frame n is found at wet frame n + frames + n * drift_ppm / 1e6.

    `frames` may have a fraction, known to `uncertainty_frames` (see `Lateness`). `drift_ppm` is 0 when none was found
    beyond `drift_error_ppm`, which is infinite for takes too short to tell. `wander_frames` is by how much the
    recording surely leaves that straight line, 0 when it stays on it as far as can be told; `jump_second` is where it
    does so all at once. `is_spread` says that the sound has no single arrival. `clearness` below `CLEAR` means that
    wet and dry have nothing in common. `strays` are the frames by which windows, from first to last, come later than
    most of them do.
    """

    frames: float
    polarity: Literal[-1, 1]
    clearness: float
    uncertainty_frames: float
    drift_ppm: float = 0.0
    drift_error_ppm: float = math.inf
    wander_frames: float = 0.0
    jump_second: float | None = None
    is_spread: bool = False
    strays: tuple[float, ...] = ()

    @property
    def is_clear(self) -> bool:
        """Whether the wet follows the dry."""
        return self.clearness >= CLEAR

    @property
    def spread_frames(self) -> float:
        """The range in which the latency surely strays, 0 when it stands still as far as can be told."""
        if self.drift_ppm == 0 and self.wander_frames == 0 and self.jump_second is None:
            return 0.0
        return float(np.ptp(np.quantile(self.strays, (0.05, 0.95))))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Line:
    """A straight line of lag over time, `start` at dry frame 0, and the windows it was laid through."""

    start: float
    slope: float
    slope_error: float
    at: NDArray[np.float64]
    left: NDArray[np.float64]


def measure_timing(dry: Recording, wet: Recording, sample_rate: int) -> Timing:
    """Return how `wet` runs against `dry`, whatever their lengths and however far they lie apart.

    The loudest passage of the dry is looked for in the wet, nearby first. From there the lag is followed window by
    window to both ends, and a straight line laid through it. Then every window is read along that line and compared
    with what all windows say together, which leaves the gear's own filtering out of what is followed.
    """
    anchor, match = find_passage(dry, wet, sample_rate)
    if match.clearness < CLEAR or match.is_spread:
        return Timing(
            frames=float(match.frames),
            polarity=match.polarity,
            clearness=match.clearness,
            uncertainty_frames=SPREAD_SECONDS * sample_rate if match.is_spread else math.inf,
            is_spread=match.is_spread,
        )
    size = 1 << round(math.log2(_WINDOW_SECONDS * sample_rate))
    first, last = _overlap(dry, wet, lag=match.frames, size=size)
    # In a wet begun or broken off by hand the middle of the passage need not sound.
    anchor = min(max(anchor, first), last) if first < last else anchor
    centres = _centres(dry, anchor=anchor, first=first, last=last, size=size)
    follow = partial(_followed, dry, wet, centres, anchor=anchor, lag=match.frames, size=size)
    line = follow(least_reach=_LEAST_REACH)
    for _ in range(2):  # the second time along the better line: drift inside a window blurs it
        spectra = _Windows.read(dry, wet, line, size=size)
        line = spectra.corrected()
        if spectra.start == round(spectra.start):
            break
    rest, uncertainty = fine_lateness(spectra.transfer)
    drifts = abs(line.slope) > _SURE * line.slope_error and abs(line.slope) * dry.frames > 0.25
    middle = 0.0 if drifts else float(np.median(line.at)) * line.slope
    wander = _wander(line, spectra)
    further = follow(least_reach=_LONGEST_JUMP_FRAMES, only_clear=True)
    if (jump := _jump(further, sample_rate)) is not None:
        wander = max(wander, float(np.quantile(np.abs(further.left), 0.75)))
    return Timing(
        frames=line.start + middle + rest,
        polarity=match.polarity,
        clearness=match.clearness,
        uncertainty_frames=uncertainty,
        drift_ppm=line.slope * 1e6 if drifts else 0.0,
        drift_error_ppm=line.slope_error * 1e6,
        wander_frames=wander,
        jump_second=jump,
        strays=_about_most(further if jump is not None else line),
    )


def _about_most(line: _Line) -> tuple[float, ...]:
    """Return by how many frames each window comes later than most, in the order in which they play."""
    lags = (line.left + line.slope * line.at)[np.argsort(line.at)]
    return tuple(float(each) for each in lags - np.median(lags))


def _overlap(dry: Recording, wet: Recording, *, lag: int, size: int) -> tuple[int, int]:
    """Return the first and the last middle that a window has in which both play, the last first when there is none."""
    return max(0, -lag) + size // 2, min(dry.frames, wet.frames - lag) - size // 2


def _centres(dry: Recording, *, anchor: int, first: int, last: int, size: int) -> list[int]:
    """Return the middles of windows in which dry and wet both play, those nearest the anchor first.

    They are even over the whole length, and closer about the anchor, so that each step further knows the drift well.
    """
    if last <= first:
        return [anchor]
    even = np.linspace(first, last, max(2, min(_WINDOWS, 2 * (last - first) // size)))
    around = [anchor + sign * size * 2.0**power for power in range(24) for sign in (-1, 1)]
    wanted = sorted({int(each) for each in (*even, *around) if first <= each <= last}, key=lambda at: abs(at - anchor))
    level = {at: float(np.mean(np.square(dry.read(at - size // 2, size), dtype=np.float64))) for at in wanted}
    least = max(level.values(), default=0.0) * 10 ** (-_QUIET_DB / 10)
    return [at for at in wanted if level[at] > least] or [anchor]


def _followed(  # noqa: PLR0913 - a step that is tried twice, with another reach
    dry: Recording,
    wet: Recording,
    centres: Sequence[int],
    *,
    anchor: int,
    lag: int,
    size: int,
    least_reach: int,
    only_clear: bool = False,
) -> _Line:
    """Follow the lag from window to window and lay a line through it."""
    at, lags = [float(anchor)], [float(lag)]
    for centre in centres:
        known = np.asarray(at)
        slope = _line(known, np.asarray(lags)).slope if len(at) > _LEAST_WINDOWS else 0.0
        nearest = int(np.argmin(np.abs(known - centre)))
        expected = round(lags[nearest] + slope * (centre - at[nearest]))
        reach = least_reach + int(_DRIFT_REACH * abs(centre - at[nearest]))
        one = dry.read(centre - size // 2, size).astype(np.float64)
        other = wet.read(centre - size // 2 + expected - reach, size + 2 * reach).astype(np.float64)
        found = np.abs(correlation_within(one, other, reach=reach, offset=reach))
        best = _nearest_peak(found, reach)
        if only_clear and not _is_clear(found, best + reach):
            continue
        at.append(float(centre))
        lags.append(float(expected + best))
    return _line(np.asarray(at), np.asarray(lags))


def _is_clear(found: Spectrum, place: int) -> bool:
    """Return whether a peak stands above all that is not near it."""
    rest = np.concatenate([found[: max(place - _LEAST_REACH, 0)], found[place + _LEAST_REACH :]])
    return bool(found[place] > _CLEAR_OF_REST * rest.max(initial=0.0))


def _nearest_peak(found: Spectrum, reach: int) -> int:
    """Return the lag, from -reach to reach, of the highest peak: one near 0, unless one elsewhere is far clearer.

    In a long note that dies away peaks stand everywhere, and nearly as high as the right one.
    """
    near = found[max(reach - _LEAST_REACH, 0) : reach + _LEAST_REACH + 1]
    if found.max() > _FAR_CLEARER * near.max():
        return int(np.argmax(found)) - reach
    return int(np.argmax(near)) + max(reach - _LEAST_REACH, 0) - reach


def _line(at: NDArray[np.float64], lags: NDArray[np.float64]) -> _Line:
    """Lay a straight line through lags, windows that stray counting less and less (Huber's weights)."""
    if len(at) < _LEAST_WINDOWS:
        start = float(np.median(lags))
        return _Line(start=start, slope=0.0, slope_error=math.inf, at=at, left=lags - start)
    middle = float(np.mean(at))
    start, slope = float(np.median(lags)), _typical_slope(at, lags)
    start = float(np.median(lags - slope * (at - middle)))
    weights = np.ones(len(at))
    for _ in range(_ROUNDS):
        left = lags - start - slope * (at - middle)
        spread = 1.4826 * float(np.median(np.abs(left))) + 1e-3
        weights = 1 / np.maximum(np.abs(left) / (1.5 * spread), 1.0)
        slope, start = (float(each) for each in np.polyfit(at - middle, lags, 1, w=np.sqrt(weights)))
    left = lags - start - slope * (at - middle)
    spread = math.sqrt(float(np.sum(weights * left**2) / np.sum(weights))) + 1e-3
    error = spread / math.sqrt(float(np.sum(weights * (at - middle) ** 2)))
    return _Line(start=start - slope * middle, slope=slope, slope_error=error, at=at, left=left)


def _typical_slope(at: NDArray[np.float64], lags: NDArray[np.float64]) -> float:
    """Return the median of the slopes between all pairs of windows (Theil 1950, Sen 1968)."""
    one, other = np.triu_indices(len(at), 1)
    apart = at[other] - at[one]
    far = np.abs(apart) > 0.2 * np.ptp(at)
    return float(np.median((lags[other] - lags[one])[far] / apart[far])) if far.any() else 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Windows:
    """Windows read along a line: their middles, what all say together, and how each differs from that in frames."""

    at: NDArray[np.float64]
    left: NDArray[np.float64]
    error: NDArray[np.float64]
    transfer: Transfer
    start: float
    slope: float

    @classmethod
    def read(cls, dry: Recording, wet: Recording, line: _Line, *, size: int) -> "_Windows":
        crosses, transfers = [], []
        still = abs(line.slope) * np.ptp(line.at) < 1
        lag, slope = (
            (float(round(float(np.median(line.start + line.slope * line.at)))), 0.0)
            if still
            else (line.start, line.slope)
        )
        taper = np.hanning(size)
        for centre in line.at:
            start = int(centre) - size // 2
            one = dry.read(start, size).astype(np.float64)
            along = read_along(wet, start=start + lag + slope * start, step=1 + slope, frames=size)
            other = np.concatenate(list(along)).astype(np.float64)
            transfers.append(Transfer.of(one, other))
            crosses.append(fft.rfft(other * taper) * np.conj(fft.rfft(one * taper)))
        total = transfers[0]
        for each in transfers[1:]:
            total = total + each
        # Windows lie closely about the anchor, and what two of them share tells no more than once.
        apart = float(np.minimum(np.diff(np.sort(line.at)), size).sum()) + size
        total = replace(total, windows=total.windows * apart / (size * len(line.at)))
        template = np.sum(crosses, axis=0)
        left, error = np.asarray([_apart(cross, template, total, size) for cross in crosses]).T
        return cls(at=line.at, left=left, error=error, transfer=total, start=lag, slope=slope)

    def corrected(self) -> _Line:
        """Return the line laid anew through what the windows say."""
        return _line(self.at, self.start + self.slope * self.at + self.left)


def _apart(
    cross: NDArray[np.complex128], template: NDArray[np.complex128], transfer: Transfer, size: int
) -> tuple[float, float]:
    """Return by how many frames one window comes later than the template does, and how well that is known."""
    bins = np.linspace(0, 1, len(cross))
    coherence = np.interp(bins, np.linspace(0, 1, len(transfer.coherence)), transfer.coherence)
    both = cross * np.conj(template)
    level = np.abs(both)
    weighted = coherence**2 * both / (level + 1e-3 * level.mean() + 1e-30) ** 0.8
    match = fft.irfft(weighted, size)
    reach = _LEAST_REACH
    near = np.concatenate([match[-reach:], match[: reach + 1]])
    whole = int(np.argmax(near)) - reach
    # Between frames the peak of a band-limited correlation is found by evaluating it there.
    parts = np.arange(-8, 9) / 8
    turn = np.exp(2j * np.pi * np.outer(np.arange(len(cross)) / size, whole + parts))
    height = np.real(weighted @ turn)
    best = int(np.clip(np.argmax(height), 1, len(height) - 2))
    before, peak, after = height[best - 1 : best + 2]
    bend = before - 2 * peak + after
    apart = whole + float(parts[best]) + (float(0.5 * (before - after) / bend) / 8 if bend else 0.0)
    # How far the phases scatter about the peak tells how well its place is known (Cramer and Rao's bound).
    share = np.abs(weighted)
    total = float(share.sum()) + 1e-30
    scatter = math.sqrt(-2 * math.log(min(max(float(peak) / total, 1e-3), 0.9999)))
    width = math.sqrt(float(np.sum(share * (np.arange(len(share)) / size) ** 2)) / total) + 1e-9
    independent = total**2 / (float(np.sum(share**2)) + 1e-30)
    return apart, scatter / (2 * math.pi * width * math.sqrt(independent)) + _LEAST_ERROR


def _wander(line: _Line, windows: _Windows) -> float:
    """Return by how many frames the lag strays from the line, if far more than each window's lag is unsure."""
    if len(line.left) < _LEAST_WINDOWS:
        return 0.0
    strays = np.abs(line.left)
    return 1.4826 * float(np.median(strays)) if float(np.median(strays / windows.error)) > _STRAYS else 0.0


def _jump(line: _Line, sample_rate: int) -> float | None:
    """Return the second at which the lag changes at once, when two levels fit it far better than a line does."""
    order = np.argsort(line.at)
    lags = (line.left + line.slope * line.at)[order]
    if len(lags) < _LEAST_WINDOWS:
        return None
    cuts = range(_LEAST_SIDE, len(lags) - _LEAST_SIDE + 1)
    costs = [_strays(lags[:cut]) + _strays(lags[cut:]) for cut in cuts]
    best = int(np.argmin(costs))
    before, after = lags[: best + _LEAST_SIDE], lags[best + _LEAST_SIDE :]
    height = abs(float(np.median(after) - np.median(before)))
    # Both sides must agree among themselves: windows that found nothing are anywhere.
    loose = max(_strays(side) / len(side) for side in (before, after))
    if height < _LEAST_JUMP_FRAMES or loose > _LOOSEST or costs[best] > 0.3 * float(np.sum(np.abs(line.left))):
        return None
    return float(np.mean(line.at[order][best + _LEAST_SIDE - 1 : best + _LEAST_SIDE + 1]) / sample_rate)


def _strays(lags: NDArray[np.float64]) -> float:
    return float(np.sum(np.abs(lags - np.median(lags))))
