"""The index of words: FTS5 on SQLite, a tsvector with a GIN index on PostgreSQL, filled and asked in the same words.

An entry's words stand in four fields: its name; its gear; all else that is said of it; and its facets
(`api.store.words.facet`). So text and filters are one look-up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    cast,
    column,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY

__all__ = ["TEXT_FIELDS", "Question", "add_words", "matching", "remove_words"]

TEXT_FIELDS = ("name", "gear", "about")
FIELDS = (*TEXT_FIELDS, "facets")
_LETTERS = dict(zip(FIELDS, "ABCD", strict=True))
_SHORTEST_BEGINNING = 3

_words = table("entry_words", *(column(name) for name in ("rowid", "entry_id", "words", *FIELDS)))


@dataclass(frozen=True, kw_only=True)
class Question:
    """Words that must all be there, in any of the `fields`, and facets: of each group at least one."""

    words: Sequence[str] = ()
    facets: Sequence[Sequence[str]] = ()
    fields: Sequence[str] = TEXT_FIELDS

    @property
    def is_empty(self) -> bool:
        """Whether everything matches."""
        return not (self.words or self.facets)


def add_words(connection: Connection, entries: Mapping[int, Mapping[str, Sequence[str]]]) -> None:
    """Add entries that the index has none of: by id, their words by field."""
    if connection.dialect.name == "sqlite":
        rows: list[dict[str, Any]] = [
            {"id": id_, **{name: " ".join(fields[name]) for name in FIELDS}} for id_, fields in entries.items()
        ]
        names, values = ", ".join(FIELDS), ", ".join(f":{name}" for name in FIELDS)
        connection.execute(text(f"INSERT INTO entry_words(rowid, {names}) VALUES (:id, {values})"), rows)  # noqa: S608
        return
    rows = [{"id": id_, "words": _vector(fields)} for id_, fields in entries.items()]
    connection.execute(text("INSERT INTO entry_words(entry_id, words) VALUES (:id, CAST(:words AS tsvector))"), rows)


def remove_words(connection: Connection, entry_id: int) -> None:
    """Remove what the index has of an entry."""
    key = "rowid" if connection.dialect.name == "sqlite" else "entry_id"
    connection.execute(text(f"DELETE FROM entry_words WHERE {key} = :id"), {"id": entry_id})  # noqa: S608


def matching(connection: Connection, question: Question, *, one: ColumnElement[int] | None = None) -> Select[Any]:
    """Return a query for the `id` of all entries that match; with `one` for that entry, if it matches."""
    if connection.dialect.name == "sqlite":
        key = _words.c.rowid
        condition = literal_column("entry_words").op("MATCH")(_fts5(question))
    else:
        key = _words.c.entry_id
        condition = _words.c.words.op("@@")(cast(literal(_tsquery(question)), TSQUERY))
    query = select(key.label("id")).where(condition)
    return query if one is None else query.where(key == one)


def _fts5(question: Question) -> str:
    parts = [f"facets : ({' OR '.join(group)})" for group in question.facets]
    if question.words:
        words = " AND ".join(f'"{word}"{_star(word, "*")}' for word in question.words)
        parts.insert(0, f"{{{' '.join(question.fields)}}} : ({words})")
    return " AND ".join(parts)


def _tsquery(question: Question) -> str:
    parts = [f"({' | '.join(f'{each}:D' for each in group)})" for group in question.facets]
    fields = "".join(_LETTERS[name] for name in question.fields)
    words = [f"{word}:{_star(word, '*')}{fields}" for word in question.words]
    return " & ".join([*words, *parts])


def _star(word: str, star: str) -> str:
    """Whole words are looked for, and beginnings where they are long enough to say something."""
    return star if len(word) >= _SHORTEST_BEGINNING else ""


def _vector(fields: Mapping[str, Sequence[str]]) -> str:
    found: dict[str, list[str]] = {}
    position = 0
    for name in FIELDS:
        for word in fields[name]:
            position += 1
            found.setdefault(word, []).append(f"{position}{_LETTERS[name]}")
    return " ".join(f"{word}:{','.join(places[:200])}" for word, places in found.items())
