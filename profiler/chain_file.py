"""Chain files: which effects follow each other and stand beside each other, as a JSON document."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from profiler.errors import ChainError, ManifestError
from profiler.knob import KnobSettings
from profiler.manifest import read_manifest
from profiler.presets import PREFIX, effect_path

__all__ = ["HIGHEST_DB", "LOWEST_DB", "Branch", "ChainFile", "Slot", "read_chain"]

LOWEST_DB, HIGHEST_DB = -120.0, 60.0
"""Between which the levels of slots and branches lie."""

SlotKind: TypeAlias = Literal["pedalboard", "circuit", "plugin", "profile", "ir", "parallel", "chain"]

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Branch:
    """Slots one after the other, beside other branches; without slots, the dry as it is. Its level is in dB."""

    id: str
    slots: tuple["Slot", ...] = ()
    output_db: float = 0.0

    def __post_init__(self) -> None:
        _check_id(self.id)
        _check_levels(self.id, self.output_db)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One effect in a chain, or several of them beside each other.

    `ref` is a pedalboard effect's name, or a circuit's; for a plugin `lv2:URI`, or the path of a VST3 or Audio Unit,
    with `#Name` behind it for one of several in a file; for an impulse response its path; for a profile or another
    chain its path, or `preset:NAME` for one that ships. Paths start at the chain file. A `parallel` slot has `branches`
    instead, whose sounds are summed. `input_db` and `output_db` are the levels before and behind it. `version` is what
    a captured plugin said of itself.
    """

    id: str
    kind: SlotKind
    ref: str = ""
    settings: KnobSettings = field(default_factory=dict)
    branches: tuple[Branch, ...] = ()
    input_db: float = 0.0
    output_db: float = 0.0
    version: str = ""

    def __post_init__(self) -> None:
        _check_id(self.id)
        _check_levels(self.id, self.input_db, self.output_db)
        if (self.kind == "parallel") != bool(self.branches):
            raise ChainError(f"Slot {self.id}: a parallel slot has branches, and no other has; found {self.kind}.")
        if (self.kind == "parallel") == bool(self.ref):
            needed = "no ref" if self.kind == "parallel" else "a ref that says what it plays"
            raise ChainError(f"Slot {self.id}: a slot of the kind {self.kind} has {needed}; found {self.ref!r}.")


@dataclass(frozen=True, kw_only=True)
class ChainFile:
    """Slots in the order in which audio passes them. Raises ChainError when there are none or two share an id."""

    slots: tuple[Slot, ...]
    version: int = 0

    def __post_init__(self) -> None:
        if not self.slots:
            raise ChainError("The chain has no slots; it needs at least one.")
        ids = list(self.ids())
        if twice := {name for name in ids if ids.count(name) > 1}:
            raise ChainError(f"Slot ids must differ; found {', '.join(sorted(twice))} more than once.")

    def parts(self) -> Iterator[Slot | Branch]:
        """Yield all slots and branches, wherever they stand."""
        yield from _parts(self.slots)

    def ids(self) -> Iterator[str]:
        """Yield the ids of all slots and branches."""
        yield from (part.id for part in self.parts())

    def effects(self) -> Iterator[Slot]:
        """Yield the slots that play an effect of their own, wherever they stand."""
        yield from (part for part in self.parts() if isinstance(part, Slot) and part.kind != "parallel")

    def with_refs(self, refs: Mapping[str, str]) -> "ChainFile":
        """Return the chain with other refs in some slots, by their ids."""
        return replace(self, slots=_with_refs(self.slots, refs))


def _parts(slots: Sequence[Slot]) -> Iterator[Slot | Branch]:
    for slot in slots:
        yield slot
        for branch in slot.branches:
            yield branch
            yield from _parts(branch.slots)


def _with_refs(slots: Sequence[Slot], refs: Mapping[str, str]) -> tuple[Slot, ...]:
    return tuple(
        replace(
            slot,
            ref=refs.get(slot.id, slot.ref),
            branches=tuple(replace(each, slots=_with_refs(each.slots, refs)) for each in slot.branches),
        )
        for slot in slots
    )


def _check_id(name: str) -> None:
    if not _ID.fullmatch(name):
        raise ChainError(f"Slot id {name!r} must be lower-case letters, digits, '-' or '_', at most 64 of them.")


def _check_levels(name: str, *decibels: float) -> None:
    for level in decibels:
        if not LOWEST_DB <= level <= HIGHEST_DB:
            raise ChainError(f"Slot {name}: a level lies between {LOWEST_DB:g} and {HIGHEST_DB:g} dB; found {level:g}.")


def read_chain(path: Path) -> ChainFile:
    """Read a chain file; paths in it come back relative to the working folder.

    Raises ChainError for a file that is missing, is not JSON, or is not a chain, PresetError for a preset unheard of.
    """
    try:
        chain = read_manifest(ChainFile, path)
    except ManifestError as error:
        raise ChainError(str(error)) from error
    return chain.with_refs({slot.id: _beside(path.parent, slot) for slot in chain.effects()})


def _beside(folder: Path, slot: Slot) -> str:
    """Return what a slot plays, its path starting where the folder does."""
    is_path = slot.kind in ("profile", "ir", "chain") or (slot.kind == "plugin" and not slot.ref.startswith("lv2:"))
    if slot.kind in ("profile", "chain") and slot.ref.startswith(PREFIX):
        return str(effect_path(slot.ref))
    return str(folder / slot.ref) if is_path else slot.ref
