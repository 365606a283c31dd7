"""What a library tells and is told: one type per concept, the same in the store, in replies and in the client."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints

from api.choices import GearKind, Licence
from profiler.knob import Knob
from profiler.score import Grade

__all__ = [
    "About",
    "Changes",
    "Collection",
    "CollectionChanges",
    "Description",
    "Entry",
    "EntryPage",
    "Facts",
    "Format",
    "Line",
    "Name",
    "NewCollection",
    "Note",
    "Source",
    "Tag",
    "TagCount",
    "Tags",
    "Version",
    "Words",
]

Format: TypeAlias = Literal["tonecast", "nam", "ir", "aida-x", "aa-snapshot", "proteus"]
"""TONE3000's formats and ours; this library holds ours only."""

Source: TypeAlias = Literal["plugin", "files", "hardware"]
"""What a profile was captured from, as its file says."""

# No control characters: databases refuse NUL, terminals obey others.
_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
_SOMETHING = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
_TAG = r"^[^,\x00-\x1f\x7f-\x9f]*[^\s,\x00-\x1f\x7f-\x9f][^,\x00-\x1f\x7f-\x9f]*$"
_LINES = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"

Name = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_SOMETHING, strip_whitespace=True)]
Line = Annotated[str, StringConstraints(max_length=120, pattern=_LINE, strip_whitespace=True)]
Words = Annotated[str, StringConstraints(max_length=200, pattern=_LINE)]
About = Annotated[str, StringConstraints(max_length=4000, pattern=_LINES, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(max_length=400, pattern=_LINES, strip_whitespace=True)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_TAG, strip_whitespace=True, to_lower=True)]
MOST_TAGS = 20
Tags = Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(allow_inf_nan=False, ge=0)]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a profile file says of itself. Scores are null where none was measured; `light_esr` is the light size's."""

    name: Name
    gear: Name
    kind: Source
    knobs: Annotated[tuple[Knob, ...], Field(max_length=64)]
    sample_rate: Annotated[int, Field(ge=1, le=1_000_000)]
    latency_frames: Annotated[int, Field(ge=-10_000_000, le=10_000_000)]
    oversampling: Annotated[int, Field(ge=1, le=64)]
    esr: Positive | None
    esr_median: Positive | None
    esr_worst: Positive | None
    floor: Positive | None
    grade: Grade | None
    light_esr: Positive | None
    multiply_adds: Annotated[int, Field(ge=0, le=1 << 40)] | None
    steps: Annotated[int, Field(ge=0, le=1 << 40)]
    audio_seconds: Positive
    limited_by: str
    findings: Annotated[tuple[str, ...], Field(max_length=100)] = ()


@dataclass(frozen=True, kw_only=True)
class Description:
    """What people say of a profile when they upload it. An empty name is the file's own."""

    name: Line = ""
    gear: GearKind | None = None
    make: Line = ""
    model: Line = ""
    maker: Line = ""
    tags: Tags = ()
    about: About = ""
    licence: Licence = "all-rights-reserved"
    note: Note = ""


_UNSAID: Any = object()
"""Stands for a thing of which nothing is said, where null says something."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What to say anew of an entry. Null leaves a thing as it is, but of `gear` it says that its kind is not known."""

    __pydantic_config__ = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"tags": ["crunch", "blues"], "licence": "cc-by"}]}
    )

    name: Name | None = None
    gear: GearKind | None = field(default_factory=lambda: _UNSAID)
    make: Line | None = None
    model: Line | None = None
    maker: Line | None = None
    tags: Tags | None = None
    about: About | None = None
    licence: Licence | None = None

    def said(self) -> dict[str, Any]:
        """Return what is to be said anew, by name."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: value
            for name, value in told.items()
            if value is not _UNSAID and (value is not None or name == "gear")
        }


@dataclass(frozen=True, kw_only=True)
class Version:
    """One profile file of an entry, numbered from 1. `sha256` is that of the file."""

    number: int
    sha256: str
    bytes: int
    uploaded_by: str
    uploaded_at: datetime
    note: str
    facts: Facts


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A profile of the library: what people say of it, and its newest version. `preset` names one that ships.

    `downloads` is how often files of it were downloaded, some seconds ago.
    """

    id: int
    name: str
    gear: GearKind | None
    make: str
    model: str
    maker: str
    tags: tuple[str, ...]
    about: str
    licence: Licence
    owner: str
    favourite: bool
    downloads: int
    preset: str | None
    format: Format
    created_at: datetime
    updated_at: datetime
    version: Version


@dataclass(frozen=True, kw_only=True)
class EntryPage:
    """A page of entries. `total` counts up to 1,000; where more match, `total_is_exact` is false.

    Pages go through 10,000 entries. On those beyond the first 1,000, `total` and `total_pages` count as far as that.
    """

    data: tuple[Entry, ...]
    page: int
    page_size: int
    total: int
    total_is_exact: bool
    total_pages: int


@dataclass(frozen=True, kw_only=True)
class TagCount:
    """A tag or a make, and how many entries have it."""

    name: str
    count: int


@dataclass(frozen=True, kw_only=True)
class NewCollection:
    """A collection to be made."""

    __pydantic_config__ = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "Album guitars", "about": "What we tracked with."}]}
    )

    name: Name
    about: About = ""


@dataclass(frozen=True, kw_only=True)
class CollectionChanges:
    """What to say anew of a collection. Null leaves a thing as it is."""

    __pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Album basses"}]})

    name: Name | None = None
    about: About | None = None


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Entries that somebody put together; searching with its id lists them."""

    id: int
    name: str
    about: str
    owner: str
    size: int
    created_at: datetime
