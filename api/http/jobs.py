"""Jobs over HTTP: asked for, watched, cancelled, tried again, and what came of them downloaded."""

from typing import Annotated, Any, cast

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.http.asking import Lib, Page, PageSize, Reader, Writer, account_of
from api.http.job_events import MEDIA_TYPE, events
from api.http.job_queries import RenderQuery, TrainQuery
from api.http.material import RECORDINGS, SESSIONS
from api.http.queries import checked
from api.http.receiving import BINARY, TYPES
from api.job import ExportOrder, Job, JobPage, JobState, NewExport
from api.jobs.desk import Desk
from api.library import Library, check_owner
from api.people import Caller
from api.problem import Problem
from api.store import entries, jobs
from api.values import Entry, Version

__all__ = ["JobId", "TheDesk", "routes"]

routes = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])


def _desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


TheDesk = Annotated[Desk, Depends(_desk)]
JobId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", examples=["0123456789abcdef"])]

_RESULT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file. Its ETag is its SHA-256.", "content": {TYPES[0]: BINARY}}
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events, each a `job` as JSON, with its revision as the id. The last is of its end.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


@routes.post("/train", status_code=201, openapi_extra=SESSIONS.body())
async def train(
    request: Request, query: Annotated[TrainQuery, Query()], library: Lib, desk: TheDesk, caller: Writer
) -> Job:
    """Have a session be learnt. The profile becomes an entry of yours, or the newest version of one."""
    order = query.order()
    if order.version_of is not None:
        await to_thread.run_sync(_check_version_of, library, caller, order.version_of)
    return await SESSIONS.submitted(request, desk, caller, query, lambda _: order)


@routes.post("/render", status_code=201, openapi_extra=RECORDINGS.body())
async def render(
    request: Request, query: Annotated[RenderQuery, Query()], library: Lib, desk: TheDesk, caller: Writer
) -> Job:
    """Have a recording be played through a profile."""
    entry, version = await to_thread.run_sync(_version, library, query.profile_id, query.version)
    order = query.order(entry, version)
    return await RECORDINGS.submitted(request, desk, caller, query, lambda _: order)


@routes.post("/export", status_code=201)
def export(new: NewExport, library: Lib, desk: TheDesk, caller: Writer) -> Job:
    """Have a profile be written at one setting as a .nam file."""
    entry, version = _version(library, new.profile_id, new.version)
    order = ExportOrder(
        profile_id=entry.id,
        version=version.number,
        sha256=version.sha256,
        settings=checked(version, new.settings),
        sizes=new.sizes,
    )
    return desk.submit(order, entry.name, caller, priority=new.priority)


@routes.get("")
def list_jobs(
    library: Lib,
    caller: Reader,
    *,
    state: Annotated[JobState | None, Query(description="Only those in this state.")] = None,
    everybody: Annotated[bool, Query(description="Those of all accounts; takes an admin.")] = False,
    page: Page = 1,
    page_size: PageSize = 25,
) -> JobPage:
    """Return a page of your jobs, the newest first."""
    if everybody and not caller.is_admin:
        raise Problem(403, "Not allowed", "Only admins see the jobs of others.")
    owner_id = None if everybody else account_of(caller)
    with library.database.reading() as connection:
        return jobs.list_jobs(connection, owner_id=owner_id, state=state, page=page, page_size=page_size)


@routes.get("/{job_id}")
def read_job(job_id: JobId, desk: TheDesk, caller: Reader) -> Job:
    """Return a job: its state, how far it is, what was found, and what came of it."""
    return desk.job(job_id, caller)


@routes.get("/{job_id}/events", response_class=StreamingResponse, responses=_EVENTS)
async def watch_job(
    job_id: JobId,
    request: Request,
    desk: TheDesk,
    caller: Reader,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> StreamingResponse:
    """Tell of a job as it goes on, beginning with how it is now unless Last-Event-ID says that this is known."""
    job = await to_thread.run_sync(desk.job, job_id, caller)
    known = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdecimal() else None
    stream = events(desk, caller, job, known, request.app.state.ending)
    return StreamingResponse(stream, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


@routes.get("/{job_id}/result", response_class=Response, responses=_RESULT)
def download_result(job_id: JobId, desk: TheDesk, caller: Reader) -> Response:
    """Return the file that came of a job."""
    job = desk.job(job_id, caller)
    pieces = desk.result(job)
    assert job.result is not None  # noqa: S101 - there are pieces of it
    headers = {
        "ETag": f'"{job.result.sha256}"',
        "Content-Disposition": f'attachment; filename="{job.result.name}"',
        "Content-Length": str(job.result.bytes),
    }
    return StreamingResponse(pieces, headers=headers, media_type=TYPES[0])


@routes.post("/{job_id}/cancel")
def cancel_job(job_id: JobId, desk: TheDesk, caller: Writer) -> Job:
    """Cancel a job that has not ended."""
    return desk.cancel(job_id, caller)


@routes.post("/{job_id}/retry")
def retry_job(job_id: JobId, desk: TheDesk, caller: Writer) -> Job:
    """Have a job that failed or was cancelled tried again. One that failed goes on from where it was."""
    return desk.retry(job_id, caller)


@routes.delete("/{job_id}", status_code=204)
def remove_job(job_id: JobId, desk: TheDesk, caller: Writer) -> None:
    """Remove a job that has ended, with its files. A profile that it became stays."""
    desk.remove(job_id, caller)


def _version(library: Library, entry_id: int, number: int | None) -> tuple[Entry, Version]:
    with library.database.reading() as connection:
        entry = entries.one_entry(connection, entry_id, asked_by=None)
        return entry, entries.one_version(connection, entry_id, number)


def _check_version_of(library: Library, caller: Caller, entry_id: int) -> None:
    with library.database.reading() as connection:
        check_owner(caller, entries.owner_of(connection, entry_id))
