"""The page of tags: what is proposed by how profiles sound, answered by one click, and what was said before."""

from typing import Annotated, Any
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BeforeValidator, TypeAdapter, ValidationError
from starlette.responses import Response

from api.heard import TagCorrection
from api.http.asking import Lib, Listen, Writer, account_of
from api.http.forms import back_from, fields_of
from api.http.problems import html
from api.http.tags import correct_tag
from api.listening.tagging import proposals
from api.page import rendered
from api.problem import Problem
from api.store import counts, entries, tag_labels
from api.values import Tag

__all__ = ["routes"]

routes = APIRouter(include_in_schema=False)

_PROPOSED, _SAID, _TAGS = 24, 12, 30
_CORRECTION = TypeAdapter(TagCorrection)
_ANSWERS = {"yes": True, "no": False, "": None}
_MaybeTag = Annotated[Tag | None, BeforeValidator(lambda told: told or None), Query()]  # forms send empty fields too


@routes.get("/tags")
def tags_page(
    library: Lib,
    listening: Listen,
    caller: Writer,
    tag: _MaybeTag = None,
    entry: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Show which tags may fit, for one profile or all, and what one said last."""
    account_id, shown = account_of(caller), None
    with library.database.reading() as connection:
        if entry is not None:
            shown = entries.one_entry(connection, entry, asked_by=account_id)
        said = tag_labels.said_by(connection, account_id, entry_id=entry, most=_SAID)
        tags = counts.count_tags(connection)[:_TAGS]
    proposed = proposals(listening, account_id, tag=tag, entry_id=entry, most=_PROPOSED)
    told = urlencode({name: value for name, value in (("entry", entry), ("tag", tag)) if value is not None})
    values: dict[str, Any] = {"proposals": proposed, "said": said, "tags": tags, "entry": shown, "tag": tag}
    return html(rendered("tags", who=caller, here="/tags", back=f"/tags?{told}" if told else "/tags", **values))


@routes.post("/tags")
async def say(request: Request, library: Lib, caller: Writer) -> Response:
    """Take what a form says of a tag and a profile, and go back to where it was said."""
    fields = await fields_of(request)
    answer = fields.get("is_right", "")
    told = {"entry_id": fields.get("entry_id"), "tag": fields.get("tag"), "is_right": _ANSWERS.get(answer, answer)}
    try:
        correction = _CORRECTION.validate_python(told)
    except ValidationError as error:
        raise Problem(422, "No such tag", "A tag has 1 to 40 letters, and no comma. Say it in another word.") from error
    await to_thread.run_sync(correct_tag, correction, library, caller)
    return back_from(fields)
