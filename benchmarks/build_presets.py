"""Builds the profiles that ship: captured, learnt in five minutes and scored by the command line, one by one.

    python benchmarks/build_presets.py --work DIR [--names tape,fuzz] [--budget 300] [--again]
    python benchmarks/build_presets.py --table

presets/presets.json says which there are; presets/gear has the chains that they are learnt from. WORK keeps captures
and unfinished work: a preset whose profile is in presets/ is not built again, and a capture that is there is gone on
with. A budget is wall clock and is that of both sizes. The golden pairs are cut short, which keeps the files small.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cells

from profiler.knob_moves import knob_moves
from profiler.profile import LightEffect, LoadedProfile, Profile
from profiler.profile_file import load, save
from profiler.rendering import with_golden

PRESETS = Path(__file__).parent.parent / "presets"

_GOLDEN_FRAMES = 4096
_LARGEST_BYTES = 200_000


def main() -> int:
    """Build what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--names", default="")
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--capture", action="store_true", help="capture, and learn nothing")
    parser.add_argument("--again", action="store_true", help="build again what is there")
    parser.add_argument("--table", action="store_true", help="print the table of what is there, and nothing else")
    parser.add_argument("--json", type=Path, default=cells.RESULTS / "presets.json")
    options = parser.parse_args()
    if not options.table:
        if not options.work:
            parser.error("--work names where captures and unfinished work are.")
        _build(options)
    print(_table(options.json))
    return 0


def _build(options: argparse.Namespace) -> None:
    described = json.loads((PRESETS / "presets.json").read_text())
    for preset in described["presets"]:
        name = preset["name"]
        wanted = name in options.names.split(",") if options.names else True
        if not wanted or ((PRESETS / f"{name}.tonecast").exists() and not options.again):
            continue
        print(name, flush=True)
        session: Path = options.work / name
        knobs = [word for knob in preset["knobs"] for word in ("--knob", knob)]
        gear = PRESETS / "gear" / f"{name}.json"
        cells.tonecast("capture", "plugin", gear, "--out", session, "--moving", *knobs)
        if not options.capture:
            told = cells.stamped(preset=name, budget=options.budget) | _learnt(options, session)
            cells.keep(options, name, told)
            print(f"{name}: ESR {told['full']['esr']:.5f}, worst {told['full']['esr_worst']:.5f}", flush=True)


def _learnt(options: argparse.Namespace, session: Path) -> dict[str, Any]:
    """Learn a captured preset, put it in its place, and return what it is like."""
    path = session.with_suffix(".tonecast")
    trained = cells.tonecast("train", session, "--out", path, "--budget", f"{options.budget}s", "--device", "cpu")
    shipped = PRESETS / path.name
    save(shipped, _with_short_golden(load(path)))
    if shipped.stat().st_size > _LARGEST_BYTES:
        raise SystemExit(f"{shipped} has {shipped.stat().st_size} bytes; a preset has at most {_LARGEST_BYTES}.")
    moved = knob_moves(load(shipped))
    profile = load(shipped).profile
    return {
        **{each: trained[each] for each in ("steps", "seconds", "audio_seconds", "limited_by", "oversampling")},
        "findings": [finding["kind"] for finding in trained["findings"]],
        "effects": [stage.kind for stage in profile.stages],
        "bytes": shipped.stat().st_size,
        "full": _score(profile),
        "light": profile.light and _score(profile.light),
        "knob_moves": {each.knob: [each.silence_db, each.tone_db] for each in moved},
    }


def _score(of: Profile | LightEffect) -> dict[str, Any] | None:
    names = ("esr", "esr_median", "esr_worst", "grade")
    return of.score and {name: getattr(of.score, name) for name in names}


def _with_short_golden(loaded: LoadedProfile) -> LoadedProfile:
    """Return a profile with the beginning of its golden pair, as it is played."""
    return with_golden(replace(loaded, golden_dry=loaded.golden_dry[:, :_GOLDEN_FRAMES]))


def _table(path: Path) -> str:
    """Return the table in Markdown: ESRs on settings and playing never heard, and what moving knobs leave."""
    kept: Mapping[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    titles = ("preset", "whole", "median setting", "worst", "grade", "light: worst", "a knob's move leaves", "bytes")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name, told in sorted(kept.items()):
        full, light = told["full"], told["light"]
        figures = " | ".join(f"{full[each]:.4f}" for each in ("esr", "esr_median", "esr_worst"))
        moves = max((max(pair) for pair in told["knob_moves"].values()), default=-200)
        small = f"{light['esr_worst']:.4f}" if light else "the same"
        lines.append(f"| {name} | {figures} | {full['grade']} | {small} | {moves:.0f} dBFS | {told['bytes']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
