"""Slots as processors with knobs."""

import pytest

from profiler.chain_file import Slot
from profiler.errors import GearError, KnobError
from profiler.gear_slot import identified, open_slot, slot_knobs
from profiler.pedalboard_effect import PedalboardEffect
from profiler.plugins import HostedPlugin

EFFECT = Slot(id="a", kind="pedalboard", ref="Gain", settings={"gain_db": 3})
PLUGIN = Slot(id="b", kind="plugin", ref="lv2:urn:zamaudio:ZamEQ2", settings={"boost1": 12})
PROFILE = Slot(id="c", kind="profile", ref="amp.tonecast")


def test_an_effect_opens_at_its_settings():
    """pedalboard's effects run beside us, and their settings are the defaults of their knobs."""
    with open_slot(EFFECT) as processor:
        assert isinstance(processor, PedalboardEffect)
    assert [knob.default for knob in slot_knobs(EFFECT)] == [3.0]
    assert identified(EFFECT) == EFFECT


@pytest.mark.usefixtures("lv2")
def test_a_plugin_opens_in_a_process_of_its_own():
    """Its settings are the defaults of its knobs, and it is identified by what it says of itself."""
    with open_slot(PLUGIN) as processor:
        assert isinstance(processor, HostedPlugin)
    assert {knob.id: knob.default for knob in slot_knobs(PLUGIN)}["boost1"] == 12
    assert identified(PLUGIN).version.startswith("ZamEQ2 ")
    with pytest.raises(KnobError, match="-50 to 20 dB"):
        open_slot(Slot(id="b", kind="plugin", ref=PLUGIN.ref, settings={"boost1": 100}))


def test_a_profile_is_no_gear():
    """What is itself a profile is neither played nor asked for knobs here."""
    for asked in (open_slot, slot_knobs):
        with pytest.raises(GearError, match="Slot c is of the kind profile"):
            asked(PROFILE)


@pytest.mark.usefixtures("lv2")
def test_a_plugin_that_is_missing_is_told_with_its_slot():
    """And with the name and version that it had when it was captured."""
    slot = Slot(id="amp", kind="plugin", ref="lv2:urn:zamaudio:ZamNone", version="ZamNone 4.2")
    with pytest.raises(GearError, match=r"Slot amp \(ZamNone 4.2\): No LV2 plugin.*apt-get install zam-plugins"):
        open_slot(slot)
