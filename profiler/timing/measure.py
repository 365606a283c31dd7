"""Timing: how a recording runs against its dry signal over its whole length: lateness, clock drift, wander."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profiler.recording import Recording
from profiler.timing.lag_line import LEAST_WINDOWS, LagLine, lay_line
from profiler.timing.lateness import CLEAR, SPREAD_SECONDS, correlation_within
from profiler.timing.transfer import Spectrum, fine_lateness
from profiler.timing.whereabouts import find_passage
from profiler.timing.windows import REACH, Windows

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
_SURE = 4.0  # standard errors
# Strays over their error: up to 1.5 for gear of all kinds, 6 and more for tape and for clocks that are regulated.
_STRAYS = 3.0
_GEARS_OWN_FRAMES = 2.0  # an amp whose supply sags 1.1, a preamp whose knobs move .6


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How a wet runs against its dry: dry frame n is found at wet frame n + frames + n * drift_ppm / 1e6.

    `frames` may have a fraction, known to `uncertainty_frames` (see `Lateness`). `polarity_clearness` is that of the
    `Match`. `drift_ppm` is 0 when none was found beyond `drift_error_ppm`, which is infinite for takes too short to
    tell. `wander_frames` is by how much the recording surely leaves that straight line, 0 when it stays on it as far as
    can be told; `jump_second` is where it does so all at once. `is_spread` says that the sound has no single arrival.
    `clearness` below `CLEAR` means that wet and dry have nothing in common. `strays` are the frames by which windows,
    from first to last, come later than most of them do.
    """

    frames: float
    polarity: Literal[-1, 1]
    clearness: float
    uncertainty_frames: float
    polarity_clearness: float = 1.0
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
            polarity_clearness=match.polarity_clearness,
            is_spread=match.is_spread,
        )
    size = 1 << round(math.log2(_WINDOW_SECONDS * sample_rate))
    first, last = _overlap(dry, wet, lag=match.frames, size=size)
    # In a wet begun or broken off by hand the middle of the passage need not sound.
    anchor = min(max(anchor, first), last) if first < last else anchor
    centres = _centres(dry, anchor=anchor, first=first, last=last, size=size)
    follow = partial(_followed, dry, wet, centres, anchor=anchor, lag=match.frames, size=size)
    line = follow(least_reach=REACH)
    for _ in range(2):  # the second time along the better line: drift inside a window blurs it
        spectra = Windows.read(dry, wet, line, size=size)
        line = spectra.corrected()
        if spectra.start == round(spectra.start):
            break
    rest, uncertainty = fine_lateness(spectra.transfer)
    drifts = abs(line.slope) > _SURE * line.slope_error and abs(line.slope) * dry.frames > 0.25
    middle = 0.0 if drifts else float(np.median(line.at)) * line.slope
    wander = _wander(line, spectra)
    further = follow(least_reach=_LONGEST_JUMP_FRAMES, only_clear=True)
    if (jump := _jump(further, line, sample_rate)) is not None:
        wander = max(wander, float(np.quantile(np.abs(further.left), 0.75)))
    return Timing(
        frames=line.start + middle + rest,
        polarity=match.polarity,
        clearness=match.clearness,
        uncertainty_frames=uncertainty,
        polarity_clearness=match.polarity_clearness,
        drift_ppm=line.slope * 1e6 if drifts else 0.0,
        drift_error_ppm=line.slope_error * 1e6,
        wander_frames=wander,
        jump_second=jump,
        strays=tuple(float(each) for each in (line if jump is None else further).strays),
    )


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
) -> LagLine:
    """Follow the lag from window to window and lay a line through it."""
    at, lags = [float(anchor)], [float(lag)]
    for centre in centres:
        known = np.asarray(at)
        slope = lay_line(known, np.asarray(lags)).slope if len(at) > LEAST_WINDOWS else 0.0
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
    return lay_line(np.asarray(at), np.asarray(lags))


def _is_clear(found: Spectrum, place: int) -> bool:
    """Return whether a peak stands above all that is not near it."""
    rest = np.concatenate([found[: max(place - REACH, 0)], found[place + REACH :]])
    return bool(found[place] > _CLEAR_OF_REST * rest.max(initial=0.0))


def _nearest_peak(found: Spectrum, reach: int) -> int:
    """Return the lag, from -reach to reach, of the highest peak: one near 0, unless one elsewhere is far clearer.

    In a long note that dies away peaks stand everywhere, and nearly as high as the right one.
    """
    near = found[max(reach - REACH, 0) : reach + REACH + 1]
    if found.max() > _FAR_CLEARER * near.max():
        return int(np.argmax(found)) - reach
    return int(np.argmax(near)) + max(reach - REACH, 0) - reach


def _wander(line: LagLine, windows: Windows) -> float:
    """Return by how much the lag strays from the line, if far more than each window's lag is unsure.

    A clock or a tape that wanders takes all bands with it. Where they stray from each other further than the whole does
    from the line, it is the gear, whose filters move with the level or with knobs that are turned: by a frame or so.
    """
    if len(line.left) < LEAST_WINDOWS:
        return 0.0
    strays = np.abs(line.left)
    usual = float(np.median(strays))
    bands = float(np.median(np.abs(windows.between_bands - np.median(windows.between_bands))))
    by_gear = usual < min(bands, _GEARS_OWN_FRAMES)
    return 1.4826 * usual if float(np.median(strays / windows.error)) > _STRAYS and not by_gear else 0.0


def _jump(followed: LagLine, along: LagLine, sample_rate: int) -> float | None:
    """Return the second at which the lag changes at once, when two levels fit it far better than a line does.

    Behind gear that clips one side of the wave harder the same sound matches half a cycle later the other way up, and
    nearly as well, so that what follows the dry seems to jump. It does not `along` the line, where windows are compared
    with what all say together, unless frames were lost.
    """
    lags = followed.lags
    if len(lags) < LEAST_WINDOWS:
        return None
    cuts = range(_LEAST_SIDE, len(lags) - _LEAST_SIDE + 1)
    costs = [_cost(lags[:cut]) + _cost(lags[cut:]) for cut in cuts]
    best = int(np.argmin(costs))
    cut = best + _LEAST_SIDE
    before, after = lags[:cut], lags[cut:]
    height = abs(float(np.median(after) - np.median(before)))
    # Both sides must agree among themselves: windows that found nothing are anywhere.
    loose = max(_cost(side) / len(side) for side in (before, after))
    if height < _LEAST_JUMP_FRAMES or loose > _LOOSEST or costs[best] > 0.3 * float(np.sum(np.abs(followed.left))):
        return None
    at = float(np.mean(followed.at[followed.order][cut - 1 : cut + 1]))
    return at / sample_rate if height >= REACH or _step(along, at) > height / 2 else None


def _step(line: LagLine, at: float) -> float:
    """Return by how many frames the lags after dry frame `at` differ from those before it."""
    is_before = line.at[line.order] < at
    if is_before.all() or not is_before.any():
        return 0.0
    return abs(float(np.median(line.lags[~is_before]) - np.median(line.lags[is_before])))


def _cost(lags: NDArray[np.float64]) -> float:
    return float(np.sum(np.abs(lags - np.median(lags))))
