"""Gear by name: a plugin, a circuit, one of pedalboard's effects or a chain of them, and the knobs chosen of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from profiler.chain_file import ChainFile, Slot, read_chain
from profiler.circuits import circuit_knobs
from profiler.errors import GearError, KnobError
from profiler.gear_slot import identified, slot_knobs
from profiler.knob import Knob, find_knob
from profiler.knob_range import parse_knob_range
from profiler.pedalboard_effect import effect_knobs
from profiler.plugins import PATIENCE_SECONDS, PLUGIN_SUFFIXES, describe_plugin
from profiler.session import Gear

__all__ = ["chain_of", "choose_knobs", "gear_knobs", "open_gear"]

_EFFECT = "pedalboard:"
_CIRCUIT = "circuit:"
_LV2 = "lv2:"


def open_gear(plugin: str, *, patience_seconds: float = PATIENCE_SECONDS) -> Gear:
    """Return the gear named by `pedalboard:NAME`, `circuit:NAME`, `lv2:URI`, a plugin file, or a chain file.

    A plugin is loaded to ask for its knobs, which may take `patience_seconds`. Raises GearError for what is none of
    them or does not load, ChainError for a damaged chain file.
    """
    path = Path(plugin.partition("#")[0])
    if plugin.startswith(_EFFECT):
        effect_knobs(name := plugin.removeprefix(_EFFECT))  # told as gear that is not there, should it not be
        slot = Slot(id="effect", kind="pedalboard", ref=name)
        gear = Gear(name=slot.ref, kind="plugin", chain=ChainFile(slots=(slot,)))
    elif plugin.startswith(_CIRCUIT):
        circuit_knobs(name := plugin.removeprefix(_CIRCUIT))
        gear = Gear(name=name, kind="plugin", chain=ChainFile(slots=(Slot(id="circuit", kind="circuit", ref=name),)))
    elif plugin.startswith(_LV2) or path.suffix in PLUGIN_SUFFIXES:
        gear = _plugin(plugin, patience_seconds)
    elif Path(plugin).suffix == ".json":
        gear = _chain(Path(plugin), patience_seconds)
    else:
        raise GearError(
            f"{plugin!r} is no gear known here. Give {_EFFECT}NAME, such as {_EFFECT}Distortion, {_CIRCUIT}NAME, "
            f"{_LV2}URI, the file of a plugin ({', '.join(PLUGIN_SUFFIXES)}), or a chain.json."
        )
    gear_knobs(gear, patience_seconds=patience_seconds)
    return gear


def gear_knobs(gear: Gear, *, patience_seconds: float = PATIENCE_SECONDS) -> tuple[Knob, ...]:
    """Return all knobs of a gear, by `slot.knob` in a chain of several slots. Raises GearError or ChainError."""
    slots = chain_of(gear).slots
    if len(slots) == 1:
        return slot_knobs(slots[0], patience_seconds=patience_seconds)
    return tuple(
        replace(knob, id=f"{slot.id}.{knob.id}")
        for slot in slots
        for knob in slot_knobs(slot, patience_seconds=patience_seconds)
    )


def choose_knobs(gear: Gear, wanted: Sequence[str], *, patience_seconds: float = PATIENCE_SECONDS) -> tuple[Knob, ...]:
    """Return the knobs asked for as `ID=LOW:HIGH`, `ID=LOW:HIGH:log` or `ID=off,on`, in that order.

    Raises KnobError for a knob the gear does not have, a range outside the gear's own, or a misspelt one.
    """
    available = gear_knobs(gear, patience_seconds=patience_seconds)
    chosen = tuple(_chosen(available, text) for text in wanted)
    if twice := {knob.id for knob in chosen if sum(other.id == knob.id for other in chosen) > 1}:
        raise KnobError(f"Each knob is named once; found {', '.join(sorted(twice))} more than once.")
    return chosen


def chain_of(gear: Gear) -> ChainFile:
    """Return what plays the gear. Raises GearError for gear that is not a plugin."""
    if gear.chain is None:
        raise GearError(f"{gear.name} is not a plugin: it has no chain to play.")
    return gear.chain


def _plugin(plugin: str, patience_seconds: float) -> Gear:
    """Return gear of one plugin; its file is named in full, so that the session plays from any folder."""
    ref = plugin if plugin.startswith(_LV2) else str(Path(plugin).absolute())
    slot = identified(Slot(id="effect", kind="plugin", ref=ref), patience_seconds=patience_seconds)
    name = describe_plugin(ref, patience_seconds=patience_seconds).name
    return Gear(name=name, kind="plugin", chain=ChainFile(slots=(slot,)))


def _chain(path: Path, patience_seconds: float) -> Gear:
    chain = read_chain(path)
    slots = tuple(identified(_in_full(slot), patience_seconds=patience_seconds) for slot in chain.slots)
    return Gear(name=path.stem, kind="plugin", chain=ChainFile(slots=slots, version=chain.version))


def _in_full(slot: Slot) -> Slot:
    if slot.kind != "plugin" or slot.ref.startswith(_LV2):
        return slot
    return replace(slot, ref=str(Path(slot.ref).absolute()))


def _chosen(available: Sequence[Knob], text: str) -> Knob:
    wanted = parse_knob_range(text)
    knob = find_knob(available, wanted.id)
    if bool(knob.choices) != bool(wanted.choices):
        form = ",".join(knob.choices) if knob.choices else "LOW:HIGH"
        raise KnobError(f"--knob {text!r} does not fit {knob.id}. Write {knob.id}={form}.")
    if knob.choices:
        choices = tuple(str(knob.checked(choice)) for choice in wanted.choices)
        return replace(knob, choices=choices, default=knob.default if knob.default in choices else choices[0])
    minimum, maximum = float(knob.checked(wanted.low)), float(knob.checked(wanted.high))
    if not minimum < maximum:
        raise KnobError(f"--knob {text}: the low end must come first.")
    narrowed = replace(knob, minimum=minimum, maximum=maximum, default=minimum, scale=wanted.scale or knob.scale)
    inside = minimum <= float(knob.default) <= maximum
    return replace(narrowed, default=knob.default if inside else narrowed.value_at(0.5))
