"""How well a profile of a plugin does on real playing, at the session's held-out settings.

    python benchmarks/real_playing.py --data DIR --session S --profile P.tonecast [--json OUT]

DIR/dry holds recordings of instruments. Each is played through the gear itself and through the profile; the ESR of
every recording over all held-out settings is printed, and that of everything together.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

import profiler
from capture.plugin_rig import PluginRig
from profiler.audio import Audio, Samples
from profiler.audio_file import read_audio
from profiler.knob import KnobSettings
from profiler.knob_track import KnobTrack
from profiler.profile import LoadedProfile
from profiler.rendering import ProfileProcessor
from profiler.score import energies
from profiler.session import CaptureSession

__all__ = ["PlayingScore", "gear_wet", "held_out_settings", "played", "playing", "recordings"]

SECONDS = 10
SUFFIXES = (".wav", ".flac", ".aiff")
PEAK = 0.7

Energies = NDArray[np.float64]
"""The energy of the error and of the target by setting, of shape (settings, 2)."""


@dataclass(frozen=True, kw_only=True)
class PlayingScore:
    """ESRs: of all as one signal, by held-out setting in the session's order, and by recording."""

    whole: float
    median_setting: float
    worst_setting: float
    worst_recording: float
    settings: Sequence[float]
    recordings: Mapping[str, float]

    @classmethod
    def of(cls, energies_by_recording: Mapping[str, Energies]) -> "PlayingScore":
        """Return the score of these recordings."""
        every = np.asarray(list(energies_by_recording.values()))  # of shape (recordings, settings, 2)
        error, target = every.sum(axis=0).T
        recordings = {name: _esr(each) for name, each in energies_by_recording.items()}
        return cls(
            whole=float(error.sum() / target.sum()),
            median_setting=float(np.median(error / target)),
            worst_setting=float((error / target).max()),
            worst_recording=max(recordings.values()),
            settings=(error / target).tolist(),
            recordings=recordings,
        )


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
    settings = held_out_settings(session)
    paths = recordings(options.data)
    if not paths or not settings:
        parser.error(f"{options.data / 'dry'} must hold {', '.join(SUFFIXES)} files, and the session held-out takes")
    found = {}
    for path in paths:
        found[path.stem] = played(
            loaded, playing(path, session.sample_rate), settings, lambda dry, each: gear_wet(session, dry, each)
        )
        print(f"{path.stem:24} {_esr(found[path.stem]):.5f}", flush=True)
    score = PlayingScore.of(found)
    print(
        f"{'all':24} {score.whole:.5f}   by setting: median {score.median_setting:.5f}, worst {score.worst_setting:.5f}"
    )
    if options.json:
        options.json.write_text(json.dumps(asdict(score), indent=1))
    return 0


def recordings(data: Path) -> list[Path]:
    """Return the files in DATA/dry."""
    return [path for path in sorted((data / "dry").iterdir()) if path.suffix in SUFFIXES]


def playing(path: Path, sample_rate: int) -> Audio:
    """Return the first ten seconds of a recording's first channel, at a peak of 0.7. Raises AudioError.

    It is brought to the session's rate: gear need not be the same at another, and the profile is of it at that one.
    """
    audio = read_audio(path)
    dry = soxr.resample(audio.samples[0, : SECONDS * audio.sample_rate], audio.sample_rate, sample_rate)
    return Audio(samples=dry[None] / np.abs(dry).max() * np.float32(PEAK), sample_rate=sample_rate)


def held_out_settings(session: CaptureSession) -> list[KnobSettings]:
    """Return the settings that no profile of the session has learnt, each once."""
    return [take.settings for take in session.takes if take.held_out and take.settings and not take.replicate_of]


def gear_wet(session: CaptureSession, dry: Audio, settings: KnobSettings) -> Samples:
    """Return what the session's gear makes of a signal. Raises GearError."""
    with PluginRig(session.gear, session.knobs, sample_rate=dry.sample_rate) as rig:
        return rig.play(dry, KnobTrack.still(settings), on_done=lambda _: None).samples


def played(
    loaded: LoadedProfile,
    dry: Audio,
    settings: Sequence[KnobSettings],
    wet: Callable[[Audio, KnobSettings], Samples],
) -> Energies:
    """Return how far a profile is from `wet`, the gear's answer to a recording at one of the settings."""
    pairs = [
        energies(wet(dry, each), ProfileProcessor(loaded, each).process(dry.samples, dry.sample_rate))
        for each in settings
    ]
    return np.asarray(pairs)


def _esr(each: Energies) -> float:
    error, target = each.sum(axis=0)
    return float(error / target)


if __name__ == "__main__":
    sys.exit(main())
