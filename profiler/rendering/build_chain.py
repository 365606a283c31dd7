"""Chains from chain files: effects, circuits, plugins, profiles and impulse responses, after and beside each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from profiler.automation import Automation, TurnedProcessor
from profiler.chain import LEVELS, Chain, ImpulseResponse, Levelled, Parallel
from profiler.chain_file import Branch, ChainFile, Slot, read_chain
from profiler.errors import ChainError, KnobError
from profiler.gear_slot import open_slot
from profiler.knob import Knob, KnobSettings
from profiler.processor import Processor
from profiler.profile_file import load
from profiler.rendering.profile_processor import ProfileProcessor

__all__ = ["build_chain"]

_LEVEL_IDS = {knob.id for knob in LEVELS}


@dataclass(frozen=True)
class _Wanted:
    """What is wanted of knobs: where they stand, and how they turn from there."""

    settings: KnobSettings
    automation: Automation

    def of_slot(self, slot: str) -> "_Wanted":
        """Return what is wanted of one slot, by the names that knobs have there."""
        own = {name.partition(".")[2]: value for name, value in self.settings.items() if name.startswith(slot + ".")}
        return _Wanted(own, self.automation.of_slot(slot))

    def parted(self, names: set[str]) -> "tuple[_Wanted, _Wanted]":
        """Return what is wanted of knobs of these names, and of all others."""
        return self._where(lambda name: name in names), self._where(lambda name: name not in names)

    def _where(self, holds: Callable[[str], bool]) -> "_Wanted":
        settings = {name: value for name, value in self.settings.items() if holds(name)}
        turns = tuple(turn for turn in self.automation.turns if holds(turn.knob))
        return _Wanted(settings, Automation(turns=turns))

    def names(self) -> list[str]:
        """Return the names of the knobs."""
        return [*self.settings, *(turn.knob for turn in self.automation.turns)]


def build_chain(chain: ChainFile, settings: KnobSettings, automation: Automation | None = None) -> Chain:
    """Return the chain with `settings` (by `slot.knob`) on top of its own, from where `automation` turns knobs.

    A slot's `input_db` and `output_db` are knobs as well, unless its effect has knobs of these names. A knob of a chain
    within the chain is `slot.slot.knob`. Plugins run in processes of their own: use the chain in a `with` statement, or
    close it. Raises KnobError for a knob no slot has, GearError, ProfileError, AudioError or ChainError for a slot that
    cannot be built.
    """
    return _chain(chain, _Wanted(settings, automation or Automation(turns=())), ())


def _chain(chain: ChainFile, wanted: _Wanted, within: tuple[Path, ...]) -> Chain:
    ids = list(chain.ids())
    for name in wanted.names():
        if "." not in name or name.partition(".")[0] not in ids:
            raise KnobError(f"{name!r} is not a knob of this chain. Write SLOT.KNOB with one of: {', '.join(ids)}.")
    return _series(chain.slots, wanted, within)


def _series(slots: Sequence[Slot], wanted: _Wanted, within: tuple[Path, ...]) -> Chain:
    built: list[Processor] = []
    try:
        for slot in slots:
            built.append(_slot(slot, wanted, within))
    except BaseException:
        Chain(built).close()
        raise
    return Chain(built)


def _slot(slot: Slot, wanted: _Wanted, within: tuple[Path, ...]) -> Processor:
    own = wanted.of_slot(slot.id)
    match slot.kind:
        case "profile":
            return _profile(slot, own)
        case "pedalboard" | "circuit" | "plugin":
            return _effect(slot, own)
        case "ir":
            levels = _levels_only(slot, own)
            return _levelled(ImpulseResponse.read(Path(slot.ref)), slot, levels)
        case "parallel":
            levels = _levels_only(slot, own)
            return _levelled(_split(slot.branches, wanted, within), slot, levels)
        case "chain":
            levels, inner = own.parted(_LEVEL_IDS)
            return _levelled(_chain_within(slot, inner, within), slot, levels)


def _profile(slot: Slot, own: _Wanted) -> Processor:
    loaded = load(Path(slot.ref))
    levels, rest = own.parted(_free_levels(loaded.profile.knobs))
    settings = {**slot.settings, **rest.settings}
    return _levelled(ProfileProcessor(loaded, settings, automation=rest.automation), slot, levels)


def _effect(slot: Slot, own: _Wanted) -> Processor:
    processor = open_slot(slot)
    try:
        levels, rest = own.parted(_free_levels(processor.knobs))
        for knob, value in rest.settings.items():
            processor.turn(knob, value)
        settings = {**slot.settings, **rest.settings}
        turned = TurnedProcessor(processor, rest.automation, settings) if rest.automation.turns else processor
        return _levelled(turned, slot, levels)
    except BaseException:
        processor.close()
        raise


def _split(branches: Sequence[Branch], wanted: _Wanted, within: tuple[Path, ...]) -> Processor:
    built: list[Processor] = []
    try:
        for branch in branches:
            inner = _series(branch.slots, wanted, within)
            built.append(inner)
            built[-1] = _levelled(inner, branch, _levels_only(branch, wanted.of_slot(branch.id)))
    except BaseException:
        Parallel(built).close()
        raise
    return Parallel(built)


def _chain_within(slot: Slot, wanted: _Wanted, within: tuple[Path, ...]) -> Chain:
    path = Path(slot.ref).resolve()
    if path in within:
        way = " > ".join(each.name for each in (*within[within.index(path) :], path))
        raise ChainError(f"A chain cannot contain itself: {way}.")
    return _chain(read_chain(Path(slot.ref)), wanted, (*within, path))


def _levelled(processor: Processor, at: Slot | Branch, levels: _Wanted) -> Processor:
    settings = {"input_db": getattr(at, "input_db", 0.0), "output_db": at.output_db, **levels.settings}
    if not levels.automation.turns and not any(float(value) for value in settings.values()):
        return processor
    return Levelled(processor, settings, levels.automation)


def _levels_only(at: Slot | Branch, own: _Wanted) -> _Wanted:
    levels, rest = own.parted(_LEVEL_IDS if isinstance(at, Slot) else {"output_db"})
    if names := rest.names():
        raise KnobError(f"{at.id} has no knob {names[0]!r}; it has its levels: {', '.join(sorted(_LEVEL_IDS))}.")
    return levels


def _free_levels(knobs: Sequence[Knob]) -> set[str]:
    """Return the levels that no knob of the effect itself is called by."""
    return _LEVEL_IDS - {knob.id for knob in knobs}
