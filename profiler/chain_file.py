"""Chain files: which effects follow each other, as a JSON document."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from profiler.errors import ChainError, ManifestError
from profiler.knob import KnobSettings
from profiler.manifest import read_manifest

__all__ = ["ChainFile", "Slot", "read_chain"]

SlotKind: TypeAlias = Literal["pedalboard", "plugin", "profile"]

_SLOT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One effect in a chain.

    `ref` is a pedalboard effect's name; for a plugin `lv2:URI`, or the path of a VST3 or Audio Unit, with `#Name`
    behind it for one of several in a file; for a profile its path. Paths start at the chain file. `version` is what a
    captured plugin said of itself.
    """

    id: str
    kind: SlotKind
    ref: str
    settings: KnobSettings = field(default_factory=dict)
    version: str = ""

    def __post_init__(self) -> None:
        if not _SLOT_ID.fullmatch(self.id):
            raise ChainError(f"Slot id {self.id!r} must be lower-case letters, digits, '-' or '_', at most 64 of them.")


@dataclass(frozen=True, kw_only=True)
class ChainFile:
    """Slots in the order in which audio passes them. Raises ChainError when there are none or two share an id."""

    slots: tuple[Slot, ...]
    version: int = 0

    def __post_init__(self) -> None:
        ids = [slot.id for slot in self.slots]
        if not ids:
            raise ChainError("The chain has no slots; it needs at least one.")
        if twice := {name for name in ids if ids.count(name) > 1}:
            raise ChainError(f"Slot ids must differ; found {', '.join(sorted(twice))} more than once.")


def read_chain(path: Path) -> ChainFile:
    """Read a chain file; paths in it come back relative to the working folder.

    Raises ChainError for a file that is missing, is not JSON, or is not a chain.
    """
    try:
        chain = read_manifest(ChainFile, path)
    except ManifestError as error:
        raise ChainError(str(error)) from error
    slots = (
        replace(slot, ref=str(path.parent / slot.ref))
        if slot.kind == "profile" or (slot.kind == "plugin" and not slot.ref.startswith("lv2:"))
        else slot
        for slot in chain.slots
    )
    return ChainFile(slots=tuple(slots), version=chain.version)
