"""How fast profiles and chains render on one core, beside pedalboard's own Distortion and Convolution in the same run.

    python benchmarks/render_speed.py PROFILE_OR_CHAIN... [--seconds 20] [--rounds 5] [--json OUT]

Each plays the same mono noise at 48 kHz in blocks of 65,536 frames, as files are rendered; a profile also in its light
size, oversampled, and with its first knob turning all the time. Rounds alternate and the best counts, so that what else
the machine does slows all alike.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from profiler.audio import Audio
from profiler.automation import Automation, Turn
from profiler.chain import ImpulseResponse
from profiler.chain_file import read_chain
from profiler.effects.sizes import sized
from profiler.pedalboard_effect import PedalboardEffect
from profiler.processor import Processor
from profiler.profile import LoadedProfile, Size
from profiler.profile_file import load
from profiler.rendering import ProfileProcessor, build_chain

RATE, BLOCK_FRAMES, RESPONSE_SECONDS = 48_000, 65_536, 1.0


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("effects", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    dry = np.random.default_rng(0).normal(0, 0.1, (1, int(options.seconds * RATE))).astype(np.float32)
    ways = dict(_ways(options.effects, options.seconds))
    best = dict.fromkeys(ways, 0.0)
    for _ in range(options.rounds):
        for name, play in ways.items():
            begun = time.perf_counter()
            play(dry)
            best[name] = max(best[name], options.seconds / (time.perf_counter() - begun))
    distortion = best["pedalboard's Distortion"]
    for name, speed in best.items():
        print(f"{name:44} {speed:9.1f} times real time  {speed / distortion:7.3f} of pedalboard's Distortion")
    if options.json:
        options.json.write_text(json.dumps(best, indent=1))
    return 0


def _ways(effects: list[Path], seconds: float) -> Iterator[tuple[str, Callable[[np.ndarray], None]]]:
    response = np.random.default_rng(1).normal(0, 0.01, (1, int(RESPONSE_SECONDS * RATE))).astype(np.float32)
    yield "pedalboard's Distortion", _playing(PedalboardEffect("Distortion"))
    yield "pedalboard's Convolution, 1 s", _convolving(response)
    yield "an impulse response, 1 s", _playing(ImpulseResponse(Audio(samples=response, sample_rate=RATE)))
    for path in effects:
        if path.suffix == ".json":
            yield path.stem, _playing(build_chain(read_chain(path), {}))
            continue
        loaded = load(path)
        kinds = ", ".join(stage.kind for stage in loaded.profile.stages)
        yield f"{path.stem} ({kinds})", _playing(ProfileProcessor(loaded, oversampling=1))
        yield f"{path.stem}, a knob turning", _playing(_turning(loaded, seconds))
        yield f"{path.stem}, twice oversampled", _playing(ProfileProcessor(loaded, oversampling=2))
        if loaded.profile.light:
            yield f"{path.stem}, light", _playing(ProfileProcessor(sized(loaded, Size.LIGHT), oversampling=1))


def _turning(loaded: LoadedProfile, seconds: float) -> ProfileProcessor:
    """Return a processor whose first knob goes through its range and back, a second each way."""
    knobs = [knob for knob in loaded.profile.knobs if not knob.choices][:1]
    turns = tuple(
        Turn(seconds=float(number), knob=knob.id, value=knob.value_at(number % 2), glide_seconds=1.0)
        for number in range(int(seconds))
        for knob in knobs
    )
    return ProfileProcessor(loaded, automation=Automation(turns=turns), oversampling=1)


def _playing(processor: Processor) -> Callable[[np.ndarray], None]:
    def play(dry: np.ndarray) -> None:
        processor.reset()
        for start in range(0, dry.shape[1], BLOCK_FRAMES):
            processor.feed(dry[:, start : start + BLOCK_FRAMES], RATE)
        processor.flush()

    return play


def _convolving(response: np.ndarray) -> Callable[[np.ndarray], None]:
    import pedalboard  # noqa: PLC0415 - beside ours, as others use it

    convolution = pedalboard.Convolution(response[0], mix=1.0, sample_rate=RATE)

    def play(dry: np.ndarray) -> None:
        convolution.reset()
        for start in range(0, dry.shape[1], BLOCK_FRAMES):
            convolution.process(dry[:, start : start + BLOCK_FRAMES], RATE, reset=False)

    return play


if __name__ == "__main__":
    sys.exit(main())
