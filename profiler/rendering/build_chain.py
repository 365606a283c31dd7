"""Chains from chain files: pedalboard's effects and profiles mixed."""

from pathlib import Path

from profiler.chain import Chain
from profiler.chain_file import ChainFile, Slot
from profiler.errors import KnobError
from profiler.knob import KnobSettings
from profiler.pedalboard_effect import PedalboardEffect
from profiler.processor import Processor
from profiler.profile_file import load
from profiler.rendering.profile_processor import ProfileProcessor

__all__ = ["build_chain"]


def build_chain(chain: ChainFile, settings: KnobSettings) -> Chain:
    """Return the chain with `settings` (by `slot.knob`) on top of its own.

    Raises KnobError for a knob no slot has, GearError or ProfileError for a slot that cannot be built.
    """
    by_slot: dict[str, dict[str, float | str]] = {slot.id: dict(slot.settings) for slot in chain.slots}
    for name, value in settings.items():
        slot, dot, knob = name.partition(".")
        if not dot or slot not in by_slot:
            raise KnobError(f"{name!r} is not a knob of this chain. Write SLOT.KNOB with one of: {', '.join(by_slot)}.")
        by_slot[slot][knob] = value
    return Chain([_processor(slot, by_slot[slot.id]) for slot in chain.slots])


def _processor(slot: Slot, settings: KnobSettings) -> Processor:
    match slot.kind:
        case "pedalboard":
            return PedalboardEffect(slot.ref, settings)
        case "profile":
            return ProfileProcessor(load(Path(slot.ref)), settings)
