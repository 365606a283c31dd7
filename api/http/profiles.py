"""Profiles over HTTP: searched, uploaded, described, downloaded."""

import base64
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from api.file_names import file_name
from api.http.asking import Id, Lib, Reader, Writer, account_of
from api.http.queries import SearchQuery, UploadQuery
from api.http.receiving import BINARY, TYPES, check_type, file_body, received
from api.library import Library, check_owner
from api.people import Caller
from api.store import audit, counts, entries, search
from api.values import Changes, Entry, EntryPage, TagCount, Version

__all__ = ["routes"]

routes = APIRouter(prefix="/api/v1", tags=["profiles"])

_PAGE = TypeAdapter(EntryPage)
_TAKEN_IN_AT_ONCE = 8
_taking_in = CapacityLimiter(_TAKEN_IN_AT_ONCE)  # so that uploads that are read leave threads to those who search
_BODY = file_body("The profile file itself.", TYPES)
_UPLOADED: dict[int | str, dict[str, Any]] = {
    200: {"model": Entry, "description": "The library has this very file already: the entry that it is."},
    201: {"model": Entry, "description": "The entry, with this file as its newest version."},
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, byte for byte as it was uploaded. Its ETag is its SHA-256.",
        "content": {TYPES[0]: BINARY},
    },
    304: {"description": "The file is the one that If-None-Match names."},
}


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What of a file somebody has: all of one whose ETag they tell, or the beginning, and asks for the rest.

    They get all of it again, for parts are not sent.
    """

    known: str | None
    is_rest: bool


async def _wanted(
    if_none_match: Annotated[str | None, Header()] = None,
    range_: Annotated[str | None, Header(alias="Range", include_in_schema=False)] = None,
) -> _Wanted:
    is_rest = range_ is not None and not range_.replace(" ", "").startswith("bytes=0-")
    return _Wanted(known=if_none_match, is_rest=is_rest)


Wanted = Annotated[_Wanted, Depends(_wanted)]


@routes.get("/profiles", response_model=EntryPage)
def search_profiles(query: Annotated[SearchQuery, Query()], library: Lib, caller: Reader) -> Response:
    """Return a page of the profiles that match."""
    wanted = query.search(account_of(caller) if query.favourites else None)
    if wanted is None:
        page = EntryPage(
            data=(), page=query.page, page_size=query.page_size, total=0, total_is_exact=True, total_pages=0
        )
    else:
        with library.database.reading() as connection:
            page = search.found(connection, wanted, asked_by=caller.account_id)
    # As bytes: FastAPI would check each field of each entry once more, which takes longer than the search.
    return Response(_PAGE.dump_json(page), media_type="application/json")


@routes.post("/profiles", status_code=201, responses=_UPLOADED, openapi_extra=_BODY)
async def upload_profile(
    request: Request, response: Response, about: Annotated[UploadQuery, Query()], library: Lib, caller: Writer
) -> Entry:
    """Upload a profile. A file that the library has already stays one entry, and is told with status 200."""
    return await _uploaded(request, response, about, library, caller)


@routes.get("/profiles/{entry_id}")
def read_profile(entry_id: Id, library: Lib, caller: Reader) -> Entry:
    """Return a profile with its newest version."""
    with library.database.reading() as connection:
        return entries.one_entry(connection, entry_id, asked_by=caller.account_id)


@routes.patch("/profiles/{entry_id}")
def change_profile(entry_id: Id, changes: Changes, library: Lib, caller: Writer) -> Entry:
    """Say something else of a profile that is yours."""
    with library.database.writing() as connection:
        check_owner(caller, entries.owner_of(connection, entry_id))
        entries.change_entry(connection, entry_id, changes)
        audit.note(connection, caller, "profile.change", f"profile {entry_id}")
        return entries.one_entry(connection, entry_id, asked_by=caller.account_id)


@routes.delete("/profiles/{entry_id}", status_code=204)
def remove_profile(entry_id: Id, library: Lib, caller: Writer) -> None:
    """Remove a profile that is yours, with all its versions."""
    library.remove(entry_id, caller)


@routes.get("/profiles/{entry_id}/versions")
def list_versions(entry_id: Id, library: Lib, caller: Reader) -> tuple[Version, ...]:  # noqa: ARG001 - who may
    """Return all versions of a profile, newest first."""
    with library.database.reading() as connection:
        return entries.versions_of(connection, entry_id)


@routes.post("/profiles/{entry_id}/versions", status_code=201, responses=_UPLOADED, openapi_extra=_BODY)
async def upload_version(
    entry_id: Id,
    request: Request,
    response: Response,
    about: Annotated[UploadQuery, Query()],
    library: Lib,
    caller: Writer,
) -> Entry:
    """Upload a retrained profile as the newest version of one that is yours. Of what is said, only `note` counts."""

    def check() -> None:
        with library.database.reading() as connection:
            check_owner(caller, entries.owner_of(connection, entry_id))

    await to_thread.run_sync(check)
    return await _uploaded(request, response, about, library, caller, version_of=entry_id)


@routes.get("/profiles/{entry_id}/file", response_class=Response, responses=_FILE)
def download_profile(entry_id: Id, library: Lib, caller: Reader, wanted: Wanted) -> Response:
    """Return the newest file of a profile."""
    with library.database.reading() as connection:
        entry = entries.one_entry(connection, entry_id, asked_by=caller.account_id)
    return _file(library, entry, entry.version, wanted)


@routes.get("/profiles/{entry_id}/versions/{number}/file", response_class=Response, responses=_FILE)
def download_version(entry_id: Id, number: Id, library: Lib, caller: Reader, wanted: Wanted) -> Response:
    """Return the file of one version of a profile."""
    with library.database.reading() as connection:
        entry = entries.one_entry(connection, entry_id, asked_by=caller.account_id)
        version = entries.one_version(connection, entry_id, number)
    return _file(library, entry, version, wanted)


@routes.get("/tags")
def list_tags(library: Lib, caller: Reader) -> tuple[TagCount, ...]:  # noqa: ARG001 - who may
    """Return the tags in use, the most frequent first; of a large library as they were some seconds ago."""
    return library.tag_counts.value()


@routes.get("/makes")
def list_makes(library: Lib, caller: Reader) -> tuple[TagCount, ...]:  # noqa: ARG001 - who may
    """Return the makes of gear, the most frequent first."""
    with library.database.reading() as connection:
        return counts.count_makes(connection)


async def _uploaded(
    request: Request,
    response: Response,
    about: UploadQuery,
    library: Library,
    caller: Caller,
    version_of: int | None = None,
) -> Entry:
    check_type(request)
    declared = int(request.headers.get("content-length", "0"))
    await to_thread.run_sync(library.check_room, caller, declared)

    async with received(request, library.settings.scratch) as arrived:
        take_in = partial(library.take_in, arrived, caller, about.description(), version_of=version_of)
        added = await to_thread.run_sync(take_in, limiter=_taking_in)

    def read() -> Entry:
        with library.database.reading() as connection:
            return entries.one_entry(connection, added.entry_id, asked_by=caller.account_id)

    response.status_code = 201 if added.is_new else 200
    return await to_thread.run_sync(read)


def _file(library: Library, entry: Entry, version: Version, wanted: _Wanted) -> Response:
    etag, name = f'"{version.sha256}"', file_name(entry.name, otherwise="profile", ascii_only=True)
    headers = {
        "ETag": etag,
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(version.sha256)).decode()}:",
        "Content-Disposition": f'attachment; filename="{name}.tonecast"',
    }
    if wanted.known is not None and etag in wanted.known:
        return Response(status_code=304, headers=headers)
    pieces = library.storage.pieces(version.sha256, version.bytes)
    if not wanted.is_rest:
        pieces = library.downloads.counted(entry.id, pieces, version.bytes)
    headers["Content-Length"] = str(version.bytes)
    return StreamingResponse(pieces, headers=headers, media_type=TYPES[0])
