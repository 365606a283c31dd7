"""Learns the space of sounds from the profiles that ship, and says how well it tells them apart on playing kept back.

    python benchmarks/sound_space.py [--settings 8] [--out profiler/listening/sound_space.npz]

Each profile plays passages of every kind at settings drawn at random. What passages differ by at one setting is what
playing does; it is evened out, and of the directions that are left those are kept in which settings and profiles differ
most. Written only with --out.
"""

import argparse
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Audio
from profiler.effects.sizes import sized
from profiler.listening.descriptors import described
from profiler.listening.sound_space import WIDTH
from profiler.presets import catalogue, preset_path
from profiler.profile import LoadedProfile, Size
from profiler.profile_file import load
from profiler.programme import passages
from profiler.rendering import ProfileProcessor
from profiler.storage import write_bytes

SEEDS, KEPT_BACK = (101, 102), 103  # none is the one that profiles are listened to with
SECONDS = 2.5
SHRINKAGE = 0.3  # of what playing does, towards the same in all directions (Ledoit & Wolf 2004 show why)
Array = NDArray[np.float64]


def main() -> int:
    """Render, learn, tell, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=int, default=8)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    learnt, kept = {}, {}
    for preset in catalogue().presets:
        loaded = load(preset_path(preset.name))
        rng = np.random.default_rng(list(preset.name.encode()))
        both = heard(loaded, options.settings, rng)
        learnt[preset.name], kept[preset.name] = both[:, :-1].reshape(len(both), -1, both.shape[-1]), both[:, -1]
        print(f"{preset.name}: {both.shape[:3]}", flush=True)
    middle, directions = space(learnt)
    print(f"right profile first, of {len(learnt)}: {right(learnt, kept, middle, directions):.2f}")
    if options.out:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, middle=middle.astype(np.float32), directions=directions.astype(np.float32))
        write_bytes(options.out, buffer.getvalue())
    return 0


def heard(loaded: LoadedProfile, settings: int, rng: np.random.Generator) -> Array:
    """Return descriptors (settings, seeds, kinds of playing, COUNT), the last seed being kept back."""
    rate = loaded.profile.sample_rate
    sets = [passages(seed, sample_rate=rate, frames=int(SECONDS * rate)) for seed in (*SEEDS, KEPT_BACK)]
    dry = np.concatenate(sets)
    light = sized(loaded, Size.LIGHT) if loaded.profile.light else loaded
    found = []
    for _ in range(settings):
        at = {knob.id: knob.value_at(rng.uniform()) for knob in loaded.profile.knobs}
        wet = ProfileProcessor(light, at, oversampling=1).process(dry, rate)
        rows = [described(Audio(samples=row[None], sample_rate=rate)) for row in wet]
        found.append(np.reshape(rows, (len(sets), len(sets[0]), -1)))
    return np.array(found, np.float64)


def space(learnt: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the middle (COUNT,) and the directions (COUNT, WIDTH), for descriptors (settings, passages, COUNT)."""
    every = np.concatenate([each.reshape(-1, each.shape[-1]) for each in learnt.values()])
    middle, scale = every.mean(axis=0), every.std(axis=0) + 1e-6
    means = np.concatenate([each.mean(axis=1) for each in learnt.values()])
    apart = np.concatenate(
        [((each - each.mean(axis=1, keepdims=True)) / scale).reshape(-1, len(scale)) for each in learnt.values()]
    )
    within = apart.T @ apart / len(apart)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / len(scale) * np.eye(len(scale))
    even = np.linalg.cholesky(np.linalg.inv(within))
    _, _, main_directions = np.linalg.svd(((means - means.mean(axis=0)) / scale) @ even, full_matrices=False)
    directions = (even @ main_directions[:WIDTH].T) / scale[:, None]
    playing = (apart * scale) @ directions
    return middle, directions / np.sqrt(np.square(playing).sum(axis=1).mean())


def right(learnt: Mapping[str, Array], kept: Mapping[str, Array], middle: Array, directions: Array) -> float:
    """Return in how many of a hundred cases the nearest mean is one of the right profile, as a share."""
    places = {name: (each.mean(axis=1) - middle) @ directions for name, each in learnt.items()}
    names = [name for name, each in places.items() for _ in each]
    rows = np.concatenate(list(places.values()))
    hits = [
        names[int(np.square(rows - (one - middle) @ directions).sum(axis=1).argmin())] == name
        for name, each in kept.items()
        for one in each.reshape(-1, each.shape[-1])
    ]
    return float(np.mean(hits))


if __name__ == "__main__":
    raise SystemExit(main())
