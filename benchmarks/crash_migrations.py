"""Servers that are killed as they bring a library of an earlier revision up to date; part of `library_crashes.py`."""

import gzip
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from crash_processes import Started, serve_command

from api.settings import ServiceSettings
from api.store import dump
from api.store.database import Database
from api.store.migrations import newest_revision
from api.verification import verify

__all__ = ["migration_killed"]

_WATCHED_SECONDS = 60
_MOMENT_SECONDS = 0.3
_REVISIONS = ("0001", "0002")
_RELEASED = Path(__file__).parents[1] / "tests" / "api" / "released"

Rows = dict[str, list[dict[str, Any]]]


def migration_killed(settings: ServiceSettings, folder: Path, rng: random.Random) -> tuple[str, list[str]]:
    """Kill a server in a migration, start another, and return when the kill came and what is wrong after it."""
    with _own_library(settings, folder) as own:
        revision = rng.choice(_REVISIONS)
        before = _released(own, revision)
        killed = Started(serve_command(own, "--workers", "0"), folder / "server.log")
        _until(_is_touched(own))
        time.sleep(rng.uniform(0, _MOMENT_SECONDS))
        killed.end(signal.SIGKILL)
        found = _revision(own)
        moment = "before a migration was kept" if found == revision else "after migrations were kept"
        wrong = [] if found in (revision, newest_revision()) else [f"a migration was kept in part: {found}"]
        again = Started(serve_command(own, "--workers", "0"), folder / "server.log")
        again.told()
        again.end(signal.SIGTERM)
        # The dumps have no files. Presets have, which the server adds.
        flaws = [each for each in verify(own, grace_seconds=0).flaws if each.kind != "missing-file"]
        wrong += [f"{flaw.kind}: {flaw.subject}: {flaw.message}" for flaw in flaws]
        after = _rows(own)
        wrong += [f"rows of {name} are lost" for name, rows in before.items() if not _has(after[name], rows)]
        return moment, wrong


def _released(own: ServiceSettings, revision: str) -> Rows:
    """Put there what the Tonecast of a revision left, and return its rows."""
    if own.database is None:
        (own.data / "library.db").write_bytes(gzip.decompress((_RELEASED / f"{revision}.db.gz").read_bytes()))
    else:
        with psycopg.connect(own.database, autocommit=True) as connection:
            connection.execute((_RELEASED / f"{revision}.sql").read_bytes())
    return _rows(own)


def _rows(own: ServiceSettings) -> Rows:
    with closing(Database(own.database_url)) as database, database.snapshot() as connection:
        return {name: [dict(row) for row in rows] for name, rows in dump.all_rows(connection)}


def _has(after: list[dict[str, Any]], before: list[dict[str, Any]]) -> bool:
    """Return whether all rows are there, with the columns that they had."""
    kept = [{key: row.get(key) for key in before[0]} for row in after] if before else []
    return all(row in kept for row in before)


def _revision(own: ServiceSettings) -> str:
    with closing(Database(own.database_url)) as database, database.reading() as connection:
        return dump.revision_of(connection)


def _is_touched(own: ServiceSettings) -> Callable[[], bool]:
    """Return a question whether a server has begun to write into the database."""
    if own.database is None:
        log = own.data / "library.db-wal"
        return log.is_file
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    name = own.database.rpartition("/")[2]
    connection = psycopg.connect(own.database, autocommit=True)

    def is_touched() -> bool:
        row = connection.execute(query, (name,)).fetchone()
        touched = row is not None and row[0] > 0
        if touched:
            connection.close()
        return touched

    return is_touched


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WATCHED_SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.002)


@contextmanager
def _own_library(settings: ServiceSettings, folder: Path) -> Iterator[ServiceSettings]:
    """Yield settings of a library of its own, with a database on the same server, and remove it where it is whole."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "library").mkdir(parents=True)
    if settings.database is None:
        yield ServiceSettings(data=folder / "library")
    else:
        server, _, _ = settings.database.rpartition("/")
        name = folder.name.replace("-", "_")
        with psycopg.connect(settings.database, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
            yield ServiceSettings(data=folder / "library", database=f"{server}/{name}")
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    shutil.rmtree(folder)
