"""The connection to SQLite or PostgreSQL: transactions that read, transactions that write, and what fails."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from api.problem import Problem
from api.turns import Turns
from profiler.errors import LibraryError

__all__ = ["Connection", "Database"]

_BUSY_SECONDS = 10
_CONNECTIONS = 48  # as many as there are threads that answer
_CACHE_BYTES = 4 << 20  # of each connection, for what it changes: what is read is mapped, once for all of them
_MAPPED_BYTES = 0x7FFF0000  # the most that SQLite can map


class Database:
    """A database that is open. `database_url` may leave out the driver: `postgresql://user@host/name`."""

    def __init__(self, database_url: str) -> None:
        self.url = _with_driver(database_url)
        self.engine = _engine(self.url)
        self._writers = Turns()

    @property
    def is_sqlite(self) -> bool:
        """Whether one process on one machine has it."""
        return self.url.get_backend_name() == "sqlite"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection for questions that change nothing. On PostgreSQL each sees what is so when it is asked.

        That is how transactions are there as well, but those take two more messages each way.
        """
        level = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        with _told(), self.engine.connect().execution_options(**level) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a transaction in which several questions see one and the same state."""
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with _told(), self.engine.connect().execution_options(**level) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a transaction that is kept as a whole when the block ends well, and not at all when it does not."""
        # Who waits for SQLite looks again and again whether it is free, and of many some never find it so. Threads of
        # this process wait in line instead.
        turn = self._writers.one() if self.is_sqlite else contextlib.nullcontext()
        writing = {"writes": True}
        with turn, _told(), self.engine.connect().execution_options(**writing) as connection, connection.begin():
            yield connection

    def lock_name(self, connection: Connection, name: str) -> None:
        """Have transactions on other connections that lock the same name wait until this one ends.

        On SQLite all that write wait for each other as it is.
        """
        if not self.is_sqlite:
            number = int.from_bytes(hashlib.blake2s(name.encode(), digest_size=8).digest(), signed=True)
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})

    def ping(self) -> None:
        """Raise Problem where the database does not answer."""
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _with_driver(database_url: str) -> URL:
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise LibraryError(
            f"{database_url!r} names no database. Write postgresql://user@host/name or sqlite:///file.db."
        ) from error
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("postgresql+psycopg", "sqlite"):
        return url
    raise LibraryError(f"The library runs on SQLite and PostgreSQL; found {url.drivername!r}.")


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = {"connect_args": {"timeout": _BUSY_SECONDS, "check_same_thread": False}}
    else:
        arguments = {"pool_pre_ping": True}
    engine = create_engine(url, pool_size=_CONNECTIONS, max_overflow=0, pool_timeout=_BUSY_SECONDS, **arguments)
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # Python's own BEGIN comes too late for reads and for tables
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "synchronous=FULL",
        f"cache_size={-_CACHE_BYTES // 1024}",
        f"mmap_size={_MAPPED_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would find the database locked with no way on.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        detail = f"The library's database does not answer ({reason}). Try again in a moment."
        raise Problem(503, "Database busy", detail, retry_after_seconds=2) from error
