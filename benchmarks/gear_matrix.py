"""Tonecast beside Neural Amp Modeler on the same captures, scored on playing that neither ever heard.

    python benchmarks/gear_matrix.py --data DIR --work DIR [--cells nam-recipe,tonecast-300] [--gear ts9,w20]
    python benchmarks/gear_matrix.py --table

DIR/dry holds players, DIR/pairs recorded pairs. WORK keeps captures and what a stopped cell goes on from; the results
are kept beside this script, a cell as soon as it is done, and cells that are there are not measured again.

nam-recipe      NAM's network, loss, batches, optimiser and 100 epochs, trained by Tonecast's engine (see nam_recipe.py)
nam-stock       NAM 0.13's own trainer (see nam_stock.py), by the interpreter that --nam-python names
tonecast-300    Tonecast by its command line, 300 s of wall clock: only an idle machine gives figures to compare
tonecast-60     the same, 60 s
tonecast-steps  the same, --steps N of them: as good on a busy machine
gpu-300, gpu-60 the same on a GPU
avx2-300, torch-300   300 s held to another instruction set, or to torch
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cells
import nam_recipe
import numpy as np
import torch
from closeness import closeness
from gear import GEAR, LEAD_IN_SECONDS, capture
from numpy.typing import NDArray

from profiler.alignment import counted
from profiler.audio import Audio
from profiler.effects.convolution import engine_name
from profiler.effects.sizes import sized
from profiler.evaluation import render_take
from profiler.profile import LoadedProfile, Size
from profiler.profile_file import load
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder
from profiler.split import Span, recorded_frames
from profiler.training import device_name

_COLUMNS = {
    "nam-stock": "NAM, its own trainer",
    "nam-recipe": "NAM's recipe, engine",
    "tonecast-300": "Tonecast 300 s",
    "tonecast-300 light": "light, 300 s for both",
    "tonecast-60": "60 s",
}
_REFERENCE = "nam-recipe"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A capture of a gear, and what a cell of it may be told."""

    name: str
    folder: Path
    session: SessionFolder
    seed: int
    steps: int | None
    nam_python: str

    @property
    def learnt(self) -> Take:
        """The take that is learnt from."""
        return self.session.session.takes[0]

    @property
    def scored(self) -> Take:
        """The take that is scored."""
        return self.session.session.takes[1]

    def material(self) -> nam_recipe.Material:
        """Return what is learnt, as NAM takes it: aligned, as Tonecast learns it."""
        dry, wet = self.session.excerpt(self.learnt, *recorded_frames(self.session.session, self.learnt))
        return nam_recipe.Material.of(dry[0], wet[0], self.session.session.sample_rate)

    def score(self, play: "Callable[[Span], NDArray[np.float32]]") -> Mapping[str, float | None]:
        """Return the measures of what `play` makes of the scored take, but for its lead-in and clipped frames."""
        start, stop = recorded_frames(self.session.session, self.scored)
        wet = self.session.excerpt(self.scored, start, stop)[1][0] * counted(self.scored, stop)[start:]
        lead_in = round(LEAD_IN_SECONDS * self.session.session.sample_rate)
        predicted = play(Span(take=self.scored.number, start=start, stop=stop))
        return closeness(wet[lead_in:], predicted[lead_in:], self.session.session.sample_rate)

    def score_profile(self, loaded: LoadedProfile) -> Mapping[str, float | None]:
        """Return the measures of a profile's full size."""
        return self.score(lambda span: render_take(loaded, self.session, span).predicted[0])

    def score_network(self, weights: NDArray[np.float32]) -> Mapping[str, float | None]:
        """Return the measures of a plain network of the A2 shape."""

        def play(span: Span) -> NDArray[np.float32]:
            dry = self.session.excerpt(self.scored, span.start, span.stop)[0][0]
            return nam_recipe.played(weights, dry) * counted(self.scored, span.stop)[span.start :]

        return self.score(play)


def main() -> int:
    """Measure the cells that are missing and print the table."""
    parser = cells.parser(__doc__, results="gear_matrix.json", cells="nam-recipe", gear=GEAR)
    parser.add_argument("--steps", type=int, help="how long tonecast-steps trains")
    parser.add_argument("--nam-python", default="", help="an interpreter with neural-amp-modeler, for nam-stock")
    parser.add_argument("--measure", default="esr", help="what the table shows")
    return cells.run(parser, _measure, lambda kept, options: _table(kept, options.measure))


def _measure(options: argparse.Namespace) -> None:
    seeds, names = map(int, options.seeds.split(",")), options.gear.split(",")
    for cell, seed, name in itertools.product(options.cells.split(","), seeds, names):
        key = f"{name} {cell}{f'-{options.steps}' if cell == 'tonecast-steps' else ''} seed {seed}"
        if cells.unkept(options, key):
            told = cells.stamped(gear=name, cell=cell, seed=seed)
            told |= _CELLS[cell](_bench(name, options, seed))
            cells.keep(options, key, told)
            print(f"{key}: ESR {told['esr']:.5f}, MR-STFT {told['mr_stft']:.3f}", flush=True)


def _bench(name: str, options: argparse.Namespace, seed: int) -> Bench:
    """Return a gear's capture, which is made where it is not there: take 0 is learnt, take 1 scored.

    Wets are kept as late as they are: what a plugin's host plays is aligned, and a gear's own delay is for either
    trainer to learn.
    """
    folder = options.work / name
    if not (folder / "session").is_dir():
        captured = capture(name, options.data)
        gear = Gear(name=GEAR[name].title, kind="files")
        empty = CaptureSession(gear=gear, knobs=(), sample_rate=captured.rate)
        session = SessionFolder.create(folder / "part", empty)
        for number, signals in enumerate((captured.learnt, captured.scored)):
            dry, wet = (Audio(samples=signal[None].copy(), sample_rate=captured.rate) for signal in signals)
            take = Take(number=number, dry=session.add_dry(dry, None), file="", sha256="", frames=0, settings={})
            session.add_take(take, wet)
        (folder / "part").rename(folder / "session")
    return Bench(
        name=name,
        folder=folder,
        session=SessionFolder.open(folder / "session"),
        seed=seed,
        steps=options.steps,
        nam_python=options.nam_python,
    )


def _nam_recipe(bench: Bench) -> dict[str, Any]:
    weights, told = nam_recipe.train(bench.material(), bench.folder / f"recipe-{bench.seed}.pt", seed=bench.seed)
    return {**told, **bench.score_network(weights)}


def _nam_stock(bench: Bench) -> dict[str, Any]:
    if not bench.nam_python:
        raise SystemExit("nam-stock needs --nam-python, an interpreter that has neural-amp-modeler 0.13.")
    material, out = bench.material(), bench.folder / f"stock-{bench.seed}"
    learnt = bench.folder / "learnt.npz"
    rate = bench.session.session.sample_rate
    np.savez(learnt, dry=material.dry, wet=material.wet, learnt_frames=material.learnt_frames, rate=rate)
    script = Path(__file__).with_name("nam_stock.py")
    command = [bench.nam_python, script, learnt, out, "--seed", str(bench.seed)]
    subprocess.run(command, check=True)  # noqa: S603 - our own words
    curve = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    best = min(curve, key=lambda epoch: epoch["esr"])
    told = {"best_epoch": best["epoch"] + 1, "validation_esr": best["esr"]}
    return {**told, **bench.score_network(nam_recipe.plain(np.load(out / "weights.npy"), material.gain))}


def _tonecast_cell(*length: str, simd: str = "", device: str = "cpu") -> Callable[[Bench], dict[str, Any]]:
    def cell(bench: Bench) -> dict[str, Any]:
        words = length or ("--steps", str(bench.steps))
        profile = bench.folder / f"{os.getpid()}.tonecast"
        hold_out = ("--hold-out", f"take:{bench.scored.number}", "--seed", bench.seed, "--device", device)
        load_average = os.getloadavg()[0]
        trained = cells.tonecast("train", bench.session.path, "--out", profile, *words, *hold_out, simd=simd)
        loaded = load(profile)
        profile.unlink()
        told = {name: trained[name] for name in ("steps", "seconds")}
        told |= {
            "simd": simd or engine_name(),
            "device": device_name(torch.device(device)),
            "load_before": round(load_average, 2),
        }
        if loaded.profile.light:
            told["light"] = bench.score_profile(sized(loaded, Size.LIGHT))
        return {**told, **bench.score_profile(sized(loaded, Size.FULL))}

    return cell


_CELLS: Mapping[str, Callable[[Bench], dict[str, Any]]] = {
    "nam-recipe": _nam_recipe,
    "nam-stock": _nam_stock,
    "tonecast-300": _tonecast_cell("--budget", "300s"),
    "tonecast-60": _tonecast_cell("--budget", "60s"),
    "tonecast-steps": _tonecast_cell(),
    "gpu-300": _tonecast_cell("--budget", "300s", device="cuda"),
    "gpu-60": _tonecast_cell("--budget", "60s", device="cuda"),
    "avx2-300": _tonecast_cell("--budget", "300s", simd="avx2"),
    "torch-300": _tonecast_cell("--budget", "300s", simd="torch"),
}


def _table(kept: Mapping[str, Mapping[str, Any]], measure: str) -> str:
    """Return the table in Markdown: medians over seeds, and how many times the reference's each is."""

    def median(name: str, cell: str) -> float | None:
        cell, _, size = cell.partition(" ")
        measured = [each for each in kept.values() if each["gear"] == name and each["cell"] == cell]
        found = [of[measure] for each in measured if (of := each.get(size) if size else each)]
        return float(np.median(found)) if found else None

    lines = [f"| gear | {' | '.join(_COLUMNS.values())} |", "|---" * (1 + len(_COLUMNS)) + "|"]
    for name, gear in GEAR.items():
        if not any(each["gear"] == name for each in kept.values()):
            continue
        reference = median(name, _REFERENCE)
        shown = []
        for cell in _COLUMNS:
            value = median(name, cell)
            ratio = f" ({value / reference:.2f})" if value and reference and cell.startswith("tonecast") else ""
            shown.append("" if value is None else f"{value:.{4 if value > 0.001 else 5}f}{ratio}")
        lines.append(f"| {gear.title} | {' | '.join(shown)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
