"""What a `.nam` file tells people about itself: who made it, of which gear, and how loud that gear runs."""

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from profiler.errors import ExportError

__all__ = ["GearType", "NamLabels", "ToneType"]

_LARGEST_LEVEL_DBU = 60.0  # beyond it lies no audio gear, and players take a level for damage


class GearType(StrEnum):
    """What NAM calls kinds of gear."""

    AMP = "amp"
    PEDAL = "pedal"
    PEDAL_AMP = "pedal_amp"
    AMP_CAB = "amp_cab"
    AMP_PEDAL_CAB = "amp_pedal_cab"
    PREAMP = "preamp"
    STUDIO = "studio"


class ToneType(StrEnum):
    """What NAM calls kinds of tone."""

    CLEAN = "clean"
    OVERDRIVE = "overdrive"
    CRUNCH = "crunch"
    HI_GAIN = "hi_gain"
    FUZZ = "fuzz"


@dataclass(frozen=True, kw_only=True)
class NamLabels:
    """NAM's metadata that somebody has to know; None is unknown, and is left out of the file.

    The levels are those in dBu that are 0 dBFS on the way in and on the way out. Raises ExportError for one that no
    gear runs at.
    """

    name: str | None = None
    modeled_by: str | None = None
    gear_make: str | None = None
    gear_model: str | None = None
    gear_type: GearType | None = None
    tone_type: ToneType | None = None
    input_level_dbu: float | None = None
    output_level_dbu: float | None = None

    def __post_init__(self) -> None:
        for way, level in (("input", self.input_level_dbu), ("output", self.output_level_dbu)):
            if level is not None and not (math.isfinite(level) and abs(level) <= _LARGEST_LEVEL_DBU):
                span = f"{-_LARGEST_LEVEL_DBU:g} to {_LARGEST_LEVEL_DBU:g} dBu"
                raise ExportError(
                    f"The {way} level is {level:g} dBu; gear lies within {span}. Give the level that is 0 dBFS."
                )

    @property
    def known(self) -> dict[str, Any]:
        """What is known of it, by NAM's keys, as plain JSON values."""
        found = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in found.items()}
