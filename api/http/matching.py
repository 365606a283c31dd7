"""Search by a dry and its wet, over HTTP: the job that fits knobs, and what it found."""

import secrets
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError

from api.http.asking import Listen, Reader, Writer
from api.http.job_queries import MatchQuery
from api.http.jobs import JobId, TheDesk
from api.http.listening import LISTENING
from api.http.material import RECORDINGS
from api.job import MATCHES, Job, MatchCandidate, Matches, MatchOrder
from api.jobs.desk import Desk
from api.jobs.pair import parted
from api.listening.listening import Listening
from api.people import Caller
from api.problem import Problem
from api.store import entries

__all__ = ["matches_of", "routes"]

routes = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

_CANDIDATES = 5
_PAIR = "It is the dry recording and, right behind it, the wet that was made of it: WAV, FLAC, AIFF, OGG or MP3 each."


@routes.post("/match", status_code=201, openapi_extra=RECORDINGS.body(_PAIR))
async def match(
    request: Request, query: Annotated[MatchQuery, Query()], desk: TheDesk, listening: Listen, caller: Writer
) -> Job:
    """Have profiles be looked for that make a wet of a dry, and their knobs be fitted.

    The profiles are those that sound most like the wet.
    """
    order_of = partial(_order, listening, caller, query.dry_bytes)
    return await RECORDINGS.submitted(request, desk, caller, query, order_of, limiter=LISTENING)


@routes.get("/{job_id}/matches")
def read_matches(job_id: JobId, desk: TheDesk, caller: Reader) -> Matches:
    """Return the profiles that a match has found, those that the library still has, with their knobs."""
    return matches_of(desk, desk.job(job_id, caller))


def matches_of(desk: Desk, job: Job) -> Matches:
    """Return what a match has found. Raises Problem for a job of another kind, and for one that found nothing yet."""
    if job.kind != "match":
        raise Problem(404, "No matches", f"Job {job.id} looks for no profile: it is of the kind {job.kind!r}.")
    try:
        found = MATCHES.validate_json(b"".join(desk.result(job)))
    except ValidationError as error:
        raise Problem(500, "No matches", f"What job {job.id} found cannot be read. Have it done anew.") from error
    ids = [each.profile_id for each in found.data]
    with desk.library.database.reading() as connection:
        there = {entry.id for entry in entries.entries_by_id(connection, ids, asked_by=None)}
    return Matches(data=tuple(each for each in found.data if each.profile_id in there), compared=found.compared)


def _order(listening: Listening, caller: Caller, dry_bytes: int, pair: Path) -> MatchOrder:
    """Return which profiles a wet may have been made by. Raises Problem where that cannot be told."""
    size = pair.stat().st_size
    if dry_bytes >= size:
        detail = f"The body has {size} bytes and the dry shall have {dry_bytes}: there is no wet behind it."
        raise Problem(422, "No wet", detail)
    RECORDINGS.check(pair, start=dry_bytes, what=f"The wet, from byte {dry_bytes} on,")
    wet = pair.with_name(f"wet-{secrets.token_hex(8)}")
    try:
        found = listening.like(parted(pair, wet, start=dry_bytes), _CANDIDATES, asked_by=caller.account_id)
    finally:
        wet.unlink(missing_ok=True)
    if not found.data:
        detail = "The library has listened to no profile yet, so there is none to compare with. Ask again in a while."
        raise Problem(409, "Nothing heard", detail)
    candidates = (each.entry for each in found.data)
    return MatchOrder(
        dry_bytes=dry_bytes,
        candidates=tuple(
            MatchCandidate(profile_id=each.id, version=each.version.number, name=each.name, sha256=each.version.sha256)
            for each in candidates
        ),
    )
