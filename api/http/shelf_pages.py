"""Pages of collections: everybody sees them, their owners make, rename, fill and delete them."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from api.http import shelves as served
from api.http.asking import Id, Lib, Page, Reader, Writer, account_of
from api.http.forms import back_from, fields_of
from api.http.problems import html
from api.library import Library, check_owner
from api.page import rendered
from api.people import Caller
from api.problem import Problem
from api.store import search, shelves
from api.values import CollectionChanges, NewCollection

__all__ = ["routes"]

routes = APIRouter(include_in_schema=False)

_T = TypeVar("_T")

_ROWS, _CARDS = 50, 24
_NEW, _CHANGES = TypeAdapter(NewCollection), TypeAdapter(CollectionChanges)
_Mine = Annotated[bool, Query()]


@routes.get("/collections")
def collections_page(library: Lib, caller: Reader, page: Page = 1, *, mine: _Mine = False) -> Response:
    """Show the collections there are."""
    return _listed(library, caller, page, mine=mine)


@routes.post("/collections")
async def add_collection(request: Request, library: Lib, caller: Writer) -> Response:
    """Make a collection, put the profile into it that the form names, and show it."""
    fields = await fields_of(request)
    told = _told(fields)

    def added() -> Response:
        try:
            made = served.add_collection(_valid(_NEW, told), library, caller)
        except Problem as problem:
            if problem.status not in (409, 422):
                raise
            return _listed(library, caller, 1, mine=False, told=told, problem=problem)
        return RedirectResponse(f"/collections/{made.id}", 303)

    return await to_thread.run_sync(added)


@routes.get("/collections/{collection_id}")
def collection_page(collection_id: Id, library: Lib, caller: Reader, page: Page = 1) -> Response:
    """Show what is in a collection."""
    return _shown(library, caller, collection_id, page)


@routes.post("/collections/{collection_id}")
async def rename(collection_id: Id, request: Request, library: Lib, caller: Writer) -> Response:
    """Call a collection something else, and show it."""
    told = _told(await fields_of(request))

    def renamed() -> Response:
        try:
            served.change_collection(collection_id, _valid(_CHANGES, told), library, caller)
        except Problem as problem:
            if problem.status not in (409, 422):
                raise
            return _shown(library, caller, collection_id, 1, told=told, problem=problem)
        return RedirectResponse(f"/collections/{collection_id}", 303)

    return await to_thread.run_sync(renamed)


@routes.get("/collections/{collection_id}/delete")
def delete_page(collection_id: Id, library: Lib, caller: Writer) -> Response:
    """Ask whether a collection shall really go."""
    with library.database.reading() as connection:
        check_owner(caller, shelves.collection_owner(connection, collection_id))
        found = shelves.one_collection(connection, collection_id)
    told = {"what": "collection", "name": found.name, "goes": "what is said of it; the profiles stay in the library"}
    here = f"/collections/{collection_id}"
    return html(rendered("delete", who=caller, here=f"{here}/delete", back=here, **told))


@routes.post("/collections/{collection_id}/delete")
def delete(collection_id: Id, library: Lib, caller: Writer) -> Response:
    """Remove a collection; what was in it stays."""
    served.remove_collection(collection_id, library, caller)
    return RedirectResponse("/collections", 303)


@routes.post("/collections/{collection_id}/{change}")
async def change(
    collection_id: Id, change: Literal["add", "remove"], request: Request, library: Lib, caller: Writer
) -> Response:
    """Put a profile into a collection or take it out, and go back to where that was asked."""
    fields = await fields_of(request)
    await to_thread.run_sync(_change, library, caller, collection_id, change, fields.get("profile", ""))
    return back_from(fields)


@routes.post("/profiles/{entry_id}/collect")
async def collect(entry_id: Id, request: Request, library: Lib, caller: Writer) -> Response:
    """Put a profile into the collection that a form chooses, or a new one that it names, and show the profile again."""
    fields = await fields_of(request)

    def collected() -> None:
        chosen = fields.get("collection", "")
        if not chosen:
            chosen = str(served.add_collection(_valid(_NEW, {"name": fields.get("name", "")}), library, caller).id)
        _change(library, caller, _number(chosen), "add", str(entry_id))

    await to_thread.run_sync(collected)
    return RedirectResponse(f"/profiles/{entry_id}#collections", 303)


def _change(library: Library, caller: Caller, collection_id: int, change: str, profile: str) -> None:
    ask: Callable[..., None] = served.put_into if change == "add" else served.take_from
    ask(collection_id, _number(profile), library, caller)


def _number(told: str) -> int:
    if not (told.isascii() and told.isdigit() and 0 < len(told) < 10):
        raise Problem(422, "Not understood", f"The form names no number: {told[:40]!r}. Load the page again.")
    return int(told)


def _told(fields: dict[str, str]) -> dict[str, str]:
    return {name: fields[name].replace("\r\n", "\n") for name in ("name", "about") if name in fields}


def _valid(kind: TypeAdapter[_T], told: dict[str, str]) -> _T:
    try:
        return kind.validate_python(told)
    except ValidationError as error:
        raise Problem(422, "Not so", "A name has 1 to 120 letters on one line, what is said 4000 at most.") from error


def _listed(
    library: Library,
    caller: Caller,
    page: int,
    *,
    mine: bool,
    told: dict[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    owner_id = account_of(caller) if mine else None
    with library.database.reading() as connection:
        found = shelves.list_collections(connection, page=page, page_size=_ROWS, owner_id=owner_id)
    values: dict[str, Any] = {"found": found, "page": page, "mine": mine, "is_full": len(found) == _ROWS}
    values |= {"told": told or {}, "problem": problem and problem.detail, "may_write": "write" in caller.scopes}
    return html(rendered("collections", who=caller, here="/collections", **values), problem.status if problem else 200)


def _shown(
    library: Library,
    caller: Caller,
    collection_id: int,
    page: int,
    *,
    told: dict[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    wanted = search.Search(collection=collection_id, sort="name", page=page, page_size=_CARDS)
    with library.database.reading() as connection:
        collection = shelves.one_collection(connection, collection_id)
        owner_id = shelves.collection_owner(connection, collection_id)
        found = search.found(connection, wanted, asked_by=caller.account_id)
    may_change = "write" in caller.scopes and (caller.is_admin or owner_id == caller.account_id)
    said = {"name": collection.name, "about": collection.about, **(told or {})}
    values: dict[str, Any] = {"collection": collection, "page": found, "may_change": may_change, "told": said}
    page_html = rendered(
        "collection",
        who=caller,
        here=f"/collections/{collection_id}",
        problem=problem and problem.detail,
        **values,
    )
    return html(page_html, problem.status if problem else 200)
