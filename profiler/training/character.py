"""The character of gear: whether its sound is a gain that follows the level, and which knobs takes say little of."""

from collections.abc import Sequence

import numpy as np

from profiler.knob import Knob
from profiler.training.examples import Examples

__all__ = ["is_dynamics", "left_by_gains", "sparse_positions"]

_WINDOW_FRAMES = 960
_SHORTEST_FRAMES = 24_000
# What moving and staying gains leave, measured: compressors .0004 and .013, .042 and .34; a gate .0002 and .001; soft
# clippers half as much with moving as with staying ones, .006 and .010; pedals and amps .13 to .75 either way.
_MOST_LEFT = 0.1
_LEAST_LEFT = 5e-4
_TIMES = 3.0
_FEW_PLACES = 2


def is_dynamics(examples: Examples) -> bool:
    """Return whether a gain that changes every 20 ms explains the wet, and far better than one that stays.

    A compressor is such gear; a distortion leaves its harmonics over, and a filter leaves as much either way.
    """
    moving, staying = left_by_gains(examples)
    return moving < _MOST_LEFT and staying > max(_TIMES * moving, _LEAST_LEFT)


def left_by_gains(examples: Examples) -> tuple[float, float]:
    """Return the ESR that a gain for every 20 ms leaves of the wet, and that one gain for each setting leaves."""
    moving = staying = energy = 0.0
    for segment in examples.calm_stretches:
        if segment.frames < _SHORTEST_FRAMES:
            continue
        whole = segment.frames - segment.frames % _WINDOW_FRAMES
        dry, wet = (each[:whole].astype(np.float64).reshape(-1, _WINDOW_FRAMES) for each in (segment.dry, segment.wet))
        both, own = np.sum(dry * wet, axis=1), np.sum(dry * dry, axis=1) + 1e-12
        power = float(np.sum(wet * wet))
        moving += power - float(np.sum(both**2 / own))
        staying += power - float(both.sum() ** 2 / own.sum())
        energy += power
    return moving / (energy + 1e-12), staying / (energy + 1e-12)


def sparse_positions(knobs: Sequence[Knob], examples: Examples) -> list[int]:
    """Return which positions belong to knobs that were recorded at two places at most; switches have no between."""
    sparse, column = [], 0
    for knob in knobs:
        if not knob.choices and len(np.unique(examples.positions[:, column].round(3))) <= _FEW_PLACES:
            sparse.append(column)
        column += knob.width
    return sparse
