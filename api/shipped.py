"""The profiles that ship, as entries of the library."""

from collections.abc import Mapping

from api.choices import GearKind
from api.library import Library
from api.values import Description
from profiler.presets import catalogue, preset_path

__all__ = ["GEAR_OF", "add_presets"]

GEAR_OF: Mapping[str, GearKind] = {
    "bass-channel": "outboard",
    "bus-compressor": "outboard",
    "crunch-amp": "amp-cab",
    "diode-distortion": "pedal",
    "fuzz": "pedal",
    "optical-compressor": "outboard",
    "tape": "outboard",
    "tube-preamp": "amp",
    "vocal-channel": "outboard",
}
"""What kind of gear each is."""


def add_presets(library: Library) -> None:
    """Add the profiles that ship and are not there; one that was learnt anew is a new version of its entry."""
    for preset in catalogue().presets:
        about = Description(
            name=preset.title,
            gear=GEAR_OF.get(preset.name),
            maker="Tonecast",
            tags=tuple(preset.good_for),
            about=f"{preset.about} Learnt from {preset.made_from}.",
            licence="gpl-3.0-or-later",
        )
        library.add_shipped(preset_path(preset.name), about, preset=preset.name)
