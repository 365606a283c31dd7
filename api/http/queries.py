"""What searches and uploads say in their URLs, in TONE3000's names where it has some."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.choices import GearKind, Licence, Sort
from api.problem import Problem
from api.store.search import Search
from api.values import About, Description, Line, Note, Source, Tag, Version, Words
from profiler.errors import KnobError
from profiler.knob import KnobSettings, checked_settings
from profiler.score import Grade

__all__ = ["SearchQuery", "Setting", "UploadQuery", "checked", "settings_told"]

_GEAR = "amp|amp-cab|pedal|outboard|cab|space|experimental"
_FORMAT = "tonecast|nam|ir|aida-x|aa-snapshot|proteus"
_AnySort = Literal[Sort, "downloads-all-time"]
_OF_THEIRS: Mapping[str, Sort] = {"downloads-all-time": "downloads"}
_LIST = r"^[^\x00-\x1f\x7f-\x9f]*$"
_Gears = Annotated[str, StringConstraints(max_length=200, pattern=rf"^(({_GEAR})([_,]({_GEAR}))*)?$")]
_Formats = Annotated[str, StringConstraints(max_length=200, pattern=rf"^(({_FORMAT})([_,]({_FORMAT}))*)?$")]
Setting = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^=\x00-\x1f]+=[^\x00-\x1f]+$")]
"""Where a knob stands: KNOB=VALUE."""

_Texts = Annotated[list[Annotated[str, StringConstraints(max_length=400, pattern=_LIST)]], Field(max_length=20)]


class SearchQuery(BaseModel):
    """What is looked for. Lists are written with commas, or as the same name again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: Words = Field("", description="Words, or beginnings of words, that must all be there.", examples=["fuzz"])
    name: Line | None = Field(None, description="The whole name of an entry.")
    gears: _Gears = Field("", description="Kinds of gear, joined by _ as TONE3000 does.", examples=["amp_amp-cab"])
    format: _Formats = Field("", description="This library holds tonecast; other formats match nothing.")
    tags: _Texts = Field([], description="Tags that must all be there.", examples=[["guitar"]])
    makes: _Texts = Field([], description="Makes of gear, one of which it must be.")
    models: _Texts = Field([], description="Models of gear, one of which it must be.")
    creators: _Texts = Field([], description="Makers of profiles, one of which it must be.")
    knobs: _Texts = Field([], description="Knobs that must all be there, by id or name.", examples=[["tone"]])
    kind: list[Source] = Field([], max_length=3, description="What it was captured from.")
    licence: list[Licence] = Field([], max_length=10, description="Licences, one of which it must have.")
    grade: Grade | None = Field(None, description="The worst grade.")
    max_esr: float | None = Field(None, ge=0, le=1e9, allow_inf_nan=False, description="The largest ESR.")
    favourites: bool = Field(default=False, description="Only favourites of the account that asks.")
    collection: int | None = Field(None, ge=1, le=2**31 - 1, description="Only what is in this collection.")
    sort: _AnySort = Field("best-match", description="Without words, the best match is the newest.")
    page: int = Field(1, ge=1, le=10_000)
    page_size: int = Field(25, ge=1, le=100)

    def search(self, favourites_of: int | None) -> Search | None:
        """Return what to look for in the store; None where nothing can match."""
        formats = _split(self.format)
        if formats and "tonecast" not in formats:
            return None
        lists = {name: _listed(getattr(self, name)) for name in ("tags", "makes", "models", "knobs")}
        same = ("query", "name", "grade", "max_esr", "collection", "page", "page_size")
        told: dict[str, Any] = {**lists, **{name: getattr(self, name) for name in same}}
        return Search(
            **told,
            sort=cast(Sort, _OF_THEIRS.get(self.sort, self.sort)),
            makers=_listed(self.creators),
            gears=cast(tuple[GearKind, ...], _split(self.gears)),
            kinds=tuple(self.kind),
            licences=tuple(self.licence),
            favourites_of=favourites_of,
        )


class UploadQuery(BaseModel):
    """What is said of an upload. The facts about knobs and scores come from the file itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line = Field("", description="What to call the entry; the file's own name unless told.")
    gear: GearKind | None = Field(None, description="What kind of gear it is.", examples=["pedal"])
    make: Line = Field("", description="Who makes the gear.", examples=["Ibanez"])
    model: Line = Field("", description="Which gear it is.", examples=["TS9"])
    maker: Line = Field("", description="Who made the profile.")
    tags: list[Tag] = Field([], max_length=20, description="Tags; repeat for more.", examples=[["crunch", "blues"]])
    about: About = Field("", description="All else there is to say.")
    licence: Licence = Field("all-rights-reserved", description="What others may do with it.")
    note: Note = Field("", description="What is new in this version.")

    def description(self) -> Description:
        """Return it as the library has it."""
        told: dict[str, Any] = self.model_dump()
        return Description(**{**told, "tags": tuple(self.tags)})


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in re.split("[_,]", text) if part)


def _listed(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for text in texts for part in text.split(",") if part.strip()))[:20]


def settings_told(told: Iterable[Setting]) -> dict[str, str]:
    """Return where knobs stand, by what they are called."""
    return dict(each.split("=", 1) for each in told)


def checked(version: Version, settings: KnobSettings) -> KnobSettings:
    """Return settings that a version of a profile knows. Raises Problem for others."""
    try:
        return checked_settings(version.facts.knobs, settings)
    except KnobError as error:
        raise Problem(422, "No such setting", str(error)) from error
