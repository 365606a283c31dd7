"""A slot of a chain as a processor with knobs: a circuit, one of pedalboard's effects, or a plugin in its own process.

Captures and rendered chains both play through it.
"""

from dataclasses import replace

from profiler.chain_file import Slot
from profiler.circuits import CircuitEffect, circuit_knobs
from profiler.errors import GearError
from profiler.knob import Knob, find_knob
from profiler.pedalboard_effect import PedalboardEffect, effect_knobs
from profiler.plugins import PATIENCE_SECONDS, HostedPlugin, describe_plugin
from profiler.processor import KnobProcessor

__all__ = ["identified", "open_slot", "slot_knobs"]


def open_slot(slot: Slot, *, patience_seconds: float = PATIENCE_SECONDS) -> KnobProcessor:
    """Return a slot ready to play at its settings; close it at the end. Raises GearError or KnobError."""
    match slot.kind:
        case "pedalboard":
            return PedalboardEffect(slot.ref, slot.settings)
        case "circuit":
            return CircuitEffect(slot.ref, slot.settings)
        case "plugin":
            return _hosted(slot, patience_seconds)
        case _:
            raise _no_gear(slot)


def slot_knobs(slot: Slot, *, patience_seconds: float = PATIENCE_SECONDS) -> tuple[Knob, ...]:
    """Return a slot's knobs, with the slot's own settings as their defaults. Raises GearError or KnobError."""
    match slot.kind:
        case "pedalboard":
            knobs = effect_knobs(slot.ref)
        case "circuit":
            knobs = circuit_knobs(slot.ref)
        case "plugin":
            knobs = describe_plugin(slot.ref, patience_seconds=patience_seconds).knobs
        case _:
            raise _no_gear(slot)
    for id_, value in slot.settings.items():
        found = find_knob(knobs, id_)
        knobs = tuple(replace(knob, default=knob.checked(value)) if knob is found else knob for knob in knobs)
    return knobs


def identified(slot: Slot, *, patience_seconds: float = PATIENCE_SECONDS) -> Slot:
    """Return a plugin's slot with the name and version that the plugin gives itself. Raises GearError."""
    if slot.kind != "plugin":
        return slot
    found = describe_plugin(slot.ref, patience_seconds=patience_seconds)
    return replace(slot, version=f"{found.name} {found.version}".strip())


def _hosted(slot: Slot, patience_seconds: float) -> HostedPlugin:
    try:
        return HostedPlugin(slot.ref, slot.settings, patience_seconds=patience_seconds)
    except GearError as error:
        captured = f" ({slot.version})" if slot.version else ""
        raise GearError(f"Slot {slot.id}{captured}: {error}") from error


def _no_gear(slot: Slot) -> GearError:
    return GearError(f"Slot {slot.id} is of the kind {slot.kind}; only effects, circuits and plugins can be captured.")
