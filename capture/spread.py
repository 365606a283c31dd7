"""Spread: settings that fill the space of the knobs, to learn from, to hold out, and to choose among."""

import functools
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from profiler.knob import Knob, KnobSettings, positions_of

__all__ = ["corner_settings", "distances", "evenly_placed", "far_settings", "places", "spread_settings"]

_CANDIDATES = 2048
_DESIGNS = 500
_PLACES = 512  # that a design is judged by
_FEW_CORNERS = 2  # with fewer settings than so many times the corners, too little is left for what lies between
_MOST_CORNERS = 4  # knobs; further ones stand in the middle

Points = NDArray[np.float64]
"""Places of knobs from 0 to 1, of shape (settings, knobs)."""


def spread_settings(knobs: Sequence[Knob], count: int) -> list[KnobSettings]:
    """Return `count` settings to learn from: corners and what lies furthest from all, or where few, places between.

    For several knobs and fewer than twice their corners, every knob stands at that many places all along its way: a
    Latin hypercube (McKay, Beckman & Conover 1979), of many the one with the least distance from any place to the
    nearest setting. Of a preamp with three knobs, six corners left an ESR of 0.75 at the median setting and six
    such places 0.09; of thirty, with corners 0.006 and without 0.014, and the ends of the gain far off. No two are
    the same: switches and stepped knobs may have fewer settings than were asked for.
    """
    if not knobs:
        return [{} for _ in range(min(count, 1))]
    corners = corner_settings(knobs)
    few = len(knobs) > 1 and count < _FEW_CORNERS * len(corners)
    chosen = _different(_settings(knobs, _latin(count, len(knobs))) if few else corners[:count])
    return chosen + far_settings(knobs, count - len(chosen), beside=chosen)


def far_settings(knobs: Sequence[Knob], count: int, *, beside: Sequence[KnobSettings]) -> list[KnobSettings]:
    """Return up to `count` settings, each as far from all before it, and from those `beside`, as can be."""
    if not knobs:
        return []
    candidates = _different([*evenly_placed(knobs, _CANDIDATES), *corner_settings(knobs)])
    at = places(knobs, candidates)
    distance = distances(at, places(knobs, beside))
    chosen: list[KnobSettings] = []
    while len(chosen) < count and distance.max() > 0:
        furthest = int(distance.argmax())
        chosen.append(candidates[furthest])
        distance = np.minimum(distance, distances(at, at[furthest : furthest + 1]))
    return chosen


def corner_settings(knobs: Sequence[Knob]) -> list[KnobSettings]:
    """Return all combinations of the ends of up to four knobs, any others in the middle."""
    turned = min(len(knobs), _MOST_CORNERS)
    corners = np.asarray(list(itertools.product((0.0, 1.0), repeat=turned))).reshape(2**turned, turned)
    return _settings(knobs, np.pad(corners, ((0, 0), (0, len(knobs) - turned)), constant_values=0.5))


def evenly_placed(knobs: Sequence[Knob], count: int) -> list[KnobSettings]:
    """Return up to `count` settings that fill the space evenly, none at the ends of ranges and no two the same.

    They are the first points of Roberts' R sequence (2018).
    """
    golden = 2.0
    for _ in range(40):
        golden = (1 + golden) ** (1 / (len(knobs) + 1))
    steps = (1 / golden) ** np.arange(1, len(knobs) + 1)
    return _different(_settings(knobs, (0.5 + np.outer(np.arange(count), steps)) % 1))


def places(knobs: Sequence[Knob], settings: Sequence[KnobSettings]) -> Points:
    """Return settings as points, of shape (settings, width); two choices of a switch are 1 apart."""
    scale = np.concatenate([np.full(knob.width, np.sqrt(0.5) if knob.choices else 1.0) for knob in knobs])
    points = [positions_of(knobs, each).astype(np.float64) * scale for each in settings]
    return np.asarray(points).reshape(len(points), len(scale))


def distances(points: Points, others: Points) -> NDArray[np.float64]:
    """Return how far each point is from the nearest of the others, of shape (points,); infinite without others."""
    nearest = np.full(len(points), np.inf)
    for other in others:
        nearest = np.minimum(nearest, np.linalg.norm(points - other, axis=1))
    return nearest


@functools.cache
def _latin(count: int, width: int) -> Points:
    """Return the middles of `count` equal parts of each way, of many random pairings the one that any place is near."""
    rng = np.random.default_rng(0)
    middles = (np.arange(count) + 0.5) / count
    asked = rng.random((_PLACES, width))
    designs = (np.stack([rng.permutation(middles) for _ in range(width)], axis=1) for _ in range(_DESIGNS))
    return min(designs, key=lambda design: float(cdist(asked, design).min(axis=1).mean()))


def _settings(knobs: Sequence[Knob], points: Points) -> list[KnobSettings]:
    return [{knob.id: knob.value_at(float(at)) for knob, at in zip(knobs, point, strict=True)} for point in points]


def _different(settings: Sequence[KnobSettings]) -> list[KnobSettings]:
    """Return the settings without those that came before."""
    return list({repr(each): each for each in settings}.values())
