"""The turning order: in which order settings are recorded, so that as little as possible is turned between takes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from profiler.knob import Knob, KnobSettings, default_settings, positions_of

__all__ = ["in_turning_order", "turning_cost"]

_REACHING = 1.0
"""Reaching for a knob at all costs as much as turning one all the way: hands are slow and pots have backlash."""


def in_turning_order(
    knobs: Sequence[Knob], settings: Sequence[KnobSettings], *, start: KnobSettings | None = None
) -> list[KnobSettings]:
    """Return the settings on a short path from where the knobs stand at the start, their defaults unless told.

    The nearest neighbour each time, then the path is untangled by 2-opt (Croes 1958): never longer than it was.
    """
    if len(settings) < 2:
        return list(settings)
    cost = _costs(knobs, [start or default_settings(knobs), *settings])
    path = _untangled(_nearest_neighbours(cost), cost)
    return [settings[number - 1] for number in path[1:]]


def turning_cost(knobs: Sequence[Knob], one: KnobSettings, other: KnobSettings) -> float:
    """Return what it takes to turn the knobs from one setting to another: a reach a knob, and the way it travels."""
    return float(_costs(knobs, [one, other])[0, 1])


def _costs(knobs: Sequence[Knob], settings: Sequence[KnobSettings]) -> NDArray[np.float64]:
    """Return the cost from every setting to every other, of shape (settings, settings)."""
    cost = np.zeros((len(settings), len(settings)))
    for knob in knobs:
        at = np.stack([positions_of((knob,), each) for each in settings]).astype(np.float64)
        travel = np.abs(at[:, None] - at[None]).max(axis=2)
        cost += travel + _REACHING * (travel > 0)
    return cost


def _nearest_neighbours(cost: NDArray[np.float64]) -> list[int]:
    path = [0]
    left = set(range(1, len(cost)))
    while left:
        path.append(min(left, key=lambda number: (cost[path[-1], number], number)))
        left.remove(path[-1])
    return path


def _untangled(path: list[int], cost: NDArray[np.float64]) -> list[int]:
    """Turn stretches of the path round as long as that makes it shorter; it starts where it did."""
    improved = True
    while improved:
        improved = False
        for first in range(1, len(path) - 1):
            before = path[first - 1]
            for last in range(first + 1, len(path)):
                after = path[last + 1] if last + 1 < len(path) else None
                now = cost[before, path[first]] + (cost[path[last], after] if after is not None else 0)
                turned = cost[before, path[last]] + (cost[path[first], after] if after is not None else 0)
                if turned < now - 1e-9:
                    path[first : last + 1] = path[first : last + 1][::-1]
                    improved = True
    return path
