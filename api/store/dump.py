"""All rows of a library, written out and read in again, whatever database they came from and go to."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Integer, LargeBinary, MetaData, Table, inspect, select, text

__all__ = ["all_rows", "fill", "has_tables", "revision_of"]

Row = Mapping[str, Any]

_INDEX = "entry_words"  # made anew from the rows, for the databases keep it in ways of their own
_REVISION = "alembic_version"
_WORK = ("jobs", "workers")  # work that is under way: its files and its queue are in no backup, what came of it is
_ROWS_AT_A_TIME = 500


def has_tables(connection: Connection) -> bool:
    """Whether there is a library in a database."""
    return inspect(connection).has_table(_REVISION)


def revision_of(connection: Connection) -> str:
    """Return the name of the migration that made the tables what they are."""
    return str(connection.execute(text(f"SELECT version_num FROM {_REVISION}")).scalar_one())  # noqa: S608


def all_rows(connection: Connection) -> Iterator[tuple[str, Iterator[Row]]]:
    """Yield the name of each table with its rows as JSON has them; tables that others point to come before these."""
    for table in _tables(connection):
        yield table.name, _rows_of(connection, table)


def _rows_of(connection: Connection, table: Table) -> Iterator[Row]:
    found = connection.execution_options(yield_per=_ROWS_AT_A_TIME).execute(select(table).order_by(*table.primary_key))
    for row in found.mappings():
        yield {key: _told(value) for key, value in row.items()}


def fill(connection: Connection, rows: Callable[[str], Iterable[Row]]) -> None:
    """Put the rows of every table into tables that are empty, of the revision that the rows are of."""
    for table in _tables(connection):
        pile: list[Row] = []
        for row in rows(table.name):
            pile.append({key: _read(table, key, value) for key, value in row.items()})
            if len(pile) == _ROWS_AT_A_TIME:
                connection.execute(table.insert(), pile)
                pile = []
        if pile:
            connection.execute(table.insert(), pile)
        _count_on(connection, table)


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    names = [
        name
        for name in inspect(connection).get_table_names()
        if not name.startswith(_INDEX) and name not in (_REVISION, *_WORK, "sqlite_sequence")
    ]
    metadata.reflect(connection, only=names)
    return metadata.sorted_tables


def _count_on(connection: Connection, table: Table) -> None:
    """Have PostgreSQL number new rows after those that are there; SQLite does it of itself."""
    if connection.dialect.name == "sqlite":
        return
    keys = list(table.primary_key)
    if [key.name for key in keys] == ["id"] and isinstance(keys[0].type, Integer):
        name = table.name
        connection.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), "  # noqa: S608 - names of our own tables
                f"(SELECT coalesce(max(id), 0) + 1 FROM {name}), false)"
            )
        )


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


def _read(table: Table, key: str, value: Any) -> Any:
    kind = table.c[key].type
    if value is None:
        return None
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if isinstance(kind, LargeBinary) else value
