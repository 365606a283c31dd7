"""What the library's values are called on a page."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from api.choices import GearKind, Licence, Sort
from api.values import Entry, Source
from profiler.knob import Knob
from profiler.score import IN_WORDS, Grade

__all__ = ["FILTERS", "GEARS", "LICENCES", "SORTS", "SOURCES", "usual_track"]

GEARS: Mapping[GearKind, str] = {
    "amp": "amplifier",
    "amp-cab": "amplifier and cabinet",
    "pedal": "pedal",
    "outboard": "outboard",
    "cab": "cabinet",
    "space": "space",
    "experimental": "experimental",
}
LICENCES: Mapping[Licence, str] = {
    "all-rights-reserved": "all rights reserved",
    "cc0": "CC0, public domain",
    "cc-by": "CC BY",
    "cc-by-sa": "CC BY-SA",
    "cc-by-nc": "CC BY-NC",
    "cc-by-nc-sa": "CC BY-NC-SA",
    "cc-by-nd": "CC BY-ND",
    "cc-by-nc-nd": "CC BY-NC-ND",
    "gpl-3.0-or-later": "GPL, version 3 or later",
    "t3k": "TONE3000's",
}
SOURCES: Mapping[Source, str] = {"plugin": "a plugin", "files": "recordings", "hardware": "hardware"}
SORTS: Mapping[Sort, str] = {
    "best-match": "best match",
    "newest": "newest",
    "oldest": "oldest",
    "updated": "changed last",
    "name": "name",
    "score": "closest to its gear",
    "downloads": "downloaded most",
}


_TRACK_OF_TAG: Mapping[str, str] = {
    "guitar": "chords",
    "bass": "bass",
    "vocals": "speech",
    "speech": "speech",
    "keys": "keys",
    "synths": "keys",
    "mix bus": "mix",
    "mix": "mix",
    "drums": "drums",
}


def usual_track(entry: Entry) -> str:
    """Return the dry track that suits an entry, by its tags and its gear."""
    suited = [track for tag, track in _TRACK_OF_TAG.items() if tag in entry.tags]
    return suited[0] if suited else "chords" if entry.gear in ("amp", "amp-cab", "pedal", "cab") else "mix"


def _position(knob: Knob, value: float | str) -> str:
    """Return where a slider stands for a value of a knob that has no choices."""
    return f"{float(knob.position(value)[0]):.9g}"


def _grade(grade: Grade | None) -> str:
    return IN_WORDS[grade]


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2g}"


def _gear(entry: Entry) -> str:
    """Return what gear an entry is of, as one says it."""
    called = " ".join(part for part in (entry.make, entry.model) if part) or entry.version.facts.gear
    return f"{called} ({GEARS[entry.gear]})" if entry.gear else called


def _downloads(count: int) -> str:
    return f"{count:,} download{'' if count == 1 else 's'}"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "grade_in_words": _grade,
    "figure": _figure,
    "gear_of": _gear,
    "day": _day,
    "downloads": _downloads,
    "licence": LICENCES.__getitem__,
    "source": SOURCES.__getitem__,
    "usual_track": usual_track,
    "position": _position,
}
"""What templates call them by."""
