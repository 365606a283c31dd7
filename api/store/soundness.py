"""What must hold in a library's rows: which files they name, and what they say of each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, select, text

from api.job import ENDED
from api.store.tables import audit, entries, jobs, versions

__all__ = ["NamedFile", "count_jobs", "named_files", "wrong_rows"]


@dataclass(frozen=True, kw_only=True)
class NamedFile:
    """A file that a row names, and what it is to the library."""

    kind: Literal["profile", "job"]
    sha256: str
    bytes: int
    what: str


def named_files(connection: Connection) -> Iterator[NamedFile]:
    """Yield every file that rows name; one that several jobs share comes several times."""
    for row in connection.execute(select(versions)):
        what = f"profile {row.entry_id}, version {row.number}"
        yield NamedFile(kind="profile", sha256=row.sha256, bytes=row.bytes, what=what)
    for row in connection.execute(select(jobs)):
        if row.material_sha256:
            what = f"what job {row.id} works on"
            yield NamedFile(kind="job", sha256=row.material_sha256, bytes=row.material_bytes, what=what)
        if row.checkpoint_sha256:
            what = f"the checkpoint of job {row.id}"
            yield NamedFile(kind="job", sha256=row.checkpoint_sha256, bytes=row.checkpoint_bytes, what=what)
        if row.result_sha256 and row.kind != "train":
            what = f"what came of job {row.id}"
            yield NamedFile(kind="job", sha256=row.result_sha256, bytes=row.result_bytes, what=what)


def count_jobs(connection: Connection) -> int:
    """Return how many jobs there are."""
    return int(connection.execute(select(func.count()).select_from(jobs)).scalar_one())


def wrong_rows(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with rows: which they are, and why."""
    yield from _wrong_database(connection)
    yield from _wrong_entries(connection)
    yield from _wrong_jobs(connection)


def _wrong_database(connection: Connection) -> Iterator[tuple[str, str]]:
    if connection.dialect.name != "sqlite":  # PostgreSQL keeps watch over its pages and keys itself
        return
    for (told,) in connection.execute(text("PRAGMA integrity_check")):
        if told != "ok":
            yield "the database", f"SQLite finds it damaged: {told}"
    for table, row, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        yield f"row {row} of {table}", f"it points to a row of {parent} that is not there"


def _wrong_entries(connection: Connection) -> Iterator[tuple[str, str]]:
    known = (versions.c.entry_id == entries.c.id) & (versions.c.number == entries.c.newest)
    query = select(entries.c.id, entries.c.newest, versions.c.id.label("version")).join(versions, known, isouter=True)
    listed = set()
    for row in connection.execute(query):
        listed.add(row.id)
        if row.version is None:
            yield f"profile {row.id}", f"its newest version, {row.newest}, is not there"
    key = "rowid" if connection.dialect.name == "sqlite" else "entry_id"
    found = set(connection.execute(text(f"SELECT {key} FROM entry_words")).scalars())  # noqa: S608 - two names of ours
    for entry_id in sorted(listed - found):
        yield f"profile {entry_id}", "the search has no words of it"
    for entry_id in sorted(found - listed):
        yield f"profile {entry_id}", "the search has words of it, though it is not there"


def _wrong_jobs(connection: Connection) -> Iterator[tuple[str, str]]:
    became: dict[str, int] = {}
    for detail in connection.execute(select(audit.c.detail).where(audit.c.action == "job.profile")).scalars():
        became[detail["job"]] = became.get(detail["job"], 0) + 1
    for row in connection.execute(select(jobs)):
        found, wanted = became.get(row.id, 0), 1 if row.kind == "train" and row.state == "succeeded" else 0
        if found != wanted:
            yield f"job {row.id}", f"it is {row.state}, and became {found} profiles; expected {wanted}"
        for has, should, what in _marks(row):
            if has != should:
                yield f"job {row.id}", f"it is {row.state}, and there is {'a' if has else 'no'} {what}"
    yield from _lost_profiles(connection)


def _marks(row: Row[Any]) -> Iterator[tuple[bool, bool, str]]:
    """Yield what only jobs in some states have: whether this one has it, whether it should, and what it is."""
    yield row.ended_at is not None, row.state in ENDED, "time at which it ended"
    yield row.claim is not None, row.state == "running", "claim of a worker"
    yield row.result_sha256 is not None, row.state == "succeeded", "file that came of it"
    yield bool(row.error), row.state == "failed", "reason why it failed"
    if row.state in ("succeeded", "cancelled"):
        yield row.checkpoint_sha256 is not None, False, "checkpoint to go on from"


def _lost_profiles(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield trainings whose entry has no version that came of them."""
    own = (versions.c.entry_id == jobs.c.entry_id) & (versions.c.sha256 == jobs.c.result_sha256)
    trained = select(jobs.c.id, jobs.c.entry_id).join(versions, own, isouter=True)
    lost = trained.where(jobs.c.kind == "train", jobs.c.entry_id.is_not(None), versions.c.id.is_(None))
    for row in connection.execute(lost):
        yield f"job {row.id}", f"profile {row.entry_id} has no version that came of it"
