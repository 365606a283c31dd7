"""Chains from chain files."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

import profiler
from profiler.automation import Automation, Turn
from profiler.chain_file import Branch, ChainFile, Slot, read_chain
from profiler.errors import AudioError, ChainError, GearError, KnobError, ProfileError
from profiler.pedalboard_effect import PedalboardEffect
from profiler.plugins import HostedPlugin
from profiler.rendering import ProfileProcessor, build_chain

SAMPLE_RATE = 48_000
DRY = np.random.default_rng(3).normal(0, 0.2, (2, 9000)).astype(np.float32)


def mixed(profile: Path) -> ChainFile:
    """Return a chain of a pedalboard effect, a profile and another effect."""
    return ChainFile(
        slots=(
            Slot(id="boost", kind="pedalboard", ref="Gain", settings={"gain_db": 6}),
            Slot(id="drive", kind="profile", ref=str(profile), settings={"drive_db": 30}),
            Slot(id="limit", kind="pedalboard", ref="BrickwallLimiter"),
        )
    )


def test_slots_play_in_order_at_their_settings(trained: Path):
    """The chain is its slots one after the other, at the settings that the file gives them."""
    expected = PedalboardEffect("Gain", {"gain_db": 6}).process(DRY, SAMPLE_RATE)
    expected = ProfileProcessor(profiler.load(trained), {"drive_db": 30}).process(expected, SAMPLE_RATE)
    expected = PedalboardEffect("BrickwallLimiter").process(expected, SAMPLE_RATE)
    wet = build_chain(mixed(trained), {}).process(DRY, SAMPLE_RATE)
    assert np.abs(wet - expected).max() < 1e-5
    assert np.abs(wet - DRY).max() > 0.1


def test_settings_go_on_top_of_the_files_own(trained: Path):
    """`slot.knob` turns that knob of that slot and leaves the others where the file has them."""
    expected = PedalboardEffect("Gain", {"gain_db": -20}).process(DRY, SAMPLE_RATE)
    expected = ProfileProcessor(profiler.load(trained), {"drive_db": 5}).process(expected, SAMPLE_RATE)
    expected = PedalboardEffect("BrickwallLimiter", {"ceiling_db": -30}).process(expected, SAMPLE_RATE)
    chain = build_chain(mixed(trained), {"boost.gain_db": -20, "drive.drive_db": "5", "limit.ceiling_db": -30})
    assert np.abs(chain.process(DRY, SAMPLE_RATE) - expected).max() < 1e-5


@pytest.mark.parametrize("name", ["gain_db", "boots.gain_db", "boost.", "boost.drive_db", ".gain_db"])
def test_a_knob_that_no_slot_has_is_refused(trained: Path, name: str):
    """A name without a slot, of another slot or of another knob is answered with what there is."""
    with pytest.raises(KnobError, match=r"boost, drive, limit|It has: gain_db"):
        build_chain(mixed(trained), {name: 1})


def test_a_value_out_of_range_is_refused_in_either_kind_of_slot(trained: Path):
    """pedalboard's ranges and the profile's both hold."""
    for name in ("boost.gain_db", "drive.drive_db"):
        with pytest.raises(KnobError, match="cannot stand at 1000"):
            build_chain(mixed(trained), {name: 1000})


def test_a_profile_is_found_beside_the_chain_file(trained: Path, tmp_path: Path):
    """A chain file names a profile relative to itself."""
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "drive.tonecast").write_bytes(trained.read_bytes())
    file = tmp_path / "sounds" / "chain.json"
    file.write_text('{"version": 0, "slots": [{"id": "a", "kind": "profile", "ref": "drive.tonecast"}]}')
    wet = build_chain(read_chain(file), {"a.drive_db": 20}).process(DRY, SAMPLE_RATE)
    expected = ProfileProcessor(profiler.load(trained), {"drive_db": 20}).process(DRY, SAMPLE_RATE)
    assert np.array_equal(wet, expected)


def test_a_slot_that_cannot_be_built_says_so(tmp_path: Path):
    """An unknown effect and a profile that is not there are errors of their own kind."""
    with pytest.raises(GearError, match="Fuzz"):
        build_chain(ChainFile(slots=(Slot(id="a", kind="pedalboard", ref="Fuzz"),)), {})
    with pytest.raises(ProfileError, match="not there"):
        build_chain(ChainFile(slots=(Slot(id="a", kind="profile", ref=str(tmp_path / "no.tonecast")),)), {})


@pytest.mark.usefixtures("lv2")
def test_plugins_play_in_a_chain():
    """A plugin's slot plays what the plugin does, at its settings with others on top, until the chain is closed."""
    ref = "lv2:urn:zamaudio:ZamEQ2"
    slots = (
        Slot(id="boost", kind="pedalboard", ref="Gain", settings={"gain_db": 6}),
        Slot(id="eq", kind="plugin", ref=ref, settings={"boost1": 12, "f1": 2000}),
    )
    with HostedPlugin(ref, {"boost1": -20, "f1": 2000}) as plugin:
        expected = plugin.process(PedalboardEffect("Gain", {"gain_db": 6}).process(DRY, SAMPLE_RATE), SAMPLE_RATE)
    with build_chain(ChainFile(slots=slots), {"eq.boost1": -20}) as chain:
        assert np.array_equal(chain.process(DRY, SAMPLE_RATE), expected)
        assert np.abs(expected - DRY).max() > 0.1
    with pytest.raises(GearError, match="runs no more"):
        chain.process(DRY, SAMPLE_RATE)


@pytest.mark.usefixtures("lv2")
def test_a_chain_that_cannot_be_built_leaves_no_plugin_running():
    """When a later slot fails, the plugins opened before it are closed, and the error is the slot's."""
    slots = (
        Slot(id="eq", kind="plugin", ref="lv2:urn:zamaudio:ZamEQ2"),
        Slot(id="none", kind="plugin", ref="lv2:urn:nobody:knows"),
    )
    before = threading.active_count()
    with pytest.raises(GearError, match="urn:nobody:knows"):
        build_chain(ChainFile(slots=slots), {})
    assert threading.active_count() == before  # each running plugin has two


def rig(profile: Path, folder: Path) -> ChainFile:
    """Return a clean sound beside a profile into a cabinet, then a limiter, with levels everywhere."""
    soundfile.write(folder / "cab.wav", np.asarray([0.0, 0.5, 0.25], np.float32), SAMPLE_RATE, subtype="FLOAT")
    slots = [{"id": "tube", "kind": "profile", "ref": str(profile)}, {"id": "cab", "kind": "ir", "ref": "cab.wav"}]
    (folder / "amp.json").write_text(json.dumps({"slots": slots}))
    amp = Slot(id="amp", kind="chain", ref=str(folder / "amp.json"), input_db=-3)
    branches = (Branch(id="clean", output_db=-6), Branch(id="dirty", slots=(amp,)))
    limiter = Slot(id="limiter", kind="pedalboard", ref="BrickwallLimiter", output_db=-1)
    return ChainFile(slots=(Slot(id="split", kind="parallel", branches=branches, output_db=2), limiter))


def by_hand(profile: Path, *, drive: float, clean_db: float = -6, limiter_db: float = -1) -> np.ndarray:
    """Return what the rig makes of DRY, worked out without a chain."""

    def gain(decibels: float) -> float:
        return 10 ** (decibels / 20)

    tube = ProfileProcessor(profiler.load(profile), {"drive_db": drive}).process(
        DRY * np.float32(gain(-3)), SAMPLE_RATE
    )
    dirty = np.stack([np.convolve(each, [0.0, 0.5, 0.25])[: DRY.shape[1]] for each in tube])
    split = ((gain(clean_db) * DRY + dirty) * gain(2)).astype(np.float32)
    return PedalboardEffect("BrickwallLimiter").process(split, SAMPLE_RATE) * gain(limiter_db)


def test_branches_levels_responses_and_chains_within_play_together(trained: Path, tmp_path: Path):
    """In time with each other, at the settings of the files and those on top, named by the way to the slot."""
    wet = build_chain(rig(trained, tmp_path), {"amp.tube.drive_db": 20}).process(DRY, SAMPLE_RATE)
    assert np.abs(wet - by_hand(trained, drive=20)).max() < 1e-5
    settings = {"amp.tube.drive_db": 5, "clean.output_db": "-20", "limiter.output_db": -10}
    wet = build_chain(rig(trained, tmp_path), settings).process(DRY, SAMPLE_RATE)
    assert np.abs(wet - by_hand(trained, drive=5, clean_db=-20, limiter_db=-10)).max() < 1e-5


def test_every_level_and_knob_of_it_can_be_automated(trained: Path, tmp_path: Path):
    """In branches and in chains within the chain; blocks make no difference."""
    turns = (
        Turn(seconds=0.05, knob="clean.output_db", value=-120.0, glide_seconds=0.0),
        Turn(seconds=0.05, knob="amp.input_db", value=-120.0, glide_seconds=0.0),
        Turn(seconds=0.12, knob="amp.tube.drive_db", value=30.0),
    )
    with build_chain(rig(trained, tmp_path), {}, Automation(turns=turns)) as chain:
        whole = chain.process(DRY, SAMPLE_RATE)
        pieces = [chain.feed(DRY[:, at : at + 555], SAMPLE_RATE) for at in range(0, DRY.shape[1], 555)]
        assert np.abs(np.concatenate([*pieces, chain.flush()], axis=1) - whole).max() < 1e-5
    default = float(profiler.load(trained).profile.knobs[0].default)
    assert np.abs(whole[:, :2300] - by_hand(trained, drive=default)[:, :2300]).max() < 1e-4
    assert np.abs(whole[:, 8900:]).max() < 0.01


def test_a_knob_that_is_called_as_a_level_is_the_effects_own():
    """The level of such a slot stays where the file has it."""
    chain = ChainFile(slots=(Slot(id="a", kind="pedalboard", ref="Gain", settings={"gain_db": 6}, output_db=-6),))
    assert np.abs(build_chain(chain, {}).process(DRY, SAMPLE_RATE) - DRY).max() < 1e-6


@pytest.mark.parametrize("name", ["split.gain_db", "clean.input_db", "cab.mix", "amp.gain.drive_db", "amp.drive_db"])
def test_what_is_no_knob_of_a_split_is_refused(trained: Path, tmp_path: Path, name: str):
    """Of a branch, a response or a chain within, too."""
    with pytest.raises(KnobError, match=name.rpartition(".")[2]):
        build_chain(rig(trained, tmp_path), {name: 1})


def test_a_chain_that_contains_itself_is_refused(tmp_path: Path):
    """At whatever distance, with the way there."""
    for name, other in (("a", "b"), ("b", "c"), ("c", "b")):
        slots = [{"id": "x", "kind": "chain", "ref": f"{other}.json"}]
        (tmp_path / f"{name}.json").write_text(json.dumps({"slots": slots}))
    with pytest.raises(ChainError, match=r"contain itself: b.json > c.json > b.json"):
        build_chain(read_chain(tmp_path / "a.json"), {})


def test_a_response_that_is_not_there_is_told(tmp_path: Path):
    """With its name."""
    with pytest.raises(AudioError, match=r"none\.wav"):
        build_chain(ChainFile(slots=(Slot(id="a", kind="ir", ref=str(tmp_path / "none.wav")),)), {})
