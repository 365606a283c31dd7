"""What ships: every profile and every chain, played."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from profiler.audio import Samples
from profiler.chain_file import read_chain
from profiler.effects.sizes import sized
from profiler.knob import default_settings
from profiler.knob_moves import knob_moves
from profiler.presets import catalogue, preset_path
from profiler.profile import LoadedProfile, Size
from profiler.profile_file import load
from profiler.programme import programme
from profiler.rendering import ProfileProcessor, build_chain

PROFILES = [preset.name for preset in catalogue().presets]
CHAINS = [preset.name for preset in catalogue().chains]
LARGEST_BYTES = 200_000

Blocks = Callable[[object, Samples, int, Sequence[int]], Samples]


def sizes(loaded: LoadedProfile) -> list[Size]:
    """Return the sizes that a profile has."""
    return [Size.FULL, Size.LIGHT] if loaded.profile.light else [Size.FULL]


def test_there_are_enough_profiles_and_chains_and_no_other_files():
    """All that lies there is told of, and all that is told of lies there."""
    assert len(PROFILES) >= 9
    assert len(CHAINS) >= 12
    folder = preset_path(PROFILES[0]).parent
    assert {path.stem for path in folder.glob("*.tonecast")} == set(PROFILES)
    assert {path.stem for path in folder.glob("*.json")} == {*CHAINS, "presets"}
    assert {path.stem for path in (folder / "gear").glob("*.json")} == set(PROFILES)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_small_scored_and_usable_in_each_size(name: str):
    """Its file says how close it is, on settings and playing that it never heard, and it has no findings."""
    path = preset_path(name)
    profile = load(path).profile
    assert path.stat().st_size <= LARGEST_BYTES
    for of in filter(None, (profile, profile.light)):
        assert of.score is not None
        assert of.score.esr_worst is not None
        assert of.score.esr_worst <= 0.035
    assert not profile.provenance.findings
    assert 2 <= len(profile.knobs) <= 4


@pytest.mark.parametrize("name", PROFILES)
def test_its_knobs_are_those_of_the_catalogue_and_its_gear_that_of_its_chain_file(name: str):
    """What is described is what was learnt, and can be captured again."""
    (preset,) = (each for each in catalogue().presets if each.name == name)
    path = preset_path(name)
    profile = load(path).profile
    assert [text.partition("=")[0] for text in preset.knobs] == [knob.id for knob in profile.knobs]
    assert profile.gear.chain == read_chain(path.parent / "gear" / f"{name}.json")


@pytest.mark.parametrize("name", PROFILES)
def test_its_golden_pair_is_what_it_plays(name: str):
    """At the settings of the pair."""
    loaded = load(preset_path(name))
    wet = ProfileProcessor(loaded, loaded.profile.golden_settings).process(
        loaded.golden_dry, loaded.profile.sample_rate
    )
    assert np.abs(wet - loaded.golden_wet).max() < 1e-4
    assert np.abs(wet).max() > 1e-3


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_blocks_of_any_size_give_the_sound_of_the_whole(name: str, rate: int, in_blocks: Blocks):
    """In each size, in blocks of one and a few and many frames."""
    loaded = load(preset_path(name))
    dry = programme(5, sample_rate=rate, frames=rate // 4)[None]
    for size in sizes(loaded):
        processor = ProfileProcessor(sized(loaded, size), default_settings(loaded.profile.knobs))
        whole = processor.process(dry, rate)
        for blocks in ([1, 17, 640], [8192]):
            assert np.abs(in_blocks(processor, dry, rate, blocks) - whole).max() < 1e-5


@pytest.mark.parametrize("name", PROFILES)
def test_silence_is_silent(name: str):
    """To -80 dBFS, at both ends of all knobs, in each size."""
    loaded = load(preset_path(name))
    silence = np.zeros((1, loaded.profile.sample_rate // 4), np.float32)
    for size in sizes(loaded):
        for end in (0.0, 1.0):
            settings = {knob.id: knob.value_at(end) for knob in loaded.profile.knobs}
            wet = ProfileProcessor(sized(loaded, size), settings).process(silence, loaded.profile.sample_rate)
            assert np.abs(wet).max() < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "beside_a_tone_db"), [("tube-preamp", -61.5), ("bus-compressor", -57.5), ("fuzz", -65.5)]
)
def test_moving_a_knob_leaves_nothing_that_is_heard(name: str, beside_a_tone_db: float):
    """Its whole range in 50 ms, in silence and beside a tone: one of each kind of effect.

    `benchmarks/build_presets.py` measures all; the compressor's threshold misses -60 dBFS.
    """
    for move in knob_moves(load(preset_path(name))):
        assert move.silence_db <= -60, move
        assert move.tone_db <= beside_a_tone_db, move


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_plays(name: str, in_blocks: Blocks):
    """In stereo, in blocks and at once alike, at a level that is of use, and silent in silence."""
    rate = 44_100
    dry = np.repeat(programme(6, sample_rate=rate, frames=rate // 2)[None], 2, axis=0)
    with build_chain(read_chain(preset_path(name)), {}) as chain:
        whole = chain.process(dry, rate)
        assert whole.shape == dry.shape
        assert np.abs(in_blocks(chain, dry, rate, [1000, 37]) - whole).max() < 1e-4
        assert np.abs(chain.process(0 * dry, rate)).max() < 1e-4
    change_db = 10 * np.log10(np.mean(whole**2) / np.mean(dry**2))
    assert -15 < change_db < 15
    assert np.abs(whole).max() < 4


def test_chains_refer_to_what_ships_alone():
    """No plugin, and no file of somebody's: they play on every machine."""
    for name in CHAINS:
        text = preset_path(name).read_text()
        assert '"plugin"' not in text
        assert '"ir"' not in text
        for part in read_chain(preset_path(name)).parts():
            if getattr(part, "kind", "") == "profile":
                assert Path(part.ref).parent == preset_path(PROFILES[0]).parent
