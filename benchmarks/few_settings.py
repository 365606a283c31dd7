"""Which few settings to capture: corners first, points that fill the space, or Latin squares, which spread each knob.

    python benchmarks/few_settings.py --work DIR [--gear jcm800pre,ts9] [--cells latin-6,corners-8] [--steps 1200]
    python benchmarks/few_settings.py --table

Each gear is captured at so few settings, learnt in so many steps, and scored at twelve settings that were drawn at
random and never recorded. WORK keeps captures and profiles; the results are kept beside this script.

corners-6   corners of the knob space first, then each setting as far from all others as can be
sequence-6  the first points of Roberts' R sequence, none of them at the end of a knob's way
latin-6     each knob at six places, both ends among them, paired so that no two settings are near each other
plan-6      what `tonecast capture plugin --captures 6` records: the middles of six parts of each way
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cells
import numpy as np
from more_settings import TURNED, learnt, recorded, shown, unseen
from numpy.typing import NDArray

from capture.plan import PlannedTake, fixed_plan
from capture.spread import evenly_placed
from profiler.knob import Knob, KnobSettings
from profiler.session_folder import SessionFolder

_SECONDS = 10
_TRIALS = 20_000


def main() -> int:
    """Measure the cells that are missing and print the table."""
    asked = ",".join(f"{arm}-{count}" for count in (6, 8, 12) for arm in ARMS)
    parser = cells.parser(__doc__, results="few_settings.json", cells=asked, gear=TURNED)
    parser.add_argument("--steps", type=int, default=1200)
    return cells.run(parser, _measure, lambda kept, _: _table(kept), needs_data=False)


def _measure(options: argparse.Namespace) -> None:
    seeds, gear, asked = (getattr(options, each).split(",") for each in ("seeds", "gear", "cells"))
    for seed, name, cell in itertools.product(map(int, seeds), gear, asked):
        arm, _, count = cell.partition("-")
        key = f"{name} {cell} {options.steps} steps seed {seed}"
        if cells.unkept(options, key):
            told = cells.stamped(gear=name, arm=arm, captures=int(count), steps=options.steps, seed=seed)
            told |= _measured(options.work / name, name, cell, options.steps, seed)
            cells.keep(options, key, told)
            print(f"{key}: median setting {told['esr_median']:.4f}, worst {told['esr_worst']:.4f}", flush=True)


def _measured(work: Path, name: str, cell: str, steps: int, seed: int) -> dict[str, Any]:
    arm, _, count = cell.partition("-")
    words = [word for knob in TURNED[name].knobs for word in ("--knob", knob)]
    start = work / "start"
    cells.tonecast("capture", "plugin", TURNED[name].plugin, "--out", start, "--captures", 1, *words)
    session = SessionFolder.open(start).session
    settings = ARMS[arm](session.knobs, int(count))
    folder = work / cell
    if not folder.is_dir():
        SessionFolder.create(folder, replace(session, dries=(), takes=()))
    recorded(SessionFolder.open(folder), _takes(settings))
    profile = learnt(folder, work / f"{cell}-{steps}-seed-{seed}.tonecast", steps, seed)
    score = cells.tonecast("evaluate", profile, "--session", unseen(start, work / "unseen"))
    rows = [{"knobs": row["knobs"], "esr": row["esr"]} for row in score["takes"]]
    return {"settings": settings, **{each: score[each] for each in ("esr", "esr_median", "esr_worst")}, "unseen": rows}


def _takes(settings: Sequence[KnobSettings]) -> list[PlannedTake]:
    """Return takes at settings as a plan has them: the first whole, the others brief."""
    first = PlannedTake(number=0, form="short", seed=0, settings=settings[0])
    return [first] + [
        PlannedTake(number=number, form="brief", seed=number, seconds=_SECONDS, settings=each)
        for number, each in enumerate(settings[1:], start=1)
    ]


def _corners(knobs: Sequence[Knob], count: int) -> list[KnobSettings]:
    corners = list(itertools.product((0.0, 1.0), repeat=len(knobs)))[:count]
    pool = np.random.default_rng(0).random((2048, len(knobs)))
    points = [np.asarray(each) for each in corners]
    while len(points) < count:
        distance = np.linalg.norm(pool[:, None] - np.asarray(points)[None], axis=2).min(axis=1)
        points.append(pool[distance.argmax()])
    return _settings(knobs, np.asarray(points))


def _latin(knobs: Sequence[Knob], count: int) -> list[KnobSettings]:
    rng = np.random.default_rng(0)
    places = np.linspace(0, 1, count)
    trials = (np.stack([rng.permutation(places) for _ in knobs], axis=1) for _ in range(_TRIALS))
    return _settings(knobs, max(trials, key=_least_distance))


def _least_distance(points: NDArray[np.float64]) -> float:
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    return float(apart[np.triu_indices(len(points), 1)].min())


def _planned(knobs: Sequence[Knob], count: int) -> list[KnobSettings]:
    return [take.settings or {} for take in fixed_plan(knobs, captures=count, held_out=0)]


def _settings(knobs: Sequence[Knob], points: NDArray[np.float64]) -> list[KnobSettings]:
    return [{knob.id: knob.value_at(float(at)) for knob, at in zip(knobs, point, strict=True)} for point in points]


ARMS: Mapping[str, Callable[[Sequence[Knob], int], list[KnobSettings]]] = {
    "corners": _corners,
    "sequence": evenly_placed,
    "latin": _latin,
    "plan": _planned,
}


def _table(kept: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table in Markdown: ESRs at the median and the worst unseen setting, means of logarithms over seeds."""
    lines = [f"| gear | captures | steps | seeds | {' | '.join(ARMS)} |", "|---" * (4 + len(ARMS)) + "|"]
    rows = dict.fromkeys(map(_row, kept.values()))
    for name, count, steps in rows:
        mine = [each for each in kept.values() if _row(each) == (name, count, steps)]
        columns = [shown([each for each in mine if each["arm"] == arm]) for arm in ARMS]
        seeds = len({each["seed"] for each in mine})
        lines.append(f"| {TURNED[name].title} | {count} | {steps} | {seeds} | {' | '.join(columns)} |")
    return "\n".join(lines)


def _row(cell: Mapping[str, Any]) -> tuple[str, int, int]:
    return cell["gear"], cell["captures"], cell["steps"]


if __name__ == "__main__":
    sys.exit(main())
