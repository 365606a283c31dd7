"""Chains from chain files."""

import threading
from pathlib import Path

import numpy as np
import pytest

import profiler
from profiler.chain_file import ChainFile, Slot, read_chain
from profiler.errors import GearError, KnobError, ProfileError
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
