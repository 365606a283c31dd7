"""Recordings to be played through chains, over HTTP: which profiles are meant, and the impulse responses that come."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request

from api.chains import Found, Named, ResolvedChain
from api.http.asking import Lib, Writer
from api.http.job_queries import ChainQuery
from api.http.jobs import TheDesk
from api.http.material import RECORDINGS
from api.job import ChainOrder, ChainResponse, Job
from api.jobs.pair import parted
from api.library import Library
from api.problem import Problem
from api.store import entries
from api.store.database import Connection
from profiler.storage import sha256_of

__all__ = ["routes"]

routes = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

_BODY = (
    "It is the recording and, right behind it, each impulse response that the chain plays: WAV, FLAC, AIFF, OGG or MP3 "
    "each."
)
_HEARD_AT_ONCE = 8
_hearing = CapacityLimiter(_HEARD_AT_ONCE)  # those who wait for an inspector leave threads to those who search


@routes.post("/chain", status_code=201, openapi_extra=RECORDINGS.body(_BODY))
async def play_chain(
    request: Request, query: Annotated[ChainQuery, Query()], library: Lib, desk: TheDesk, caller: Writer
) -> Job:
    """Have a recording be played through a chain of effects, of the library's profiles and of impulse responses."""

    def resolved() -> ResolvedChain:
        with library.database.reading() as connection:
            return query.resolved(partial(_named, connection))

    chain = await to_thread.run_sync(resolved)
    limiter = _hearing if chain.responses else None
    order_of = partial(_order, library, query, chain)
    return await RECORDINGS.submitted(request, desk, caller, query, order_of, limiter=limiter)


def _named(connection: Connection, named: Named) -> Found:
    """Return the version of a profile that a slot of a chain names. Raises Problem where there is none."""
    if named.sha256 is None:
        assert named.profile_id is not None  # noqa: S101 - it is named by one or the other
        return named.profile_id, entries.one_version(connection, named.profile_id, named.version)
    profile_id = entries.entry_of_hash(connection, named.sha256)
    if profile_id is None:
        found = f"the library has no profile whose file has the hash {named.sha256[:12]}."
        raise Problem(404, "No such profile", f"{found} Push it first: tonecast push FILE")
    of_hash = (each for each in entries.versions_of(connection, profile_id) if each.sha256 == named.sha256)
    return profile_id, next(of_hash)


def _order(library: Library, query: ChainQuery, chain: ResolvedChain, body: Path) -> ChainOrder:
    """Return what is to be done. Raises Problem where what follows the recording is not what the chain plays."""
    if not chain.responses:
        return query.order(chain, ())
    size, behind = body.stat().st_size, sum(query.response_bytes)
    if behind >= size:
        detail = f"The body has {size} bytes, the impulse responses {behind}: there is no recording before them."
        raise Problem(422, "No recording", detail)
    with _parts(body, size - behind, query.response_bytes) as parts:
        hashes = [sha256_of(part) for part in parts]
        slots = _slots_of(hashes, chain.responses)
        for slot, part in zip(slots, parts, strict=True):
            RECORDINGS.check(part, what=f"The impulse response of slot {slot}")
        library.inspections.check_responses(dict(zip(slots, parts, strict=True)))
    sizes = zip(hashes, query.response_bytes, strict=True)
    return query.order(chain, tuple(ChainResponse(sha256=sha256, bytes=length) for sha256, length in sizes))


def _slots_of(hashes: Sequence[str], responses: Mapping[str, str]) -> list[str]:
    """Return the slots that play what came, each once. Raises Problem for what no slot plays, and what came before."""
    for number, sha256 in enumerate(hashes):
        if sha256 not in responses or sha256 in hashes[:number]:
            reason = "came before" if sha256 in responses else "no slot of the chain names"
            detail = f"Impulse response {number + 1} in the body has the hash {sha256[:12]}, which {reason}."
            raise Problem(422, "Not those impulse responses", f"{detail} Send those that the slots name, each once.")
    return [responses[sha256] for sha256 in hashes]


@contextmanager
def _parts(body: Path, start: int, lengths: Sequence[int]) -> Iterator[list[Path]]:
    """Yield files of what follows a byte of the body, and remove them at the end."""
    parts: list[Path] = []
    try:
        for length in lengths:
            parts.append(body.with_name(f"response-{secrets.token_hex(8)}"))
            parted(body, parts[-1], start=start, stop=start + length)
            start += length
        yield parts
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
