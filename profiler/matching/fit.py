"""Fitting knobs: steps of Gauss and Newton, held back where they would lead too far (Levenberg 1944; Marquardt 1963).

Gradients go through the effect by differences, so any kind of effect will do: knobs moved a little, one at a time, are
played at once, and so are steps held back by different amounts, of which the best is taken.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from profiler.matching.ear import Ear, Vector

__all__ = ["Place", "fitted"]

_KNOB_STEP, _LAG_STEP = 0.01, 0.05
_HOLDS = (1e-3, 3e-2, 1.0)
_ENOUGH = 1e-3
_RISE, _LEAST_RISE = 0.1, 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Where knobs stand, (knobs,) from 0 to 1, by how many frames the wet is late beyond what is known, the ESR there.

    `give` is how far each knob can be turned, the others following, before that is heard as a tenth more error.
    """

    at: Vector
    lag: float
    esr: float
    give: Vector


def fitted(ear: Ear, start: Place, most_steps: int, stopped: Callable[[], bool]) -> Place:
    """Follow the continuous knobs and the lag from a rough place down to the least error. Switches stay."""
    turned = [number for number, knob in enumerate(ear.knobs) if not knob.choices]
    at, lag = start.at.astype(np.float64).copy(), start.lag
    give = np.ones(len(at))
    esr = np.inf
    for _ in range(most_steps):
        beside, slopes = _slopes(ear, at, lag, turned)
        esr = float(beside @ beside)
        give[turned] = _give(slopes, esr)[:-1]
        if stopped():
            break
        tried, lags = _steps(at, lag, turned, beside, slopes, ear.reach)
        errors = [
            float(np.square(ear.left(row[None], late)).sum()) for row, late in zip(ear.heard(tried), lags, strict=True)
        ]
        best = int(np.argmin(errors))
        if errors[best] > esr * (1 - _ENOUGH):
            break
        at, lag, esr = tried[best], lags[best], errors[best]
    return Place(at=at, lag=lag, esr=esr, give=give)


def _slopes(ear: Ear, at: Vector, lag: float, turned: list[int]) -> tuple[Vector, Vector]:
    """Return what is left, (frames,), and how it changes with each knob and with the lag, (frames, turned + 1)."""
    places = np.repeat(at[None], len(turned) + 1, axis=0)
    steps = np.where(at < 0.5, _KNOB_STEP, -_KNOB_STEP)
    for row, number in enumerate(turned):
        places[row + 1, number] += steps[number]
    played = ear.heard(places)
    left = ear.left(played, lag)
    later = ear.left(played[:1], lag + _LAG_STEP)[0]
    columns = [(left[row + 1] - left[0]) / steps[number] for row, number in enumerate(turned)]
    return left[0], np.stack([*columns, (later - left[0]) / _LAG_STEP], axis=1)


def _steps(
    at: Vector, lag: float, turned: list[int], beside: Vector, slopes: Vector, reach: int
) -> tuple[Vector, list[float]]:
    """Return where steps held back by different amounts lead: places (steps, knobs), and lags."""
    bend, slope = slopes.T @ slopes, slopes.T @ beside
    places, lags = np.repeat(at[None], len(_HOLDS), axis=0), []
    for row, hold in enumerate(_HOLDS):
        step = -_solved(bend, slope, hold, at, turned)
        places[row, turned] = np.clip(at[turned] + step[:-1], 0.0, 1.0)
        lags.append(float(np.clip(lag + step[-1], -reach, reach)))
    return places, lags


def _solved(bend: Vector, slope: Vector, hold: float, at: Vector, turned: list[int]) -> Vector:
    """Return a step against the slope. A knob that stands at its end and would go beyond it stays there."""
    free = np.ones(len(slope), np.bool_)
    step = np.zeros(len(slope))
    for _ in range(len(slope)):
        held = bend[np.ix_(free, free)] + hold * np.diag(np.diag(bend)[free] + 1e-12)
        step[:] = 0.0
        step[free] = np.linalg.solve(held, slope[free])
        beyond = [
            row
            for row, number in enumerate(turned)
            if free[row] and ((at[number] <= 0 and step[row] > 0) or (at[number] >= 1 and step[row] < 0))
        ]
        if not beyond:
            break
        free[beyond] = False
    return step


def _give(slopes: Vector, esr: float) -> Vector:
    """Return how far each can be moved, the others following, before the error rises by a tenth; one at most."""
    inverse = np.linalg.pinv(slopes.T @ slopes, hermitian=True)
    return np.minimum(np.sqrt(max(_RISE * esr, _LEAST_RISE) * np.maximum(np.diag(inverse), 0.0)), 1.0)
