"""Chains from chain files: pedalboard's effects, plugins and profiles mixed."""

from dataclasses import replace
from pathlib import Path

from profiler.automation import Automation, TurnedProcessor
from profiler.chain import Chain
from profiler.chain_file import ChainFile, Slot
from profiler.errors import KnobError
from profiler.gear_slot import open_slot
from profiler.knob import KnobSettings
from profiler.processor import Processor
from profiler.profile_file import load
from profiler.rendering.profile_processor import ProfileProcessor

__all__ = ["build_chain"]


def build_chain(chain: ChainFile, settings: KnobSettings, automation: Automation | None = None) -> Chain:
    """Return the chain with `settings` (by `slot.knob`) on top of its own, from where `automation` turns knobs.

    Plugins run in processes of their own: use the chain in a `with` statement, or close it. Raises KnobError for a
    knob no slot has, GearError or ProfileError for a slot that cannot be built.
    """
    by_slot: dict[str, dict[str, float | str]] = {slot.id: dict(slot.settings) for slot in chain.slots}
    turned = (turn.knob for turn in (automation.turns if automation else ()))
    for name in (*settings, *turned):
        slot_id, dot, knob = name.partition(".")
        if not dot or slot_id not in by_slot:
            raise KnobError(f"{name!r} is not a knob of this chain. Write SLOT.KNOB with one of: {', '.join(by_slot)}.")
        if name in settings:
            by_slot[slot_id][knob] = settings[name]
    built: list[Processor] = []
    try:
        for slot in chain.slots:
            own = automation.of_slot(slot.id) if automation else None
            built.append(_processor(replace(slot, settings=by_slot[slot.id]), own))
    except BaseException:
        Chain(built).close()
        raise
    return Chain(built)


def _processor(slot: Slot, automation: Automation | None) -> Processor:
    if slot.kind == "profile":
        return ProfileProcessor(load(Path(slot.ref)), slot.settings, automation=automation)
    processor = open_slot(slot)
    if automation is None or not automation.turns:
        return processor
    try:
        return TurnedProcessor(processor, automation, slot.settings)
    except BaseException:
        processor.close()
        raise
