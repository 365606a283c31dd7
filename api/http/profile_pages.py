"""Pages about one profile, two of them side by side, and the page that takes one in."""

from collections.abc import Sequence
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.responses import Response

from api.http.asking import Id, Lib, Reader, Writer
from api.http.problems import html
from api.http.queries import Setting, checked, settings_told
from api.http.sounds import PLAYING, all_tracks, file_of
from api.library import check_owner
from api.page import rendered
from api.page.words import GEARS, LICENCES, usual_track
from api.problem import Problem
from api.store import entries, shelves
from api.store.database import Connection
from api.store.tag_labels import said_by
from profiler.knob import find_knob

__all__ = ["routes"]

routes = APIRouter(include_in_schema=False)

_SAID, _SHELVES, _OWN_SHELVES = 20, 20, 1000
_Number = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
_Settings = Annotated[Sequence[Setting], Query(alias="set", max_length=64)]
_Sides = Annotated[list[Annotated[int, Query(ge=1, le=2**31 - 1)]], Query(alias="with", max_length=10)]


@routes.get("/profiles/{entry_id}")
def profile_page(entry_id: Id, library: Lib, caller: Reader, version: _Number = None, at: _Settings = ()) -> Response:
    """Show a profile: what it is, how it sounds with its knobs as told or at their defaults, its versions."""
    with library.database.reading() as connection:
        entry = entries.one_entry(connection, entry_id, asked_by=caller.account_id)
        versions = entries.versions_of(connection, entry_id)
        shown = entries.chosen_version(versions, entry_id, version)
        arranged = _arranged(connection, caller.account_id, entry_id)
        is_own = caller.account_id is not None and entries.owner_of(connection, entry_id) == caller.account_id
    given = settings_told(at)
    complete = checked(shown, given)
    settings = {id_: complete[id_] for id_ in (find_knob(shown.facts.knobs, name).id for name in given)}
    may_change = "write" in caller.scopes and (is_own or caller.is_admin)
    values = {"entry": entry, "version": shown, "versions": versions, "settings": settings, "may_change": may_change}
    heard = {"tracks": all_tracks(library, caller), "chosen": usual_track(entry)}
    asked = {"may_ask": "write" in caller.scopes, "limit_bytes": library.settings.material_limit_bytes}
    return html(rendered("profile", who=caller, here=f"/profiles/{entry_id}", **values, **heard, **asked, **arranged))


def _arranged(connection: Connection, account_id: int | None, entry_id: int) -> dict[str, Any]:
    """Return in which collections a profile is, which ones somebody has, and what they said of its tags."""
    held_by = shelves.list_collections(connection, page=1, page_size=_SHELVES, entry_id=entry_id)
    if account_id is None:
        return {"held_by": held_by, "own_shelves": (), "said": ()}
    own = shelves.list_collections(connection, page=1, page_size=_OWN_SHELVES, owner_id=account_id)
    said = said_by(connection, account_id, entry_id=entry_id, most=_SAID)
    return {"held_by": held_by, "own_shelves": own, "said": said}


@routes.get("/profiles/{entry_id}/plots")
async def plots_page(entry_id: Id, library: Lib, caller: Reader, version: _Number = None) -> Response:
    """Show the plots of a profile."""

    def shown() -> str:
        with library.database.reading() as connection:
            entry = entries.one_entry(connection, entry_id, asked_by=caller.account_id)
            told = entries.one_version(connection, entry_id, version)
        drawn = [(title, Markup(charts)) for title, charts in library.auditions.plots(file_of(library, told))]  # noqa: S704 - SVG of our own, in which names are escaped
        values = {"entry": entry, "version": told, "plots": drawn}
        return rendered("plots", who=caller, here=f"/profiles/{entry_id}/plots", **values)

    return html(await to_thread.run_sync(shown, limiter=PLAYING))


@routes.get("/compare")
def compare_page(library: Lib, caller: Reader, sides: _Sides) -> Response:
    """Show two profiles side by side."""
    if len(sides) != 2 or sides[0] == sides[1]:
        raise Problem(422, "Not two", "Two different profiles can be compared. Choose them in the library.")
    with library.database.reading() as connection:
        both = [entries.one_entry(connection, each, asked_by=caller.account_id) for each in sides]
    panels = [
        {"source": name, "entry": entry, "version": entry.version, "settings": {}}
        for name, entry in zip(("first", "second"), both, strict=True)
    ]
    heard = {"tracks": all_tracks(library, caller), "chosen": usual_track(both[0])}
    return html(rendered("compare", who=caller, here="/compare", panels=panels, **heard))


@routes.get("/by-sound")
def by_sound_page(library: Lib, caller: Reader) -> Response:
    """Ask for recordings to search by."""
    limits = {
        "limit_bytes": library.settings.upload_limit_bytes,
        "material_limit_bytes": library.settings.material_limit_bytes,
    }
    return html(rendered("by_sound", who=caller, here="/by-sound", may_ask="write" in caller.scopes, **limits))


@routes.get("/upload")
def upload_page(library: Lib, caller: Writer, version_of: _Number = None) -> Response:
    """Ask for a profile file."""
    entry = None
    if version_of is not None:
        with library.database.reading() as connection:
            check_owner(caller, entries.owner_of(connection, version_of))
            entry = entries.one_entry(connection, version_of, asked_by=caller.account_id)
    values = {"entry": entry, "limit_bytes": library.settings.upload_limit_bytes}
    return html(rendered("upload", who=caller, here="/upload", gears=GEARS, licences=LICENCES, **values))
