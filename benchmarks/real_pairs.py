"""What training reaches on real dry/wet pairs with knobs, scored on playing and settings it never heard.

    python benchmarks/real_pairs.py --data DIR --json OUT [--budget 5m] [--seeds 0,1] [--sets ts9_pedal,gx_ts9]

DIR/pairs holds one folder a set, with a takes.csv. Each set is taken in, checked, trained once a seed by the command
line, as a user would do it, and scored. OUT keeps every cell as it is finished, and a run that was stopped goes on.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cells import tonecast

Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class PairSet:
    """A set of pairs: what is never learnt from, the target, and where the recordings come from.

    `learnt` picks the rows to train on, `scored` those to score on in a session of their own; without `scored` the
    score is on what was held out.
    """

    name: str
    target: float
    origin: str
    hold_out: Sequence[str] = ()
    knobs: Sequence[str] = ()
    learnt: Callable[[Row], bool] = field(default=lambda row: True)  # noqa: ARG005 - every row
    scored: Callable[[Row], bool] | None = None


SETS = (
    PairSet(
        name="ts9_pedal",
        target=0.03,
        origin="a real Ibanez TS9, one setting: kaehnd/GuitarLSTM (GPL-3.0)",
        hold_out=("time=last:0.2",),
    ),
    PairSet(
        name="panama_amp",
        target=0.05,
        origin="an amp plugin, 3 knobs: ETH-DISCO/neural_amp_modelling (MIT)",
        knobs=("gain=0:1", "bass=0:1", "presence=0:1"),
        learnt=lambda row: "demo2" in row["dry"] and float(row["gain"]) != 0.5,
        scored=lambda row: "demo4" in row["dry"] and float(row["gain"]) == 0.5,
    ),
    PairSet(
        name="gx_ts9",
        target=0.03,
        origin="Guitarix TS9 (LV2), drive x tone, rendered offline",
        hold_out=("take:4", "take:7", "time=last:0.2"),
    ),
    PairSet(
        name="invada_compressor",
        target=0.02,
        origin="Invada compressor (LV2), threshold x ratio x attack, rendered offline",
        hold_out=("threshold_dB=-20", "time=last:0.2"),
    ),
    PairSet(
        name="diode_clipper",
        target=0.03,
        origin="a real 1N4148 clipper at 50 kHz: jatinchowdhury18/differentiable-wdfs (BSD-3)",
        hold_out=("time=last:0.2",),
    ),
)


def main() -> int:
    """Run the cells that are missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--budget", default="5m")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--sets", default=",".join(each.name for each in SETS))
    options = parser.parse_args()
    cells: dict[str, Any] = json.loads(options.json.read_text()) if options.json.is_file() else {}
    wanted = options.sets.split(",")
    for seed in options.seeds.split(","):
        for each in SETS:
            key = f"{each.name} {options.budget} seed {seed}"
            if each.name in wanted and key not in cells:
                cells[key] = {"set": each.name, **_cell(each, options.data, budget=options.budget, seed=seed)}
                options.json.write_text(json.dumps(cells, indent=1))
                _print(key, cells[key], each.target)
    print()
    for each in SETS:
        for key, cell in cells.items():
            if cell["set"] == each.name:
                _print(key, cell, each.target)
    return 0


def _cell(pairs: PairSet, data: Path, *, budget: str, seed: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        begun = time.monotonic()
        learnt = _session(pairs, data, here, "learnt", pairs.learnt)
        taken_seconds = time.monotonic() - begun
        check = tonecast("check", learnt, fails=True)
        hold_outs = [word for rule in pairs.hold_out for word in ("--hold-out", rule)]
        profile = here / "profile.tonecast"
        trained = tonecast(
            "train",
            learnt,
            "--out",
            profile,
            "--budget",
            budget,
            "--device",
            "cpu",
            "--no-light",
            "--seed",
            seed,
            *hold_outs,
        )
        scored = learnt if pairs.scored is None else _session(pairs, data, here, "scored", pairs.scored)
        score = tonecast("evaluate", profile, "--session", scored)
    return {
        "esr": score["esr"],
        "esr_median": score["esr_median"],
        "esr_worst": score["esr_worst"],
        "floor": score["floor"],
        "forecast": check.get("best_esr"),
        "steps": trained["steps"],
        "train_seconds": trained["seconds"],
        "taking_in_seconds": round(taken_seconds, 1),
        "rows": sum(not row["seen"] for row in score["takes"]),
    }


def _session(pairs: PairSet, data: Path, here: Path, name: str, keep: Callable[[Row], bool]) -> Path:
    """Take the rows that `keep` keeps into a session, by a table of their own with the files' full paths."""
    folder = (data / "pairs" / pairs.name).resolve()
    with (folder / "takes.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if keep(row)]
    table = here / f"{name}.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "dry": folder / row["dry"], "wet": folder / row["wet"]} for row in rows)
    knobs = [word for knob in pairs.knobs for word in ("--knob", knob)]
    tonecast("capture", "files", table, "--out", here / name, "--name", pairs.name, *knobs)
    return here / name


def _print(key: str, cell: Mapping[str, Any], target: float) -> None:
    shown = {name: "-" if cell[name] is None else f"{cell[name]:.4f}" for name in ("esr", "esr_median", "esr_worst")}
    floor = "-" if cell["forecast"] is None else f"{cell['forecast']:.1g}"
    verdict = "ok" if cell["esr"] <= target else "MISSED"
    print(
        f"{key:32} ESR {shown['esr']}  median {shown['esr_median']}  worst {shown['esr_worst']}  "
        f"target {target}  forecast {floor}  {cell['train_seconds']:.0f} s, {cell['steps']} steps  {verdict}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
