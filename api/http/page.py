"""The page: what people see of the library. Every link and form works without script; scripts play and listen."""

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from api.http.asking import Id, Lib, Reader, account_of
from api.http.forms import back_from, fields_of
from api.http.problems import html
from api.http.queries import SearchQuery
from api.http.sessions import SESSION_DAYS, check_same_origin, end_session, session_of, start_session
from api.library import Library
from api.page import STATIC, rendered, static_file
from api.page.browsing import Browsing
from api.page.words import GEARS, LICENCES, SORTS, SOURCES
from api.people import Caller
from api.problem import Problem
from api.store import audit, entries, people, search, shelves
from api.values import Entry, EntryPage

__all__ = ["routes"]

routes = APIRouter(include_in_schema=False)

_CARDS = 12
_TAGS_SHOWN = 30
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_Part = Annotated[str, Path(max_length=64)]


@routes.get(STATIC + "/{version}/{name}")
def static(version: _Part, name: _Part) -> Response:
    """Return a file that pages load."""
    found = static_file(version, name)
    if found is None:
        raise Problem(404, "No such file", "No page of this version loads this. Load the page again.")
    return Response(found.content, media_type=found.media_type, headers=_FOREVER)


@routes.get("/")
def library_page(request: Request, library: Lib, caller: Reader) -> Response:
    """Show what the library has, or what of it was asked for."""
    browsing = Browsing.of(request.query_params.multi_items())
    page, tags = _found(library, caller, browsing)
    compared = _compared(library, caller, browsing.value("compare"))
    choices = {"gears": GEARS, "kind": SOURCES, "licence": LICENCES, "sort": SORTS}
    values = {"page": page, "tags": tags, "browsing": browsing, "choices": choices, "compared": compared}
    return html(rendered("library", who=caller, here=str(request.url.path), **values))


@routes.post("/profiles/{entry_id}/favourite")
async def favour(entry_id: Id, request: Request, library: Lib, caller: Reader) -> Response:
    """Make a profile a favourite of who asks, or no more, and go back to where that was asked."""
    fields, account_id = await fields_of(request), account_of(caller)

    def mark() -> None:
        with library.database.writing() as connection:
            shelves.set_favourite(connection, account_id, entry_id, favourite=fields.get("favourite") == "yes")

    await to_thread.run_sync(mark)
    return back_from(fields)


@routes.get("/sign-in")
def sign_in_page() -> Response:
    """Ask for the one-time link."""
    return html(rendered("sign_in", who=None, here="/", problem=None))


@routes.post("/sign-in")
async def sign_in(request: Request, library: Lib) -> Response:
    """Turn a one-time secret into a session of this browser."""
    check_same_origin(request.headers)
    fields = await fields_of(request)
    secret = fields.get("link", "").strip().rpartition("#")[2]
    try:
        made = await to_thread.run_sync(partial(_claimed, library, request, secret))
    except Problem as problem:
        if problem.status != 403:
            raise
        return html(rendered("sign_in", who=None, here="/", problem=problem.args[0]), problem.status)
    response = back_from(fields)
    start_session(response, made, request)
    return response


@routes.post("/sign-out")
def sign_out(request: Request, library: Lib, caller: Reader) -> Response:
    """Have the session of this browser open nothing any more."""
    if caller.token_id is not None and session_of(request.headers) and "authorization" not in request.headers:
        with library.database.writing() as connection:
            people.revoke_token(connection, caller.token_id)
            audit.note(connection, caller, "token.revoke", f"token {caller.token_id}")
    response = RedirectResponse("/sign-in", 303)
    end_session(response)
    return response


def _claimed(library: Library, request: Request, secret: str) -> str:
    """Return a token of its own for this browser. Raises Problem for a secret that is used up."""
    address = request.client.host if request.client else "somewhere"
    with library.database.writing() as connection:
        made = people.claim(connection, secret[:200], f"browser at {address}"[:100], days=SESSION_DAYS)
        who = Caller(account_id=None, name=made.account, role="reader", scopes=frozenset(), address=address)
        audit.note(connection, who, "token.claim", f"token {made.token.id}", name=made.token.name)
    return made.secret


def _found(library: Library, caller: Caller, browsing: Browsing) -> tuple[EntryPage, Any]:
    asked: dict[str, Any] = {"page_size": _CARDS, **browsing.lists()}
    asked.pop("compare", None)
    for name in ("tags", "makes", "models", "creators", "knobs", "kind", "licence"):
        if isinstance(asked.get(name), str):
            asked[name] = [asked[name]]
    try:
        query = SearchQuery.model_validate(asked)
    except ValidationError as error:
        told = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors()[:5] if each["loc"])
        raise Problem(422, "Not understood", f"The library cannot search for that. {told}") from error
    wanted = query.search(account_of(caller) if query.favourites else None)
    tags = library.tag_counts.value()[:_TAGS_SHOWN]
    with library.database.reading() as connection:
        if wanted is None:
            none = EntryPage(data=(), page=1, page_size=_CARDS, total=0, total_is_exact=True, total_pages=0)
            return none, tags
        return search.found(connection, wanted, asked_by=caller.account_id), tags


def _compared(library: Library, caller: Caller, told: str) -> Entry | None:
    """Return the profile that another one is looked for to compare with."""
    if not told:
        return None
    if not (told.isascii() and told.isdigit() and len(told) < 10):
        raise Problem(422, "Not understood", "What to compare with is the number of a profile.")
    with library.database.reading() as connection:
        return entries.one_entry(connection, int(told), asked_by=caller.account_id)
