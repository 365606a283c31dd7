"""How many knobs a hand turns for a plan of takes, for one to six knobs.

    python benchmarks/turning_order.py

Every row is a plan of as many captures as `tonecast` makes for so many knobs from 0 to 10. `thought of` is the order in
which settings are chosen, `ordered` the turning order; `+ Or-opt` (up to three knobs) moves stretches
of it elsewhere as long as that helps, which the turning order leaves out. On the right the same with knobs at round
values only, as `capture.hands` plans. `hole` is how far the worst place of the knobs' cube is from the nearest setting,
in whole ways of a knob.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from capture.hands import turned, with_dials
from capture.plan import capture_count
from capture.spread import spread_settings
from capture.turning_order import in_turning_order, turning_cost
from profiler.knob import Knob, KnobSettings, default_settings, positions_of

PLACES = 4096
STRETCHES = (1, 2, 3)


def moves(path: Sequence[KnobSettings]) -> int:
    """Return how many knobs are turned along a path, all of them for its first settings."""
    return sum(len(turned(one, other)) for one, other in itertools.pairwise([None, *path]))


def or_opt(knobs: Sequence[Knob], path: list[KnobSettings]) -> list[KnobSettings]:
    """Return the path with stretches of one to three settings put where they cost least, turned round if need be."""
    start = default_settings(knobs)

    def cost(way: Sequence[KnobSettings]) -> float:
        return sum(turning_cost(knobs, one, other) for one, other in itertools.pairwise([start, *way]))

    best, improved = cost(path), True
    while improved:
        improved = False
        for length, first in itertools.product(STRETCHES, range(len(path))):
            stretch, rest = path[first : first + length], path[:first] + path[first + length :]
            tried = [rest[:at] + way + rest[at:] for at in range(len(rest) + 1) for way in (stretch, stretch[::-1])]
            costs = [cost(way) for way in tried]
            if min(costs) < best - 1e-9:
                best, path, improved = min(costs), tried[int(np.argmin(costs))], True
    return path


def hole(knobs: Sequence[Knob], settings: Sequence[KnobSettings]) -> float:
    """Return how far the worst of many places is from the nearest setting."""
    stand = np.stack([positions_of(knobs, each) for each in settings])
    places = np.random.default_rng(0).uniform(size=(PLACES, len(knobs)))
    return max(float(np.linalg.norm(stand - place, axis=1).min()) for place in places)


def main() -> None:
    """Print the table."""
    print("knobs  takes |  thought of  ordered  + Or-opt   hole |  round: thought of  ordered  + Or-opt   hole")
    for count in range(1, 7):
        plain = tuple(Knob(id=f"k{number}", name="k", maximum=10.0, default=5.0) for number in range(count))
        cells = []
        for knobs in (plain, with_dials(plain)):
            settings = spread_settings(knobs, capture_count(knobs))
            ordered = in_turning_order(knobs, settings)
            shorter = moves(or_opt(knobs, ordered)) if count <= 3 else None
            cells += [moves(settings), moves(ordered), "-" if shorter is None else shorter, hole(knobs, settings)]
        one, two, three, four, five, six, seven, eight = cells
        print(
            f"{count:5}  {capture_count(plain):5} |  {one:10}  {two:7}  {three:>8}  {four:5.2f} |"
            f"  {five:17}  {six:7}  {seven:>8}  {eight:5.2f}"
        )


if __name__ == "__main__":
    main()
