"""How well a profile of a plugin does on real playing, at the session's held-out settings.

    python benchmarks/real_playing.py --data DIR --session S --profile P.tonecast [--json OUT]

DIR/dry holds recordings of instruments. Each is played through the gear itself and through the profile; the ESR of
every recording over all held-out settings is printed, and that of everything together.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import profiler
from capture.plugin_rig import PluginRig
from profiler.audio_file import read_audio
from profiler.knob_track import KnobTrack
from profiler.rendering import ProfileProcessor
from profiler.score import energies

SECONDS = 10
SUFFIXES = (".wav", ".flac", ".aiff")
PEAK = 0.7


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--session", type=Path, required=True)
    parser.add_argument("--profile", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    session = profiler.SessionFolder.open(options.session).session
    loaded = profiler.load(options.profile)
    settings = [take.settings for take in session.takes if take.held_out and take.settings and not take.replicate_of]
    results = {}
    every = np.zeros((len(settings), 2))
    recordings = [path for path in sorted((options.data / "dry").iterdir()) if path.suffix in SUFFIXES]
    if not recordings or not settings:
        parser.error(f"{options.data / 'dry'} must hold {', '.join(SUFFIXES)} files, and the session held-out takes")
    for path in recordings:
        pairs = np.asarray([_energies(path, loaded, session, each) for each in settings])
        every += pairs
        results[path.stem] = pairs[:, 0].sum() / pairs[:, 1].sum()
        print(f"{path.stem:24} {results[path.stem]:.5f}", flush=True)
    ratios = every[:, 0] / every[:, 1]
    results |= {
        "all": every[:, 0].sum() / every[:, 1].sum(),
        "median_setting": float(np.median(ratios)),
        "worst_setting": float(ratios.max()),
    }
    print(f"{'all':24} {results['all']:.5f}   by setting: median {np.median(ratios):.5f}, worst {ratios.max():.5f}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


def _energies(path: Path, loaded, session, settings) -> tuple[float, float]:
    audio = read_audio(path)
    dry = audio.samples[:1, : SECONDS * audio.sample_rate]
    dry = profiler.Audio(samples=dry / np.abs(dry).max() * np.float32(PEAK), sample_rate=audio.sample_rate)
    with PluginRig(session.gear, session.knobs, sample_rate=audio.sample_rate) as rig:
        wet = rig.play(dry, KnobTrack.still(settings), on_done=lambda _: None)
    predicted = ProfileProcessor(loaded, settings).process(dry.samples, audio.sample_rate)
    return energies(wet.samples, predicted)


if __name__ == "__main__":
    sys.exit(main())
