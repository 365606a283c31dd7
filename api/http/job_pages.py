"""Pages of one's own jobs: how far they are, what came of them, and the form that has recordings be learnt."""

from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from api.http.asking import Id, Lib, Page, Writer, account_of
from api.http.forms import back_from, fields_of
from api.http.jobs import JobId, TheDesk, export
from api.http.matching import matches_of
from api.http.problems import html
from api.job import Job, NewExport
from api.jobs.desk import Desk
from api.library import check_owner
from api.page import rendered
from api.page.job_words import BUDGETS
from api.page.matches import ShownMatch, ShownMatches
from api.page.words import GEARS, LICENCES
from api.problem import Problem
from api.store import entries, jobs

__all__ = ["routes"]

routes = APIRouter(include_in_schema=False)

_CARDS = 25
_Number = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
_Change = Literal["cancel", "retry", "remove"]
_NEW_EXPORT = TypeAdapter(NewExport)
_KNOB = "set:"


@routes.get("/jobs")
def jobs_page(library: Lib, caller: Writer, page: Page = 1, version_of: _Number = None) -> Response:
    """Show one's jobs, the newest first."""
    account_id, entry = account_of(caller), None
    with library.database.reading() as connection:
        if version_of is not None:
            check_owner(caller, entries.owner_of(connection, version_of))
            entry = entries.one_entry(connection, version_of, asked_by=account_id)
        found = jobs.list_jobs(connection, owner_id=account_id, state=None, page=page, page_size=_CARDS)
    choices = {"gears": GEARS, "licences": LICENCES, "budgets": BUDGETS}
    values = {"page": found, "entry": entry, "limit_bytes": library.settings.material_limit_bytes}
    return html(rendered("jobs", who=caller, here="/jobs", **choices, **values))


@routes.get("/jobs/{job_id}")
def job_page(job_id: JobId, desk: TheDesk, caller: Writer) -> Response:
    """Show a job, and what it found where it looked for profiles."""
    job = desk.job(job_id, caller)
    shown = None
    if job.kind == "match" and job.state == "succeeded":
        shown = _matches(desk, job)
    return html(rendered("job", who=caller, here=f"/jobs/{job_id}", job=job, matches=shown))


def _matches(desk: Desk, job: Job) -> ShownMatches:
    found = matches_of(desk, job)
    with desk.library.database.reading() as connection:
        shown = tuple(
            ShownMatch.of(each, entries.one_version(connection, each.profile_id, each.version).facts)
            for each in found.data
        )
    return ShownMatches(found=shown, compared=found.compared)


@routes.post("/jobs/{job_id}/{change}")
async def change_job(job_id: JobId, change: _Change, request: Request, desk: TheDesk, caller: Writer) -> Response:
    """Cancel a job, have it tried again or remove it, and go back to where that was asked."""
    fields = await fields_of(request)
    changed = {"cancel": desk.cancel, "retry": desk.retry, "remove": desk.remove}[change]
    await to_thread.run_sync(changed, job_id, caller)
    return back_from(fields)


@routes.post("/profiles/{entry_id}/export")
async def export_profile(entry_id: Id, request: Request, library: Lib, desk: TheDesk, caller: Writer) -> Response:
    """Have a profile be written as a .nam file at the knobs of the form, and show the job."""
    fields = await fields_of(request)
    settings = {name.removeprefix(_KNOB): value for name, value in fields.items() if name.startswith(_KNOB) and value}
    told: dict[str, Any] = {"profile_id": entry_id, "version": fields.get("version"), "settings": settings}
    try:
        new = _NEW_EXPORT.validate_python({**told, "sizes": (fields.get("size", "full"),)})
    except ValidationError as error:
        detail = "; ".join(f"{'.'.join(map(str, each['loc']))[:200]}: {each['msg']}" for each in error.errors()[:5])
        raise Problem(422, "Not understood", detail) from error
    job = await to_thread.run_sync(export, new, library, desk, caller)
    return RedirectResponse(f"/jobs/{job.id}", 303)
