"""How well Tonecast learns gear with its knobs, scored on real playing at settings that it never learnt from.

    python benchmarks/knob_matrix.py --data DIR --work DIR [--cells moving-300,fixed-300] [--gear ts9,big_muff]
    python benchmarks/knob_matrix.py --table [--size light]

Each gear is captured and learnt by the command line, as a user would do it. The profile then plays every recording in
DIR/dry at the session's held-out settings, beside the gear itself. WORK keeps captures, what the gear plays, and the
profiles; the results are kept beside this script, a cell as soon as it is done, and cells that are there are not
measured again. A budget is wall clock and is that of both sizes: only an idle machine gives figures to compare.

moving-300        one moving take of 5 minutes, learnt for 300 s
fixed-300         30 takes at fixed settings of 10 s each (the first has 48), learnt for 300 s
six-600           one moving take of 10 minutes of gear with six knobs, learnt for 600 s
moving-60         any other budget, in seconds
moving-300-of-1m  any other length of the moving take, in minutes; six-600-of-20m
fixed-300-of-6    any other count of takes

The held-out settings go by the knobs and the plan: those of a moving take of any length are the same, those of fixed
takes differ by their count.
"""

import argparse
import hashlib
import itertools
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cells
import numpy as np
from gear import PLUGINS, Turned
from real_playing import PlayingScore, gear_wet, held_out_settings, played, playing, recordings

from profiler.audio import Audio, Samples
from profiler.effects.convolution import engine_name
from profiler.effects.sizes import sized
from profiler.knob import KnobSettings
from profiler.manifest import to_json, write_manifest
from profiler.profile import LightEffect, LoadedProfile, Profile, Size
from profiler.profile_file import load
from profiler.session import CaptureSession
from profiler.session_folder import SessionFolder
from profiler.storage import replacing

_CELL = re.compile(r"(moving|six)-(\d+)(?:-of-(\d+(?:\.\d+)?)m)?|(fixed)-(\d+)(?:-of-(\d+))?")
_USUAL = {"moving": "5", "fixed": "30", "six": "10"}


TURNED: Mapping[str, Turned] = {
    "ts9": Turned(title="TS9 overdrive", plugin="ts9", knobs=("fslider2_=0:1", "fslider1_=100:1000")),
    "jcm800pre": Turned(title="JCM800 preamp", plugin="jcm800pre", knobs=("P6v=0:1", "Bass=0:1", "Treble=0:1")),
    "big_chump": Turned(
        title="Redeye Big Chump, tube amp", plugin="big_chump", knobs=("Gain=.2:1", "Tone=0:1", "Volume=.2:.8")
    ),
    "metal_head": Turned(title="Metal Head, high gain", plugin="metal_head", knobs=("DRIVE=0:1", "TONE=0:1")),
    "big_muff": Turned(title="Big Muff fuzz", plugin="big_muff", knobs=("SUSTAIN=0:1", "TONE=0:1")),
    "fuzz_face": Turned(title="Fuzz Face", plugin="fuzz_face", knobs=("FUZZ=0:1",)),
    "zam_tube": Turned(title="ZamTube preamp", plugin="zam_tube", knobs=("tubedrive=.1:11", "bass=0:10", "treb=0:10")),
    "saturator": Turned(title="Calf Saturator", plugin="saturator", knobs=("drive=.1:10", "blend=-10:10")),
    "jcm800pre_one": Turned(title="JCM800 preamp, one knob", plugin="jcm800pre", knobs=("P6v=0:1",)),
    "jcm800pre_two": Turned(title="JCM800 preamp, two knobs", plugin="jcm800pre", knobs=("P6v=0:1", "Bass=0:1")),
    "jcm800pre_six": Turned(
        title="JCM800 preamp, six knobs",
        plugin="jcm800pre",
        knobs=("P6v=0:1", "Middle=0:1", "Bass=0:1", "Treble=0:1", "WET_DRY=0:100", "GAIN=-10:10"),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """How a gear is captured and for how long it is learnt. `amount` counts minutes of a moving take, or takes."""

    plan: str
    seconds: int
    amount: str

    @classmethod
    def read(cls, name: str) -> "Cell":
        """Return the cell of that name."""
        found = _CELL.fullmatch(name)
        if not found:
            raise SystemExit(f"{name!r} is no cell. Write moving-300, moving-300-of-1m, fixed-300-of-6 or six-600.")
        plan, seconds, amount = found.groups()[:3] if found[1] else found.groups()[3:]
        return cls(plan=plan, seconds=int(seconds), amount=amount or _USUAL[plan])

    def is_of(self, turned: Turned) -> bool:
        """Say whether this is measured of a gear: `six` is of six knobs, the others of fewer."""
        return (self.plan == "six") == (len(turned.knobs) == 6)

    @property
    def capture(self) -> tuple[str, tuple[str, ...]]:
        """What the capture is called, and how it is asked for."""
        if self.plan == "fixed":
            return f"fixed-{self.amount}", ("--captures", self.amount, "--seconds", "10")
        return f"moving-{self.amount}m", ("--moving", "--minutes", self.amount)


def main() -> int:
    """Measure the cells that are missing and print the table."""
    parser = cells.parser(__doc__, results="knob_matrix.json", cells="moving-300", gear=TURNED)
    parser.add_argument("--size", choices=list(Size), default=Size.FULL, help="what the table shows")
    return cells.run(parser, _measure, lambda kept, options: _table(kept, options.size))


def _measure(options: argparse.Namespace) -> None:
    seeds = map(int, options.seeds.split(","))
    asked = [(each, Cell.read(each)) for each in options.cells.split(",")]
    gear = [(each, TURNED[each]) for each in options.gear.split(",")]
    for (called, cell), seed, (name, turned) in itertools.product(asked, seeds, gear):
        key = f"{name} {called} seed {seed}"
        if cell.is_of(turned) and cells.unkept(options, key):
            told = cells.stamped(gear=name, cell=called, seed=seed)
            told |= _measured(options, name, cell, seed)
            cells.keep(options, key, told)
            for size in (size for size in Size if told[size]):
                real = told[size]["real"]
                print(f"{key}: {size} ESR {real['whole']:.5f}, worst setting {real['worst_setting']:.5f}", flush=True)


def _measured(options: argparse.Namespace, name: str, cell: Cell, seed: int) -> dict[str, Any]:
    folder: Path = options.work / name
    session = _session(TURNED[name], cell, folder)
    profile = folder / f"{session.name}-{cell.seconds}s-seed-{seed}.tonecast"
    load_average = os.getloadavg()[0]
    trained = cells.tonecast(
        "train", session, "--out", profile, "--budget", f"{cell.seconds}s", "--seed", seed, "--device", "cpu"
    )
    loaded, captured = load(profile), SessionFolder.open(session).session
    found, light = loaded.profile, loaded.profile.light
    return {
        **{each: trained[each] for each in ("steps", "seconds", "audio_seconds", "limited_by")},
        "effects": [stage.kind for stage in found.stages],
        "simd": engine_name(),
        "load_before": round(load_average, 2),
        "held_out_settings": held_out_settings(captured),
        Size.FULL: _score(options, folder, captured, sized(loaded, Size.FULL), found),
        Size.LIGHT: light and _score(options, folder, captured, sized(loaded, Size.LIGHT), light),
    }


def _session(turned: Turned, cell: Cell, folder: Path) -> Path:
    """Return the capture of a gear, which is made, or gone on with, where it is not whole."""
    chain = folder / f"{folder.name}.json"
    write_manifest(chain, PLUGINS[turned.plugin].chain)
    name, plan = cell.capture
    knobs = [word for knob in turned.knobs for word in ("--knob", knob)]
    cells.tonecast("capture", "plugin", chain, "--out", folder / name, *plan, *knobs)
    return folder / name


def _score(
    options: argparse.Namespace,
    folder: Path,
    session: CaptureSession,
    loaded: LoadedProfile,
    size: Profile | LightEffect,
) -> dict[str, Any]:
    """Return the ESRs of a size: on real playing, and on the session's own held-out takes."""

    def wet(dry: Audio, settings: KnobSettings) -> Samples:
        return _kept_wet(folder / "wets", session, dry, settings)

    settings = held_out_settings(session)
    real = {
        path.stem: played(loaded, playing(path, session.sample_rate), settings, wet)
        for path in recordings(options.data)
    }
    names = ("esr", "esr_median", "esr_worst")
    held_out = size.score and {each: getattr(size.score, each) for each in names}
    return {"real": asdict(PlayingScore.of(real)), "held_out": held_out}


def _kept_wet(folder: Path, session: CaptureSession, dry: Audio, settings: KnobSettings) -> Samples:
    """Return what the gear makes of a signal, which is kept: captures with the same held-out settings share it."""
    told = (to_json(session.gear), repr(sorted(settings.items())).encode(), str(dry.sample_rate).encode())
    path = folder / f"{hashlib.sha256(b' '.join(told) + dry.samples.tobytes()).hexdigest()}.npy"
    if not path.is_file():
        with replacing(path) as scratch:
            np.save(scratch, gear_wet(session, dry, settings))
    return np.load(path)


def _table(kept: Mapping[str, Mapping[str, Any]], size: Size) -> str:
    """Return the table in Markdown: ESRs on real playing at the median and the worst setting, medians over seeds."""
    columns = list(dict.fromkeys(each["cell"] for each in kept.values()))

    def shown(name: str, cell: str) -> str:
        measured = [each[size] for each in kept.values() if (each["gear"], each["cell"]) == (name, cell)]
        found = [each["real"] for each in measured if each]
        medians = [np.median([real[of] for real in found]) for of in ("median_setting", "worst_setting") if found]
        return " / ".join(f"{each:.4f}" for each in medians)

    lines = [f"| gear, {size} size | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for name, turned in TURNED.items():
        if any(each["gear"] == name for each in kept.values()):
            lines.append(f"| {turned.title} | {' | '.join(shown(name, cell) for cell in columns)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
