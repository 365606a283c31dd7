"""How truly lateness, polarity and clock drift of recordings are measured, on gear that adds no delay of its own.

    python benchmarks/latency_truth.py [--data DIR] [--json OUT] [--quick]

Playing goes through each gear, then through a cable with a known delay, polarity, gain, noise and clock. Without --data
the playing is synthesised; DIR/dry adds every fourth of its recordings of instruments. Printed are errors in frames and
ppm, how many are beyond what the measurement itself was sure of, and what was refused. With --json a run that was
stopped goes on.
"""

import argparse
import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from profiler.audio import Samples
from profiler.audio_file import read_audio
from profiler.pedalboard_effect import PedalboardEffect
from profiler.programme import programme
from profiler.recording import HeldRecording
from profiler.timing import CLEAR, measure_timing
from profiler.varispeed import read_along

RATE = 48_000
SECONDS = 30
SURE_FRAMES = 1.0
GEAR: dict[str, Sequence[tuple[str, dict[str, float]]]] = {
    "clean amp": (
        ("LowShelfFilter", {"cutoff_frequency_hz": 200, "gain_db": 4}),
        ("Distortion", {"drive_db": 6}),
        ("PeakFilter", {"cutoff_frequency_hz": 600, "gain_db": -4, "q": 0.7}),
        ("HighShelfFilter", {"cutoff_frequency_hz": 3000, "gain_db": 4}),
    ),
    "amp + speaker": (
        ("Distortion", {"drive_db": 10}),
        ("HighpassFilter", {"cutoff_frequency_hz": 80}),
        ("PeakFilter", {"cutoff_frequency_hz": 2500, "gain_db": 5, "q": 1}),
        ("LowpassFilter", {"cutoff_frequency_hz": 5000}),
        ("LowpassFilter", {"cutoff_frequency_hz": 5000}),
    ),
    "fuzz": (
        ("HighpassFilter", {"cutoff_frequency_hz": 120}),
        ("Distortion", {"drive_db": 45}),
        ("Clipping", {"threshold_db": -12}),
        ("LowpassFilter", {"cutoff_frequency_hz": 5000}),
    ),
    "compressor": (("Compressor", {"threshold_db": -24, "ratio": 4, "attack_ms": 5, "release_ms": 80}),),
    "EQ": (
        ("PeakFilter", {"cutoff_frequency_hz": 800, "gain_db": 9, "q": 1.0}),
        ("HighShelfFilter", {"cutoff_frequency_hz": 4000, "gain_db": -9}),
    ),
    "reverb": (("Reverb", {"wet_level": 0.3, "dry_level": 0.6, "room_size": 0.6}),),
}
TARGET_FRAMES = {"fuzz": 2.0, "amp + speaker": 2.0}
CLEAN_TARGET_FRAMES = 0.5
TARGET_PPM = 1.0
CABLES = (
    # delay, polarity, gain in dB, noise in dB below the wet (None: no noise), drift in ppm
    (0.0, 1, 0.0, None, 0.0),
    (0.5, -1, 6.0, 40.0, 0.0),
    (17.75, 1, -20.0, 20.0, 0.0),
    (-311.25, -1, -10.0, 30.0, 0.0),
    (-2000.0, 1, 0.0, 20.0, 0.0),
    (960.3, -1, 3.0, 60.0, 5.0),
    (5000.0, 1, -6.0, 30.0, -25.0),
    (20_000.0, -1, 0.0, 20.0, 0.0),
    (19_999.6, 1, -40.0, 40.0, 100.0),
    (-1500.4, 1, 0.0, 20.0, -100.0),
    (250.0, 1, 0.0, 20.0, 50.0),
)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one dry signal of each kind and every third cable")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    if options.json and options.json.is_file():
        results = json.loads(options.json.read_text())
    for name, dry in _dries(options.data, quick=options.quick):
        for gear in GEAR:
            wet = _played(gear, dry)
            for cable in CABLES[:: 3 if options.quick else 1]:
                key = f"{name} / {gear} / {cable}"
                if key not in results:
                    results[key] = _measured(gear, dry, wet, cable, seed=zlib.crc32(key.encode()))
                    if options.json:
                        options.json.write_text(json.dumps(results, indent=1))
        print(f"{name}: done", flush=True)
    _report(list(results.values()))
    return 0


def _dries(data: Path | None, *, quick: bool) -> Iterator[tuple[str, Samples]]:
    for seed in (0,) if quick else (0, 3):
        yield f"synthesised {seed}", programme(seed, sample_rate=RATE, frames=SECONDS * RATE)
    for path in sorted((data / "dry").glob("*.flac"))[:: 8 if quick else 4] if data else ():
        audio = read_audio(path)
        if audio.sample_rate == RATE:
            yield path.stem, np.ascontiguousarray(audio.mono()[: SECONDS * RATE])


def _played(gear: str, dry: Samples) -> Samples:
    wet = dry[None]
    for name, settings in GEAR[gear]:
        wet = PedalboardEffect(name, settings).process(wet, RATE)
    return wet[0]


def _measured(gear: str, dry: Samples, wet: Samples, cable: Sequence[Any], *, seed: int) -> dict[str, Any]:
    delay, polarity, gain_db, noise_db, ppm = cable
    step = 1 / (1 + ppm * 1e-6)
    frames = int(len(wet) * (1 + ppm * 1e-6) + max(delay, 0))
    heard = np.concatenate(list(read_along(HeldRecording(wet), start=-delay * step, step=step, frames=frames)))
    if noise_db is not None:
        level = float(np.sqrt(np.mean(wet.astype(np.float64) ** 2))) * 10 ** (-noise_db / 20)
        heard = heard + np.random.default_rng(seed).normal(0, level, len(heard))
    heard = (heard * polarity * 10 ** (gain_db / 20)).astype(np.float32)
    found = measure_timing(HeldRecording(dry), HeldRecording(heard), RATE)
    return {
        "gear": gear,
        "noise_db": noise_db,
        "frames": found.frames - delay,
        "sure_to": found.uncertainty_frames,
        "ppm": found.drift_ppm - ppm,
        "polarity": found.polarity == polarity,
        "refused": found.clearness < CLEAR or found.wander_frames > 0.6,
    }


def _report(rows: Sequence[dict[str, Any]]) -> None:
    print(f"\n{'':14} {'':>5} {'':>5} | {'error in frames':^31} | {'drift':>9} | wrong    | beyond | ref-")
    head = ("gear", "takes", "sure", "median", "95 %", "worst", "sure", "worst ppm")
    print("{:14} {:>5} {:>5} | {:>7} {:>7} {:>7} {:>7} | {:>9} | polarity | own ± | used".format(*head))
    for gear in GEAR:
        own = [row for row in rows if row["gear"] == gear]
        if not own:
            continue
        kept = [row for row in own if not row["refused"]]
        error = np.abs([row["frames"] for row in kept])
        sure = [abs(row["frames"]) for row in kept if row["sure_to"] <= SURE_FRAMES]
        beyond = sum(abs(row["frames"]) > row["sure_to"] for row in kept)
        print(
            f"{gear:14} {len(own):5} {len(sure):5} | {np.median(error):7.2f} {np.quantile(error, 0.95):7.2f} "
            f"{error.max():7.2f} {max(sure, default=0.0):7.2f} | {max(abs(row['ppm']) for row in kept):9.3f} | "
            f"{sum(not row['polarity'] for row in kept):8} | {beyond:5} | {len(own) - len(kept)}"
        )
    for gear in GEAR:
        target = TARGET_FRAMES.get(gear, CLEAN_TARGET_FRAMES)
        own = [row for row in rows if row["gear"] == gear and not row["refused"]]
        missed = [row for row in own if abs(row["frames"]) > target]
        unsure = sum(row["sure_to"] > abs(row["frames"]) for row in missed)
        print(
            f"{gear}: {len(missed)} of {len(own)} wrong by more than {target} frames, {unsure} of them told as unsure"
        )
    missed = sum(abs(row["ppm"]) > TARGET_PPM for row in rows)
    print(f"drift: {missed} of {len(rows)} wrong by more than {TARGET_PPM} ppm")


if __name__ == "__main__":
    sys.exit(main())
