"""Chains from chain files: pedalboard's effects, plugins and profiles mixed."""

from dataclasses import replace
from pathlib import Path

from profiler.chain import Chain
from profiler.chain_file import ChainFile, Slot
from profiler.errors import KnobError
from profiler.gear_slot import open_slot
from profiler.knob import KnobSettings
from profiler.processor import Processor
from profiler.profile_file import load
from profiler.rendering.profile_processor import ProfileProcessor

__all__ = ["build_chain"]


def build_chain(chain: ChainFile, settings: KnobSettings) -> Chain:
    """Return the chain with `settings` (by `slot.knob`) on top of its own.

    Plugins run in processes of their own: use the chain in a `with` statement, or close it. Raises KnobError for a
    knob no slot has, GearError or ProfileError for a slot that cannot be built.
    """
    by_slot: dict[str, dict[str, float | str]] = {slot.id: dict(slot.settings) for slot in chain.slots}
    for name, value in settings.items():
        slot_id, dot, knob = name.partition(".")
        if not dot or slot_id not in by_slot:
            raise KnobError(f"{name!r} is not a knob of this chain. Write SLOT.KNOB with one of: {', '.join(by_slot)}.")
        by_slot[slot_id][knob] = value
    built: list[Processor] = []
    try:
        for slot in chain.slots:
            built.append(_processor(replace(slot, settings=by_slot[slot.id])))
    except BaseException:
        Chain(built).close()
        raise
    return Chain(built)


def _processor(slot: Slot) -> Processor:
    if slot.kind == "profile":
        return ProfileProcessor(load(Path(slot.ref)), slot.settings)
    return open_slot(slot)
