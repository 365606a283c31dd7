"""Cells of a matrix: each is kept as soon as it is measured, stamped with the sources and machine that measured it."""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import filelock

from profiler.effects.convolution import SIMD_VARIABLE

__all__ = ["keep", "parser", "run", "stamped", "tonecast", "unkept"]

RESULTS = Path(__file__).parent / "results"


def parser(about: str | None, *, results: str, cells: str, gear: Iterable[str]) -> argparse.ArgumentParser:
    """Return a parser of the options that matrices share; `results` names the file in results/ that keeps the cells."""
    found = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--data", type=Path)
    found.add_argument("--work", type=Path)
    found.add_argument("--cells", default=cells)
    found.add_argument("--gear", default=",".join(gear))
    found.add_argument("--seeds", default="0")
    found.add_argument("--json", type=Path, default=RESULTS / results)
    found.add_argument("--again", action="store_true", help="measure cells again that are there")
    found.add_argument("--table", action="store_true", help="print the table of what is there, and nothing else")
    return found


def run(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], None],
    table: Callable[[Mapping[str, Any], argparse.Namespace], str],
    *,
    needs_data: bool = True,
) -> int:
    """Measure what is asked for and print the table; without --data and --work nothing but the table can be had."""
    options = parser.parse_args()
    if not options.table:
        if not (options.work and (options.data or not needs_data)):
            named = "--data and --work name where recordings and unfinished work are."
            parser.error(named if needs_data else "--work names where unfinished work is.")
        measure(options)
    print(table(_read(options.json), options))
    return 0


def unkept(options: argparse.Namespace, key: str) -> bool:
    """Say whether a cell is to be measured, and print its name if so."""
    wanted = bool(options.again) or key not in _read(options.json)
    if wanted:
        print(key, flush=True)
    return wanted


def stamped(**cell: object) -> dict[str, Any]:
    """Return what is told of a cell, with the sources that measure it and the machine."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - our own words
    told = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    return {**cell, "commit": commit, "cpu": models[0] if models else platform.processor(), "cores": os.cpu_count()}


def _read(path: Path) -> dict[str, Any]:
    """Return all cells by key, none where there is no file."""
    return json.loads(path.read_text()) if path.is_file() else {}


def keep(options: argparse.Namespace, key: str, told: Mapping[str, Any]) -> None:
    """Add a cell to those that others may have added meanwhile."""
    path: Path = options.json
    with filelock.FileLock(options.work / "results.lock"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".part").write_text(json.dumps(_read(path) | {key: told}, indent=1) + "\n")
        path.with_suffix(".part").replace(path)


def tonecast(*words: object, simd: str = "", fails: bool = False) -> dict[str, Any]:
    """Run a command of the program and return its JSON; `simd` holds its engine to one way of working.

    `fails` lets it exit with 1.
    """
    # -P: the installed program, which has the engine, not the sources where this is called from.
    command = [sys.executable, "-P", "-m", "tonecast", *(str(word) for word in words), "--json"]
    environment = {**os.environ, **({SIMD_VARIABLE: simd} if simd else {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - our own words
    if done.returncode not in ((0, 1) if fails else (0,)):
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
