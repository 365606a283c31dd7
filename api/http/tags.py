"""Tags that learn, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.heard import SaidTag, TagCorrection, TagProposals
from api.http.asking import Lib, Listen, Reader, Writer, account_of
from api.listening.tagging import proposals
from api.store import audit, entries, tag_labels
from api.values import Entry, Tag

__all__ = ["correct_tag", "routes"]

routes = APIRouter(prefix="/api/v1", tags=["tags"])


class CorrectionsQuery(BaseModel):
    """Which corrections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entry: int | None = Field(None, ge=1, le=2**31 - 1, description="Only for this profile.")
    most: int = Field(25, ge=1, le=100, description="How many to return at most.")


@routes.get("/tags/proposals")
def propose_tags(
    listening: Listen,
    caller: Reader,
    tag: Annotated[Tag | None, Query(description="Only this tag; else all that enough is known of.")] = None,
    entry: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Only for this profile.")] = None,
    most: Annotated[int, Query(ge=1, le=100, description="How many proposals to return at most.")] = 25,
) -> TagProposals:
    """Return tags that may fit profiles which do not have them, by how they sound, the surest first.

    They are learnt from the library's tags and from your corrections.
    """
    return proposals(listening, account_of(caller), tag=tag, entry_id=entry, most=most)


@routes.get("/tags/corrections")
def list_corrections(library: Lib, caller: Reader, query: Annotated[CorrectionsQuery, Query()]) -> tuple[SaidTag, ...]:
    """Return what you said of tags and profiles last, the newest first."""
    with library.database.reading() as connection:
        return tag_labels.said_by(connection, account_of(caller), entry_id=query.entry, most=query.most)


@routes.post("/tags/corrections")
def correct_tag(correction: TagCorrection, library: Lib, caller: Writer) -> Entry:
    """Say whether a tag fits a profile; proposals to you learn from it. A profile of yours then has the tag, or not."""
    with library.database.writing() as connection:
        owner_id = entries.owner_of(connection, correction.entry_id)
        tag_labels.set_label(connection, account_of(caller), correction)
        if caller.account_id == owner_id and correction.is_right is not None:
            entries.set_tag(connection, correction.entry_id, correction.tag, present=correction.is_right)
        detail = {"tag": correction.tag, "is_right": correction.is_right}
        audit.note(connection, caller, "tag.correct", f"profile {correction.entry_id}", **detail)
        return entries.one_entry(connection, correction.entry_id, asked_by=caller.account_id)
