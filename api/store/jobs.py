"""The rows of jobs: added, claimed by who works on them, told of, ended.

Who works on a job holds a claim, a word of its own that every later claim replaces. What it writes is written only
while the claim is its own and the job runs: of two that believe to be at one job, one writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from api.job import FINDINGS, ORDER, PROGRESS, Job, JobPage, JobProgress, JobResult, JobState, Order, Priority
from api.problem import Problem
from api.store.tables import accounts, jobs
from profiler.finding import Finding

__all__ = [
    "NewJob",
    "Outcome",
    "Unfinished",
    "add_job",
    "all_files",
    "cancel_job",
    "claim_job",
    "count_crash",
    "count_states",
    "count_unfinished",
    "end_job",
    "end_run",
    "give_back",
    "is_claimed",
    "is_file_named",
    "job_bytes",
    "job_owner",
    "list_jobs",
    "material_of",
    "nothing",
    "one_job",
    "queue_again",
    "remove_job",
    "state_of",
    "tell_job",
    "unfinished_jobs",
]

_UNFINISHED = ("queued", "running")
_FILES = (jobs.c.material_sha256, jobs.c.result_sha256, jobs.c.checkpoint_sha256)


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A job to be added, whose material is in storage already."""

    id: str
    owner_id: int
    title: str
    order: Order
    priority: Priority = "normal"
    material_sha256: str | None = None
    material_bytes: int = 0
    request_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a job ends in."""

    state: JobState
    error: str | None = None
    entry_id: int | None = None
    result: JobResult | None = None


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A job that is to be worked on, the run that it is in, and where it queues."""

    id: str
    run: int
    kind: str
    resource: str
    priority: Priority


def add_job(connection: Connection, new: NewJob) -> None:
    """Add a job that queues."""
    row = {
        "id": new.id,
        "owner_id": new.owner_id,
        "kind": new.order.kind,
        "state": "queued",
        "title": new.title,
        "priority": new.priority,
        "resource": getattr(new.order, "resource", "cpu"),
        "order": ORDER.dump_python(new.order, mode="json"),
        "material_sha256": new.material_sha256,
        "material_bytes": new.material_bytes,
        "result_bytes": 0,
        "result_name": "",
        "findings": [],
        "run": 1,
        "crashes": 0,
        "revision": 1,
        "request_id": new.request_id,
        "created_at": datetime.now(UTC),
    }
    connection.execute(insert(jobs).values(row))


def one_job(connection: Connection, job_id: str) -> Job:
    """Return a job. Raises Problem where there is none."""
    row = connection.execute(_jobs().where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise nothing(job_id)
    return _job(row)


def state_of(connection: Connection, job_id: str) -> JobState | None:
    """Return how a job stands, None where there is none."""
    return connection.execute(select(jobs.c.state).where(jobs.c.id == job_id)).scalar()


def job_owner(connection: Connection, job_id: str) -> int:
    """Return whose job it is. Raises Problem where there is none."""
    owner_id = connection.execute(select(jobs.c.owner_id).where(jobs.c.id == job_id)).scalar()
    if owner_id is None:
        raise nothing(job_id)
    return int(owner_id)


def material_of(connection: Connection, job_id: str) -> tuple[str | None, int, str]:
    """Return hash and length of a job's material, and the number of the request that brought it."""
    query = select(jobs.c.material_sha256, jobs.c.material_bytes, jobs.c.request_id).where(jobs.c.id == job_id)
    sha256, size, request_id = connection.execute(query).one()
    return sha256, int(size), str(request_id)


def list_jobs(
    connection: Connection, *, owner_id: int | None, state: JobState | None, page: int, page_size: int
) -> JobPage:
    """Return a page of somebody's jobs, or everybody's, the newest first."""
    wanted = [] if owner_id is None else [jobs.c.owner_id == owner_id]
    if state is not None:
        wanted.append(jobs.c.state == state)
    total = connection.execute(select(func.count()).select_from(jobs).where(*wanted)).scalar_one()
    newest = _jobs().where(*wanted).order_by(jobs.c.created_at.desc(), jobs.c.id)
    rows = connection.execute(newest.limit(page_size).offset((page - 1) * page_size))
    return JobPage(data=tuple(_job(row) for row in rows), page=page, page_size=page_size, total=int(total))


def count_unfinished(connection: Connection, owner_id: int) -> int:
    """Return how many jobs of an account queue or run."""
    query = select(func.count()).select_from(jobs).where(jobs.c.owner_id == owner_id, jobs.c.state.in_(_UNFINISHED))
    return int(connection.execute(query).scalar_one())


def count_states(connection: Connection) -> dict[JobState, int]:
    """Return how many jobs stand how: every state, with none of it too."""
    counts = dict.fromkeys(get_args(JobState), 0)
    for state, count in connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state)):
        counts[state] = count
    return counts


def job_bytes(owner: ColumnElement[int] | int) -> ScalarSelect[int]:
    """Return a query for what an account keeps in jobs; profiles that came of them count as versions."""
    result = case((jobs.c.kind == "train", 0), else_=jobs.c.result_bytes)
    kept = func.coalesce(func.sum(jobs.c.material_bytes + result), 0)
    return select(kept).where(jobs.c.owner_id == owner).scalar_subquery()


def unfinished_jobs(connection: Connection) -> tuple[Unfinished, ...]:
    """Return all jobs that queue or run."""
    columns = (jobs.c.id, jobs.c.run, jobs.c.kind, jobs.c.resource, jobs.c.priority)
    rows = connection.execute(select(*columns).where(jobs.c.state.in_(_UNFINISHED)))
    return tuple(Unfinished(**row._asdict()) for row in rows)


def all_files(connection: Connection) -> frozenset[str]:
    """Return the hashes of all files that jobs name."""
    columns = _FILES
    return frozenset(sha256 for column in columns for sha256 in connection.execute(select(column)).scalars() if sha256)


def is_file_named(connection: Connection, sha256: str) -> bool:
    """Return whether a job names a file."""
    named = or_(*(column == sha256 for column in _FILES))
    return connection.execute(select(jobs.c.id).where(named).limit(1)).first() is not None


def claim_job(connection: Connection, job_id: str, run: int, claim: str) -> bool:
    """Take a job that queues, or that somebody who is gone worked on; false where this run is not wanted any more."""
    wanted = (jobs.c.id == job_id, jobs.c.run == run, jobs.c.state.in_(_UNFINISHED))
    started = func.coalesce(jobs.c.started_at, literal(datetime.now(UTC), jobs.c.started_at.type))
    return _changed(connection, wanted, state="running", claim=claim, started_at=started, progress=None)


def is_claimed(connection: Connection, job_id: str, claim: str) -> bool:
    """Return whether a job still runs under a claim."""
    return connection.execute(select(jobs.c.id).where(*_under(job_id, claim))).first() is not None


def tell_job(
    connection: Connection,
    job_id: str,
    claim: str,
    *,
    progress: JobProgress | None = None,
    findings: tuple[Finding, ...] | None = None,
) -> bool:
    """Note how far a job is and what was found; false where it is not the claim's any more."""
    told: dict[str, Any] = {}
    if progress is not None:
        told["progress"] = PROGRESS.dump_python(progress, mode="json")
    if findings is not None:
        told["findings"] = FINDINGS.dump_python(findings, mode="json")
    return _changed(connection, _under(job_id, claim), **told)


def count_crash(connection: Connection, job_id: str, claim: str) -> int:
    """Count that a job brought down the process that worked on it, and return how often it did."""
    _changed(connection, _under(job_id, claim), crashes=jobs.c.crashes + 1)
    return int(connection.execute(select(jobs.c.crashes).where(jobs.c.id == job_id)).scalar_one())


def end_job(connection: Connection, job_id: str, claim: str, outcome: Outcome) -> bool:
    """End a job; false where it is not the claim's any more."""
    return _changed(connection, _under(job_id, claim), **_ended(outcome))


def end_run(connection: Connection, job_id: str, run: int, outcome: Outcome) -> bool:
    """End a job that nobody works on any more."""
    wanted = (jobs.c.id == job_id, jobs.c.run == run, jobs.c.state.in_(_UNFINISHED))
    return _changed(connection, wanted, **_ended(outcome))


def give_back(connection: Connection, job_id: str, claim: str) -> bool:
    """Have a job queue again, as it was not brought to its end."""
    return _changed(connection, _under(job_id, claim), state="queued", claim=None)


def cancel_job(connection: Connection, job_id: str) -> bool:
    """Cancel a job; false where it has ended."""
    wanted = (jobs.c.id == job_id, jobs.c.state.in_(_UNFINISHED))
    return _changed(connection, wanted, **_ended(Outcome(state="cancelled")))


def queue_again(connection: Connection, job_id: str) -> bool:
    """Have a job that failed or was cancelled queue once more; false for any other."""
    wanted = (jobs.c.id == job_id, jobs.c.state.in_(("failed", "cancelled")))
    anew = {"run": jobs.c.run + 1, "crashes": 0, "error": None, "ended_at": None, "started_at": None, "progress": None}
    return _changed(connection, wanted, state="queued", **anew)


def remove_job(connection: Connection, job_id: str) -> tuple[str, ...]:
    """Remove a job that has ended, and return the hashes of its files. Raises Problem for one that has not."""
    found = select(*_FILES).where(jobs.c.id == job_id)
    files = tuple(sha256 for sha256 in connection.execute(found).one() if sha256)
    ended = delete(jobs).where(jobs.c.id == job_id, jobs.c.state.not_in(_UNFINISHED))
    if not connection.execute(ended).rowcount:
        raise Problem(409, "Not ended", f"Job {job_id} has not ended. Cancel it first.")
    return files


def nothing(job_id: str) -> Problem:
    """Return what is said of a job that is not there, or another's."""
    return Problem(404, "No such job", f"You have no job {job_id}. List yours at /api/v1/jobs.")


def _under(job_id: str, claim: str) -> tuple[Any, ...]:
    return (jobs.c.id == job_id, jobs.c.claim == claim, jobs.c.state == "running")


def _changed(connection: Connection, wanted: tuple[Any, ...], **values: Any) -> bool:
    changed = update(jobs).where(*wanted).values(revision=jobs.c.revision + 1, **values)
    return connection.execute(changed).rowcount > 0


def _ended(outcome: Outcome) -> Mapping[str, Any]:
    values: dict[str, Any] = {"state": outcome.state, "error": outcome.error, "claim": None}
    values |= {"entry_id": outcome.entry_id, "ended_at": datetime.now(UTC)}
    if outcome.state != "failed":  # which may be tried again, and goes on from there
        values |= {"checkpoint_sha256": None, "checkpoint_bytes": None}
    if outcome.result is not None:
        values |= {f"result_{name}": getattr(outcome.result, name) for name in ("name", "bytes", "sha256")}
    return values


def _jobs() -> Select[Any]:
    return select(jobs, accounts.c.name.label("owner")).join(accounts, accounts.c.id == jobs.c.owner_id)


def _job(row: Row[Any]) -> Job:
    same = ("id", "kind", "state", "title", "owner", "priority", "resource", "error", "revision")
    result = None
    if row.result_name:
        result = JobResult(name=row.result_name, bytes=row.result_bytes, sha256=row.result_sha256)
    return Job(
        **{name: getattr(row, name) for name in (*same, "created_at", "started_at", "ended_at")},
        order=ORDER.validate_python(row.order),
        progress=None if row.progress is None else PROGRESS.validate_python(row.progress),
        findings=FINDINGS.validate_python(row.findings),
        profile_id=row.entry_id,
        result=result,
    )
