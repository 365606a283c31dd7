"""Server-sent events of a job: how it is, whenever that has changed, until it has ended."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

from anyio import to_thread

from api.job import ENDED, JOB, Job
from api.jobs.desk import Desk
from api.people import Caller
from api.problem import Problem

__all__ = ["MEDIA_TYPE", "events"]

MEDIA_TYPE = "text/event-stream"

_LOOK_SECONDS = 0.4
_QUIET_SECONDS = 15.0


async def events(
    desk: Desk, caller: Caller, job: Job, known: int | None, ending: threading.Event
) -> AsyncIterator[bytes]:
    """Yield the job as it is, and again after every change, with its revision as the event's id.

    Nothing is yielded of a revision that is `known`. A line that clients skip comes every 15 s, so that nobody in
    between takes the connection for dead. It ends with the job, with the server, and with a job that is removed.
    """
    yield b"retry: 2000\n\n"
    spoke = time.monotonic()
    while True:
        if job.revision != known:
            known, spoke = job.revision, time.monotonic()
            yield b"id: %d\nevent: job\ndata: %s\n\n" % (known, JOB.dump_json(job))
        if job.state in ENDED or ending.is_set():
            return
        if time.monotonic() - spoke > _QUIET_SECONDS:
            spoke = time.monotonic()
            yield b": still here\n\n"
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            job = await to_thread.run_sync(desk.job, job.id, caller)
        except Problem as problem:
            if problem.status != 503:  # the database is away for a moment
                return
