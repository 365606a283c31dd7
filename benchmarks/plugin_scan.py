"""How many of this machine's LV2 plugins can be captured, how fast, and why the others cannot.

    python benchmarks/plugin_scan.py --json OUT [--seconds 2] [--only WORD]

Two seconds of playing go through each plugin at its defaults, in a process of its own. What was found is written
after every plugin, so a scan that was stopped goes on where it was; remove the file to scan anew. No --data: the
playing is synthetic.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from profiler.composer import compose
from profiler.errors import ProfilerError
from profiler.plugins import HostedPlugin
from profiler.plugins.lilv import World
from profiler.storage import write_bytes

RATE = 48_000
START_SECONDS = 10  # within the programme, behind the measuring tones
PATIENCE_SECONDS = 30.0


def main() -> int:
    """Scan, and print the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", default="", help="scan only plugins with this in their URI")
    options = parser.parse_args()
    found = json.loads(options.json.read_text()) if options.json.exists() else {}
    dry = _playing(options.seconds)
    uris = [uri for uri in World().uris() if options.only in uri]
    for number, uri in enumerate(uris):
        if uri not in found:
            found[uri] = _scanned(uri, dry)
            write_bytes(options.json, json.dumps(found, indent=1).encode())
            row = found[uri]
            print(f"{number + 1}/{len(uris)} {row.get('error') or row['speed']} {uri}", flush=True)
    _sum_up({uri: found[uri] for uri in uris})
    return 0


def _playing(seconds: float) -> np.ndarray:
    _, dry = compose("short", seed=0, sample_rate=RATE, seconds=None)
    start = START_SECONDS * RATE
    return dry.samples[:, start : start + int(seconds * RATE)]


def _scanned(uri: str, dry: np.ndarray) -> dict[str, object]:
    """Return what one plugin did: its speed in seconds of audio per second, its level, and whether it repeats."""
    begun = time.monotonic()
    try:
        with HostedPlugin(f"lv2:{uri}", patience_seconds=PATIENCE_SECONDS) as plugin:
            loaded = time.monotonic()
            wet = plugin.process(dry, RATE)
            played = time.monotonic()
            again = plugin.process(dry, RATE)
    except ProfilerError as error:
        return {"error": str(error)}
    if wet.shape != dry.shape or not np.isfinite(wet).all():
        return {"error": f"returned {wet.shape} with {int((~np.isfinite(wet)).sum())} values that are not numbers"}
    return {
        "knobs": len(plugin.knobs),
        "load_seconds": round(loaded - begun, 3),
        # A second of silence goes before the audio and takes its time too.
        "speed": round((dry.shape[1] / RATE + 1) / (played - loaded), 1),
        "peak": round(float(np.abs(wet).max()), 4),
        "repeats": bool(np.array_equal(wet, again)),
        "side_db": plugin.side_db,
    }


def _sum_up(found: dict[str, dict[str, object]]) -> None:
    ran = {uri: row for uri, row in found.items() if "error" not in row}
    speeds = sorted(float(str(row["speed"])) for row in ran.values())
    print(
        f"{len(ran)} of {len(found)} plugins ran; {sum(bool(row['repeats']) for row in ran.values())} repeat exactly."
    )
    if speeds:
        middle = speeds[len(speeds) // 2]
        print(f"Seconds of audio per second: slowest {speeds[0]}, median {middle}, fastest {speeds[-1]}.")
    for uri, row in found.items():
        if "error" in row:
            print(f"  {uri}: {row['error']}")


if __name__ == "__main__":
    sys.exit(main())
