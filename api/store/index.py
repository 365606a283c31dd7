"""The index of words: FTS5 on SQLite, tsvectors with a GIN index on PostgreSQL, filled and asked in the same words.

An entry's words stand in four fields: its name; its gear; all else that is said of it; and its facets
(`api.store.words.facet`). So text and filters are one look-up. On PostgreSQL each column but that of the facets has the
words of the fields before it too: what stands where is then told by the index, and no row need be looked at.
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
_COLUMNS = ("named", "called", "words")
"""The columns of PostgreSQL with the words of the first, the first two, and all `TEXT_FIELDS`."""

_SHORTEST_BEGINNING = 3

_words = table("entry_words", *(column(name) for name in ("rowid", "entry_id", *_COLUMNS, *FIELDS)))


@dataclass(frozen=True, kw_only=True)
class Question:
    """Words that must all be there, in any of the first so many fields, and facets: of each group at least one."""

    words: Sequence[str] = ()
    facets: Sequence[Sequence[str]] = ()
    fields: int = len(TEXT_FIELDS)

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
    columns = (*_COLUMNS, "facets")
    rows = [{"id": id_, **_vectors(fields)} for id_, fields in entries.items()]
    values = ", ".join(f"CAST(:{name} AS tsvector)" for name in columns)
    connection.execute(text(f"INSERT INTO entry_words(entry_id, {', '.join(columns)}) VALUES (:id, {values})"), rows)  # noqa: S608


def remove_words(connection: Connection, entry_id: int) -> None:
    """Remove what the index has of an entry."""
    key = "rowid" if connection.dialect.name == "sqlite" else "entry_id"
    connection.execute(text(f"DELETE FROM entry_words WHERE {key} = :id"), {"id": entry_id})  # noqa: S608


def matching(connection: Connection, question: Question) -> Select[Any]:
    """Return a query for the `id` of all entries that match."""
    if connection.dialect.name == "sqlite":
        return select(_words.c.rowid.label("id")).where(literal_column("entry_words").op("MATCH")(_fts5(question)))
    query = select(_words.c.entry_id.label("id"))
    if question.words:
        words = " & ".join(f"{word}{_star(word, ':*')}" for word in question.words)
        query = query.where(_is_in(_words.c[_COLUMNS[question.fields - 1]], words))
    if question.facets:
        query = query.where(_is_in(_words.c.facets, " & ".join(f"({' | '.join(each)})" for each in question.facets)))
    return query


def _is_in(vector: ColumnElement[Any], question: str) -> ColumnElement[bool]:
    return vector.op("@@")(cast(literal(question), TSQUERY))


def _fts5(question: Question) -> str:
    parts = [f"facets : ({' OR '.join(group)})" for group in question.facets]
    if question.words:
        words = " AND ".join(f'"{word}"{_star(word, "*")}' for word in question.words)
        parts.insert(0, f"{{{' '.join(TEXT_FIELDS[: question.fields])}}} : ({words})")
    return " AND ".join(parts)


def _star(word: str, star: str) -> str:
    """Whole words are looked for, and beginnings where they are long enough to say something."""
    return star if len(word) >= _SHORTEST_BEGINNING else ""


def _vectors(fields: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the tsvectors of an entry by column, without places: words are looked for, not what stands beside them."""
    vectors, words = {"facets": " ".join(fields["facets"])}, ""
    for column_, field in zip(_COLUMNS, TEXT_FIELDS, strict=True):
        words = " ".join([words, *fields[field]])
        vectors[column_] = words
    return vectors
