"""Whether `tonecast capture more` proposes better settings than plain space-filling does, and than chance.

    python benchmarks/more_settings.py --work DIR [--gear fuzz,ts9] [--seeds 0,1] [--steps 1200]
    python benchmarks/more_settings.py --table

Each gear is captured at six settings and learnt. Then six more are recorded, learnt together with the first six, from
scratch and in as many steps, and the profile is scored at twelve settings that were drawn at random and never recorded.
WORK keeps captures and profiles; the results are kept beside this script, a cell as soon as it is done.

base       the first six settings alone
proposals  six more that `tonecast capture more` proposes, by the profile of the first six
spread     the next six of the plan that fills the space evenly
random     six more drawn at random, others with each seed
"""

import argparse
import itertools
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cells
import numpy as np
from gear import Turned

from capture.plan import PlannedTake, held_out_takes, joining_plan
from capture.plugin_rig import PluginRig
from capture.recorder import record
from capture.spread import far_settings
from profiler.knob import Knob, KnobSettings
from profiler.session import CaptureSession
from profiler.session_folder import SessionFolder

__all__ = ["TURNED", "drawn", "learnt", "recorded", "shown", "unseen"]

ARMS = ("base", "proposals", "spread", "random")
_FIRST = _MORE = 6
_UNSEEN = 12
_UNSEEN_SEED, _UNSEEN_PLAYING = 777, 500_000
_GUITARIX = "lv2:http://guitarix.sourceforge.net/plugins/"


TURNED: Mapping[str, Turned] = {
    "fuzz": Turned(title="Fuzz of op-amps", plugin="circuit:op_amp_fuzz", knobs=("sustain=0:10", "tone=0:10")),
    "ts9": Turned(
        title="TS9 overdrive", plugin=f"{_GUITARIX}gxts9#ts9sim", knobs=("fslider2_=0:1", "fslider1_=100:1000")
    ),
    "jcm800pre": Turned(
        title="JCM800 preamp",
        plugin=f"{_GUITARIX}gx_jcm800pre_#_jcm800pre_",
        knobs=("P6v=0:1", "Bass=0:1", "Treble=0:1"),
    ),
    "tube": Turned(title="Tube preamp", plugin="circuit:tube_preamp", knobs=("gain=0:10", "bass=0:10", "treble=0:10")),
}


def main() -> int:
    """Measure the cells that are missing and print the table."""
    parser = cells.parser(__doc__, results="more_settings.json", cells=",".join(ARMS), gear=TURNED)
    parser.add_argument("--steps", type=int, default=1200)
    return cells.run(parser, _measure, lambda kept, _: _table(kept), needs_data=False)


def _measure(options: argparse.Namespace) -> None:
    seeds, gear, arms = (getattr(options, each).split(",") for each in ("seeds", "gear", "cells"))
    for seed, name, arm in itertools.product(map(int, seeds), gear, arms):
        key = f"{name} {arm} {options.steps} steps seed {seed}"
        if cells.unkept(options, key):
            told = cells.stamped(gear=name, arm=arm, steps=options.steps, seed=seed)
            told |= _measured(options.work / name, TURNED[name], arm, seed, options.steps)
            cells.keep(options, key, told)
            print(f"{key}: median setting {told['esr_median']:.4f}, worst {told['esr_worst']:.4f}", flush=True)


def _measured(work: Path, turned: Turned, arm: str, seed: int, steps: int) -> dict[str, Any]:
    words = [word for knob in turned.knobs for word in ("--knob", knob)]
    base = work / "base"
    cells.tonecast("capture", "plugin", turned.plugin, "--out", base, "--captures", _FIRST, "--seconds", 10, *words)
    first = learnt(base, work / f"base-{steps}-seed-{seed}.tonecast", steps, seed)
    session = SessionFolder.open(base).session
    if arm == "base":
        more: Sequence[KnobSettings] = ()
        profile = first
    else:
        more = _more(arm, session, base, first, seed)
        ours = work / f"{arm}-{steps}-seed-{seed}"
        shutil.rmtree(ours, ignore_errors=True)
        shutil.copytree(base, ours)
        recorded(SessionFolder.open(ours), joining_plan(session, more, ()))
        profile = learnt(ours, ours.with_suffix(".tonecast"), steps, seed)
    score = cells.tonecast("evaluate", profile, "--session", unseen(base, work / "unseen"))
    rows = [{"knobs": row["knobs"], "esr": row["esr"]} for row in score["takes"]]
    return {"more": more, **{each: score[each] for each in ("esr", "esr_median", "esr_worst")}, "unseen": rows}


def learnt(session: Path, profile: Path, steps: int, seed: int) -> Path:
    """Return the profile of a session, which is there already or is learnt now, light size included."""
    if not profile.is_file():
        scratch = profile.with_name(f"unfinished-{profile.name}")
        cells.tonecast("train", session, "--out", scratch, "--steps", steps, "--seed", seed, "--device", "cpu")
        scratch.replace(profile)
    return profile


def _more(arm: str, session: CaptureSession, base: Path, first: Path, seed: int) -> list[KnobSettings]:
    """Return six more settings in the way of an arm."""
    if arm == "proposals":
        found = cells.tonecast("capture", "more", base, first, "--count", _MORE)
        return [each["settings"] for each in found["proposals"]]
    if arm == "spread":
        held = [take.settings for take in session.takes if take.settings]
        return far_settings(session.knobs, _MORE, beside=held)
    return drawn(session.knobs, _MORE, np.random.default_rng([seed, 1]))


def drawn(knobs: Sequence[Knob], count: int, rng: np.random.Generator) -> list[KnobSettings]:
    """Return settings at random, each position as likely as any other."""
    return [{knob.id: knob.value_at(float(rng.random())) for knob in knobs} for _ in range(count)]


def unseen(base: Path, path: Path) -> Path:
    """Return a session of settings and playing that no arm records."""
    session = SessionFolder.open(base).session
    settings = drawn(session.knobs, _UNSEEN, np.random.default_rng(_UNSEEN_SEED))
    folder = SessionFolder.create(path, replace(session, dries=(), takes=()))
    recorded(folder, held_out_takes(settings, first=0, seed=_UNSEEN_PLAYING))
    return path


def recorded(folder: SessionFolder, plan: Sequence[PlannedTake]) -> None:
    """Record what a session of a plugin still lacks of a plan."""
    session = folder.session
    with PluginRig(session.gear, session.knobs, sample_rate=session.sample_rate) as rig:
        record(folder, rig, plan)


def _table(kept: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table in Markdown: ESRs at the median and the worst unseen setting, means of logarithms over seeds."""
    lines = [f"| gear | steps | seeds | {' | '.join(ARMS)} |", "|---" * (3 + len(ARMS)) + "|"]
    for name, steps in dict.fromkeys((each["gear"], each["steps"]) for each in kept.values()):
        mine = [each for each in kept.values() if (each["gear"], each["steps"]) == (name, steps)]
        columns = [shown([each for each in mine if each["arm"] == arm]) for arm in ARMS]
        seeds = len({each["seed"] for each in mine})
        lines.append(f"| {TURNED[name].title} | {steps} | {seeds} | {' | '.join(columns)} |")
    return "\n".join(lines)


def shown(measured: Sequence[Mapping[str, Any]]) -> str:
    """Return the ESRs at the median and the worst setting, means of logarithms over what was measured."""
    means = [np.exp(np.mean([np.log(each[of]) for each in measured])) for of in ("esr_median", "esr_worst") if measured]
    return " / ".join(f"{each:.4f}" for each in means)


if __name__ == "__main__":
    sys.exit(main())
