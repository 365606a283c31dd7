"""Pages that say something else of a profile of one's own, and that remove it."""

from dataclasses import asdict
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from api.http.asking import Id, Lib, Writer
from api.http.forms import fields_of
from api.http.problems import html
from api.http.profiles import change_profile
from api.library import Library, check_owner
from api.page import rendered
from api.page.words import GEARS, LICENCES
from api.people import Caller
from api.store import entries
from api.values import Changes, Entry

__all__ = ["routes"]

routes = APIRouter(include_in_schema=False)

_CHANGES = TypeAdapter(Changes)
_WORDS = {"name": "Name", "make": "Make", "model": "Model", "maker": "Made by", "tags": "Tags", "about": "All else"}
_NAMES = ("name", "gear", "make", "model", "maker", "tags", "about", "licence")


@routes.get("/profiles/{entry_id}/edit")
def edit_page(entry_id: Id, library: Lib, caller: Writer) -> Response:
    """Show what is said of a profile, to be said anew."""
    entry = _own(library, caller, entry_id)
    told = {name: value or "" for name, value in asdict(entry).items() if name in _NAMES}
    return _edit(caller, entry, {**told, "tags": ", ".join(entry.tags)})


@routes.post("/profiles/{entry_id}/edit")
async def edit(entry_id: Id, request: Request, library: Lib, caller: Writer) -> Response:
    """Take what is said anew, and show the profile; or show the form again, with what was wrong."""
    fields = await fields_of(request)
    told = {name: fields[name].replace("\r\n", "\n") for name in _NAMES if name in fields}
    said: dict[str, Any] = {**told}
    if "gear" in told:
        said["gear"] = told["gear"] or None
    if "tags" in told:
        said["tags"] = [each.strip() for each in told["tags"].split(",") if each.strip()]

    def changed() -> Response:
        entry = _own(library, caller, entry_id)
        try:
            changes = _CHANGES.validate_python(said)
        except ValidationError as error:
            wrong = dict.fromkeys(str(each["loc"][0]) for each in error.errors() if each["loc"])
            problem = "; ".join(f"{_WORDS.get(name, name)}: {_rule(name)}" for name in wrong)
            return _edit(caller, entry, told, problem=problem)
        change_profile(entry_id, changes, library, caller)
        return RedirectResponse(f"/profiles/{entry_id}", 303)

    return await to_thread.run_sync(changed)


@routes.get("/profiles/{entry_id}/delete")
def delete_page(entry_id: Id, library: Lib, caller: Writer) -> Response:
    """Ask whether a profile shall really go."""
    entry = _own(library, caller, entry_id)
    with library.database.reading() as connection:
        count = len(entries.versions_of(connection, entry_id))
    goes = f"{'its only version' if count == 1 else f'all its {count} versions'}, tags and what it sounds like"
    told = {"what": "profile", "name": entry.name, "goes": goes, "back": f"/profiles/{entry_id}"}
    return html(rendered("delete", who=caller, here=f"/profiles/{entry_id}/delete", **told))


@routes.post("/profiles/{entry_id}/delete")
def delete(entry_id: Id, library: Lib, caller: Writer) -> Response:
    """Remove a profile with all its versions."""
    library.remove(entry_id, caller)
    return RedirectResponse("/", 303)


def _own(library: Library, caller: Caller, entry_id: int) -> Entry:
    with library.database.reading() as connection:
        check_owner(caller, entries.owner_of(connection, entry_id))
        return entries.one_entry(connection, entry_id, asked_by=caller.account_id)


def _edit(caller: Caller, entry: Entry, told: dict[str, Any], *, problem: str = "") -> Response:
    values = {"entry": entry, "told": told, "problem": problem, "gears": GEARS, "licences": LICENCES}
    return html(rendered("edit", who=caller, here=f"/profiles/{entry.id}/edit", **values), 422 if problem else 200)


def _rule(name: str) -> str:
    rules = {
        "name": "1 to 120 letters, on one line",
        "tags": "20 at most, of 40 letters each, with commas between",
        "about": "4000 letters at most",
    }
    return rules.get(name, "120 letters at most, on one line" if name in _WORDS else "choose one of the list")
