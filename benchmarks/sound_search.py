"""How well the search by sound finds profiles, how true fitted knobs are, how soon tags are learnt, and how fast it is.

    python benchmarks/sound_search.py --data DIR --work DIR [--profiles DIR] [--renders 200] [--fits 20] [--clients 50]
                                      [--parts library,search,fits,tags,speed]
                                      [--json OUT]

The library is the profiles that ship and every `moving-5m-300s-seed-0.tonecast` under --profiles, each listened to with
its own playing. Renders are at settings drawn at random, of 10 s from the dry recordings of --data, which neither the
library nor the space of sounds has heard. What profiles sound like is kept in --work, as are renders, so a run that was
stopped goes on. Speed is of made-up places, as many as 100,000 profiles of 17 settings have.
"""

import argparse
import json
import random
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.listening.index import SoundIndex, Sounds
from api.listening.tag_model import learn_tag, worth_asking
from api.listening.tagging import LEAST_PROBABILITY
from api.listening.timbres import timbres
from api.turns import Turns
from profiler.audio import Audio, Samples
from profiler.audio_file import read_audio, reading, write_audio
from profiler.knob import KnobSettings
from profiler.listening.recording_sound import recording_sound
from profiler.listening.sound_space import WIDTH, placed
from profiler.matching import match_profiles
from profiler.presets import catalogue, preset_path
from profiler.profile import LoadedProfile
from profiler.profile_file import load
from profiler.recording import HeldRecording
from profiler.rendering import ProfileProcessor
from profiler.sounds import profile_sounds

SECONDS = 10
RATE = 48_000
TAGGED, TAG_ROUNDS = 20, 10
NO_MEAN = np.zeros(0, np.float16)
FAMILIES = {
    "compressor": ("bus-compressor", "optical-compressor"),
    "channel": ("vocal-channel", "bass-channel", "tape", "tube-preamp"),
    "high gain": ("fuzz", "big_muff", "diode-distortion"),
    "drive": ("ts9", "crunch-amp", "big_chump", "jcm800pre"),
}
"""Tags of the families that profiles belong to; besides, sounds are tagged by what is measured of their settings."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Render:
    """A wet of a profile at random settings: of which, at which, of what, and its place in the space of sounds."""

    profile: str
    settings: KnobSettings
    dry: str
    place: NDArray[np.float32]


def main() -> int:
    """Do the parts that were asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--profiles", type=Path)
    parser.add_argument("--renders", type=int, default=200)
    parser.add_argument("--fits", type=int, default=20)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--parts", default="library,search,fits,tags,speed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    wanted = options.parts.split(",")
    results: dict[str, Any] = {}
    if {"library", "search", "fits", "tags"} & set(wanted):
        profiles = {name: load(path) for name, path in sorted(paths(options.profiles).items())}
        descriptors = dict(heard(profiles, options.work))
        library = {name: placed(each) for name, each in descriptors.items()}
        results["library"] = {"profiles": len(library), "settings": sum(len(each) for each in library.values())}
        renders = list(rendered(profiles, options))
        results["search"] = searched(library, renders)
        if "tags" in wanted:
            results["tags"] = tagged(descriptors)
        if "fits" in wanted:
            results["fits"] = fitted(profiles, library, renders[: options.fits], options.data)
    if "speed" in wanted:
        results["speed"] = timed(options.clients)
    for part, told in results.items():
        for name, value in told.items():
            print(f"{part:8} {name:46} {value if not isinstance(value, float) else f'{value:.3g}'}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def paths(folder: Path | None) -> dict[str, Path]:
    """Return the files of all profiles by name."""
    found = {preset.name: preset_path(preset.name) for preset in catalogue().presets}
    more = folder.glob("*/moving-5m-300s-seed-0.tonecast") if folder else ()
    # Gear captured with fewer of its knobs is the same gear: which of its profiles is right cannot be told.
    return found | {path.parent.name: path for path in more if not path.parent.name.endswith(("_one", "_two"))}


def heard(profiles: Mapping[str, LoadedProfile], work: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the descriptors (settings, COUNT) of each profile."""
    for name, loaded in profiles.items():
        kept = work / f"{name}.npy"
        if not kept.exists():
            began = time.process_time()
            np.save(kept, profile_sounds(loaded).descriptors)
            print(f"{name}: listened to in {time.process_time() - began:.1f} s of the processor", flush=True)
        yield name, np.load(kept)


def rendered(profiles: Mapping[str, LoadedProfile], options: argparse.Namespace) -> Iterator[Render]:
    """Yield renders, profiles in turn, at settings and of playing drawn at random."""
    drys = sorted(path.name for path in (options.data / "dry").glob("*.flac"))
    names = list(profiles)
    for number in range(options.renders):
        dice = random.Random(number)
        name = names[number % len(names)]
        knobs = profiles[name].profile.knobs
        settings = {knob.id: knob.value_at(dice.random()) for knob in knobs}
        dry_name = dice.choice(drys)
        kept = options.work / f"render-{number}.npy"
        if not kept.exists():
            dry = playing(options.data / "dry" / dry_name)
            wet = ProfileProcessor(profiles[name], settings, oversampling=1).process(dry[None], RATE)
            file = options.work / "render.wav"
            write_audio(file, Audio(samples=wet, sample_rate=RATE))
            with reading(file) as reader:
                np.save(kept, recording_sound(reader))
        yield Render(profile=name, settings=settings, dry=dry_name, place=placed(np.load(kept)[None])[0])


def playing(path: Path) -> Samples:
    """Return 10 s from the middle of a recording, its peak at -2 dBFS, at 48 kHz."""
    import soxr  # noqa: PLC0415 - two of the recordings are at another rate

    audio = read_audio(path)
    mono = soxr.resample(audio.mono(), audio.sample_rate, RATE)
    start = max(len(mono) // 2 - SECONDS * RATE // 2, 0)
    excerpt = mono[start : start + SECONDS * RATE]
    return np.asarray(excerpt / np.abs(excerpt).max() * 0.8, np.float32)


def searched(library: Mapping[str, NDArray[np.float32]], renders: list[Render]) -> dict[str, Any]:
    """Return how often the right profile is first, and among the first five."""
    names = list(library)
    index = indexed(library)
    ranks: dict[str, list[int]] = {name: [] for name in names}
    for render in renders:
        order = [names[each.id] for each in index.nearest(render.place, len(names))]
        ranks[render.profile].append(order.index(render.profile))
    everything = [rank for each in ranks.values() for rank in each]
    shipped = {preset.name for preset in catalogue().presets}
    own = [rank for name, each in ranks.items() if name in shipped for rank in each]
    others = [rank for name, each in ranks.items() if name not in shipped for rank in each]
    told = {"renders": len(renders), "first": share(everything, 1), "among the first five": share(everything, 5)}
    told["five at random would be"] = 5 / len(names)
    told["first five, profiles the space was learnt from"] = share(own, 5)
    if others:
        told["first five, profiles the space never saw"] = share(others, 5)
    return told | {f"first five, {name}": share(each, 5) for name, each in ranks.items()}


def indexed(library: Mapping[str, NDArray[np.float32]]) -> SoundIndex:
    """Return an index of profiles, by their numbers in the library."""
    return SoundIndex.empty(WIDTH, 0).with_sounds(
        [Sounds(id=number, entry_id=number, places=each, mean=NO_MEAN) for number, each in enumerate(library.values())]
    )


def share(ranks: list[int], most: int) -> float:
    """Return the share of ranks, counted from 0, that are below `most`."""
    return sum(rank < most for rank in ranks) / max(len(ranks), 1)


def fitted(
    profiles: Mapping[str, LoadedProfile],
    library: Mapping[str, NDArray[np.float32]],
    renders: list[Render],
    data: Path,
) -> dict[str, Any]:
    """Return how true knobs are that are fitted to dry and wet, among the five profiles that the search proposes."""
    names = list(library)
    index = indexed(library)
    errors, told_errors, right, seconds = [], [], 0, []
    for render in renders:
        proposed = [names[each.id] for each in index.nearest(render.place, 5)]
        dry = playing(data / "dry" / render.dry)
        wet = ProfileProcessor(profiles[render.profile], render.settings).process(dry[None], RATE)[0]
        pair = (HeldRecording(dry), HeldRecording(wet))
        began = time.process_time()
        found = match_profiles({name: profiles[name] for name in proposed}, lambda _, pair=pair: pair)
        seconds.append(time.process_time() - began)
        right += found[0][0] == render.profile
        matches = dict(found)
        for knob in profiles[render.profile].profile.knobs:
            true = float(knob.position(render.settings[knob.id])[0])
            match = matches.get(render.profile)
            error = 1.0 if match is None else abs(float(knob.position(match.settings[knob.id])[0]) - true)
            errors.append(error)
            if match is not None and match.give.get(knob.id, 1.0) < 0.2:
                told_errors.append(error)
        print(f"{render.profile} of {render.dry}: {found[0][0]}, ESR {found[0][1].esr:.6f}", flush=True)
    return {
        "renders": len(renders),
        "right profile first": right / len(renders),
        "knobs": len(errors),
        "knob error, median": statistics.median(errors),
        "knob error, mean": statistics.mean(errors),
        "knobs that the wet tells": len(told_errors),
        "their error, median": statistics.median(told_errors),
        "processor seconds, median": statistics.median(seconds),
    }


def tagged(library: Mapping[str, NDArray[np.float32]]) -> dict[str, Any]:
    """Return the F1 of each tag on sounds whose tags were not told, after 20 were: half yes, half no, or as they come.

    Every setting stands for a profile without knobs, as most of what is shared is.
    """
    sounds = timbres(np.concatenate(list(library.values())).astype(np.float16))
    owners = np.array([name for name, each in library.items() for _ in each])
    scores: dict[str, list[float]] = {}
    sure: list[tuple[float, bool]] = []
    for tag, names in FAMILIES.items():
        fits = np.isin(owners, names)
        for round_ in range(TAG_ROUNDS):
            chance = np.random.default_rng(round_).permutation(len(fits))
            yes, no = chance[fits[chance]], chance[~fits[chance]]
            half = TAGGED // 2
            for kind, told in (("half yes", np.append(yes[:half], no[:half])), ("as they come", chance[:TAGGED])):
                if fits[told].all() or not fits[told].any():
                    continue
                rest = np.setdiff1d(chance, told)
                model = learn_tag(sounds[told], fits[told], np.ones(len(told)))
                likely, right = model.probabilities(sounds[rest]), fits[rest]
                proposed = likely >= max(worth_asking(model.probabilities(sounds)), LEAST_PROBABILITY)
                hits = int((proposed & right).sum())
                score = 2 * hits / max(int(proposed.sum() + right.sum()), 1)
                scores.setdefault(f"F1, {tag}, {kind}", []).append(score)
                scores.setdefault(f"F1, mean of all tags, {kind}", []).append(score)
                sure += zip(likely.tolist(), right.tolist(), strict=True) if kind == "as they come" else ()
    result: dict[str, Any] = {name: statistics.mean(each) for name, each in scores.items()}
    for low, high in ((0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.01)):
        those = [right for likely, right in sure if low <= likely < high]
        if those:
            result[f"right, of proposals {low:g} to {min(high, 1):g} sure"] = statistics.mean(those)
    return result


def timed(clients: int) -> dict[str, Any]:
    """Return how long a search of 100,000 profiles takes, and how many places it looks at."""
    rng = np.random.default_rng(0)
    scale = np.geomspace(2, 0.2, WIDTH)
    sounds = []
    for number in range(100_000):
        turns = rng.uniform(-1, 1, (17, 3)) @ (rng.normal(size=(3, WIDTH)) * 0.7 * scale)
        places = (rng.normal(size=WIDTH) * scale + turns).astype(np.float32)
        sounds.append(Sounds(id=number, entry_id=number, places=places, mean=NO_MEAN))
    loose = SoundIndex.empty(WIDTH, 0).with_sounds(sounds)
    began = time.process_time()
    index = loose.in_cells()
    result: dict[str, Any] = {"places": 1_700_000, "put in cells, processor s": time.process_time() - began}
    noise = rng.normal(size=(400, WIDTH)) * 0.15
    asked = [(sounds[250 * number].places[3] + far).astype(np.float32) for number, far in enumerate(noise)]
    began = time.process_time()
    counted = [index.counted(place, 10) for place in asked]
    result["processor ms a search"] = (time.process_time() - began) / len(asked) * 1000
    result["places looked at"] = statistics.mean(looked for _, looked in counted)
    exact = [{each.id for each in loose.nearest(place, 10)} for place in asked[:30]]
    found = [{each.id for each in told} for told, _ in counted[:30]]
    result["found of the ten nearest"] = statistics.mean(len(a & b) / 10 for a, b in zip(exact, found, strict=True))
    return result | at_once(index, asked, clients)


def at_once(index: SoundIndex, asked: list[NDArray[np.float32]], clients: int) -> dict[str, Any]:
    """Return how long clients wait that ask over and over, as fast as they are answered."""
    times: list[float] = []
    turns = Turns()

    def ask(client: int) -> None:
        for number in range(20):
            began = time.perf_counter()
            with turns.one():
                index.nearest(asked[(client * 20 + number) % len(asked)], 10)
            times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(times) / (time.perf_counter() - began)
    ranked = sorted(times)
    return {
        "clients": clients,
        "searches a second": rate,
        "median ms": ranked[len(ranked) // 2] * 1000,
        "p99 ms": ranked[int(0.99 * len(ranked))] * 1000,
    }


if __name__ == "__main__":
    raise SystemExit(main())
