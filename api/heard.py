"""What is told of how profiles sound: which are like a recording, and which tags are likely to fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from api.values import Entry, Tag

__all__ = ["SaidTag", "SoundMatch", "SoundMatches", "TagCorrection", "TagProposal", "TagProposals"]


@dataclass(frozen=True, kw_only=True)
class SoundMatch:
    """A profile that sounds like a recording, at the settings where it does so most.

    A `distance` of 1 is as far as one sound is, on average, from itself with other playing.
    """

    entry: Entry
    settings: Mapping[str, float | str]
    distance: float


@dataclass(frozen=True, kw_only=True)
class SoundMatches:
    """Profiles that sound like a recording, nearest first, out of `heard`; `unheard` others are still waiting."""

    data: tuple[SoundMatch, ...]
    heard: int
    unheard: int


@dataclass(frozen=True, kw_only=True)
class TagProposal:
    """A tag that may fit a profile that does not have it. `probability` is how sure that is, from 0 to 1."""

    entry_id: int
    name: str
    tag: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class TagProposals:
    """Proposals, surest first. `learnt_from` says from how many profiles each tag was learnt, yes and no.

    A tag needs both kinds: profiles that it fits, and some that it does not.
    """

    data: tuple[TagProposal, ...]
    learnt_from: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class TagCorrection:
    """What you say of a tag and a profile: it fits, it does not, or, with null, nothing any more."""

    __pydantic_config__ = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"entry_id": 1, "tag": "fuzz", "is_right": True}]}
    )

    entry_id: Annotated[int, Field(ge=1, le=2**31 - 1)]
    tag: Tag
    is_right: bool | None


@dataclass(frozen=True, kw_only=True)
class SaidTag:
    """What somebody said of a tag and a profile, and when: that it fits, or that it does not."""

    entry_id: int
    name: str
    tag: str
    is_right: bool
    at: datetime
