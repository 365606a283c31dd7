"""How truly a capture through hardware measures latency: takes of real plugins behind a cable of known delay.

    python benchmarks/hardware_latency.py [--takes 50] [--json benchmarks/results/hardware_latency.json]

Every take is composed as `tonecast capture hardware` composes it, goes through a plugin of somebody else's, then
through a delay, gain, polarity and noise drawn at random (noise down to 20 dB below the wet), and is measured by
`capture.round_trip` alone. The truth is the delay drawn. Gear that is clean (an EQ, compressors, a cable) adds none
that is to be measured. What distorts also has filters, whose own delay nobody can tell from a cable's, so its truth is
what the same plugin measures without the cable: no delay, no noise. Printed are errors in frames. A run that was
stopped goes on.
"""

import argparse
import functools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from capture.round_trip import RoundTrip, measure_round_trip
from profiler.audio import Samples
from profiler.composer import compose
from profiler.errors import TakeRejectedError
from profiler.plugins import HostedPlugin
from profiler.stimulus import Stimulus

RATE = 48_000
SECONDS = 12.0
SEEDS = 5
CLEAN_FRAMES, BENT_FRAMES = 0.5, 2.0
GUITARIX = "lv2:http://guitarix.sourceforge.net/plugins/"
CLEAN: dict[str, tuple[str, dict[str, float]]] = {
    "cable": ("", {}),
    "ZamComp": ("lv2:urn:zamaudio:ZamComp", {"thr": -30.0, "rat": 4.0}),
    "ZamEQ2": ("lv2:urn:zamaudio:ZamEQ2", {"boost1": 9.0, "boosth": -9.0}),
    "Calf compressor": ("lv2:http://calf.sourceforge.net/plugins/MonoCompressor", {"ratio": 8.0}),
}
BENT: dict[str, tuple[str, dict[str, float]]] = {
    "amp": (f"{GUITARIX}gx_amp#GUITARIX", {}),
    "driven amp": (f"{GUITARIX}gx_amp#GUITARIX", {"PreGain": 15.0, "Drive": 0.9, "Distortion": 80.0}),
    "Fuzz Face": (f"{GUITARIX}gx_fuzzface_#_fuzzface_", {"FUZZ": 1.0}),
    "Big Muff": (f"{GUITARIX}gx_bmp_#_bmp_", {"SUSTAIN": 1.0}),
    "Tube Screamer": (f"{GUITARIX}gxts9#ts9sim", {"fslider2_": 0.9}),
    "JCM800": (f"{GUITARIX}gx_jcm800pre_#_jcm800pre_", {}),
}


def main() -> int:
    """Measure what is not measured yet, and print the table. Returns 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--takes", type=int, default=50)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: dict[str, Any] = {}
    if options.json and options.json.is_file():
        rows = json.loads(options.json.read_text())
    for number in range(options.takes):
        if str(number) not in rows:
            rows[str(number)] = measured_take(number)
            print(f"{number + 1} of {options.takes}: {rows[str(number)]}", flush=True)
            if options.json:
                options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return report([rows[str(number)] for number in range(options.takes)])


def measured_take(number: int) -> dict[str, Any]:
    """Return what became of a take: everything random in it follows from its number."""
    gear = list(CLEAN | BENT)[number % len(CLEAN | BENT)]
    random = np.random.default_rng(number)
    stimulus, dry, wet = played(gear, number // len(CLEAN | BENT) % SEEDS)
    late, polarity = int(random.integers(0, 9000)), int(random.choice([-1, 1]))
    gain_db, noise_db = random.uniform(-30, 6), random.choice([20.0, 20.0, 40.0, 60.0])
    heard = np.concatenate([np.zeros(late), wet, np.zeros(RATE)])[: len(dry) + RATE]
    heard = heard + random.normal(0, np.std(wet) * 10 ** (-noise_db / 20), len(heard))
    row = {
        "gear": gear,
        "delay": late,
        "gain_db": round(gain_db, 1),
        "noise_db": float(noise_db),
        "kind": "clean" if gear in CLEAN else "bent",
    }
    found = trip(stimulus, dry, (polarity * 10 ** (gain_db / 20) * heard).astype(np.float32))
    undelayed = 0.0 if gear in CLEAN else own_delay(gear, number // len(CLEAN | BENT) % SEEDS)
    if found is None or found.measured_frames is None or undelayed is None:
        return {**row, "refused": True}
    return {
        **row,
        "error": round(found.measured_frames - late - undelayed, 3),
        "taken_out": found.latency_frames - late,
    }


@functools.lru_cache(maxsize=16)
def played(gear: str, seed: int) -> tuple[Stimulus, Samples, Samples]:
    """Return a stimulus, its dry and what a plugin makes of it, each of shape (frames,)."""
    stimulus, audio = compose("brief", seed=seed, sample_rate=RATE, seconds=SECONDS)
    dry = audio.samples[0]
    uri, settings = (CLEAN | BENT)[gear]
    if not uri:
        return stimulus, dry, dry
    with HostedPlugin(uri, settings=settings) as plugin:
        return stimulus, dry, plugin.process(audio.samples, RATE)[0][: len(dry)]


@functools.lru_cache(maxsize=64)
def own_delay(gear: str, seed: int) -> float | None:
    """Return how late gear seems by itself, behind 1000 frames that nothing else disturbs."""
    stimulus, dry, wet = played(gear, seed)
    found = trip(stimulus, dry, np.concatenate([np.zeros(1000), wet, np.zeros(RATE)]).astype(np.float32))
    return None if found is None or found.measured_frames is None else found.measured_frames - 1000


def trip(stimulus: Stimulus, dry: Samples, wet: Samples) -> RoundTrip | None:
    """Return the round trip of a take, None when it is refused."""
    try:
        return measure_round_trip(stimulus, dry, wet, None, sample_rate=RATE)
    except TakeRejectedError as error:
        print(f"refused: {error}", file=sys.stderr)
        return None


def report(rows: Sequence[dict[str, Any]]) -> int:
    """Print the errors by gear, and whether the targets are met."""
    print(f"\n{'':16} {'takes':>5} {'refused':>7} {'median':>7} {'worst':>7}  taken out")
    missed = 0
    for gear in CLEAN | BENT:
        own = [row for row in rows if row["gear"] == gear]
        kept = [row for row in own if not row.get("refused")]
        errors = np.abs([row["error"] for row in kept])
        if not len(errors):
            continue
        most = CLEAN_FRAMES if gear in CLEAN else BENT_FRAMES
        missed += int(np.sum(errors > most)) + len(own) - len(kept)
        taken = sorted({row["taken_out"] for row in kept})
        print(f"{gear:16} {len(own):5} {len(own) - len(kept):7} {np.median(errors):7.3f} {errors.max():7.3f}  {taken}")
    print(
        f"{missed} of {len(rows)} refused, or wrong by more than {CLEAN_FRAMES} frames (clean) or {BENT_FRAMES} (bent)"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
