"""Searching the library: one page of the entries that match, in the order asked for."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Select, func, literal, literal_column, select

from api.choices import GearKind, Licence, Sort
from api.store.entries import entries_by_id
from api.store.index import TEXT_FIELDS, Question, matching
from api.store.tables import collection_entries, entries, favourites
from api.store.words import facet, words_of
from api.values import EntryPage, Source
from profiler.score import Grade

__all__ = ["DEEPEST", "Search", "found"]

DEEPEST = 10_000
"""How many entries pages go through. Who needs more narrows the search."""

_COUNTED = 1_000
"""As far as matches are counted, but for pages that lie deeper: to count many takes longer than to find a page."""

_FEW = 500

_BETTER: dict[Grade, tuple[Grade, ...]] = {
    "transparent": ("transparent",),
    "good": ("transparent", "good"),
    "usable": ("transparent", "good", "usable"),
    "does not match": ("transparent", "good", "usable", "does not match"),
}


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for: all of the words and tags, and of the other lists at least one. `grade` is the worst."""

    query: str = ""
    name: str | None = None
    tags: tuple[str, ...] = ()
    gears: tuple[GearKind, ...] = ()
    makes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    kinds: tuple[Source, ...] = ()
    licences: tuple[Licence, ...] = ()
    knobs: tuple[str, ...] = ()
    grade: Grade | None = None
    max_esr: float | None = None
    favourites_of: int | None = None
    collection: int | None = None
    sort: Sort = "best-match"
    page: int = 1
    page_size: int = 25


def found(connection: Connection, search: Search, *, asked_by: int | None) -> EntryPage:
    """Return one page, empty behind the last. `asked_by` is whose favourites are marked."""
    question = _question(search)
    if search.query.strip() and not question.words:  # nothing but punctuation: no entry has such a word
        return _page(search, (), 0, DEEPEST)
    start = (search.page - 1) * search.page_size
    most = _COUNTED if start + search.page_size < _COUNTED else DEEPEST
    total = _counted(connection, _matches(connection, search, question), most + 1)
    size = min(search.page_size, DEEPEST - start)
    if size <= 0 or start >= total:
        return _page(search, (), total, most)
    if search.sort == "best-match" and question.words:
        ids = _best(connection, search, question, min(start + size, total), total)[start:]
    else:
        query = _ordered(connection, search, question, total)
        ids = list(connection.execute(query.limit(size).offset(start)).scalars())
    return _page(search, entries_by_id(connection, ids, asked_by=asked_by), total, most)


def _page(search: Search, data: tuple[Any, ...], total: int, most: int) -> EntryPage:
    return EntryPage(
        data=data,
        page=search.page,
        page_size=search.page_size,
        total=min(total, most),
        total_is_exact=total <= most,
        total_pages=-(-min(total, most) // search.page_size),
    )


def _question(search: Search) -> Question:
    any_of: list[tuple[str, tuple[str, ...]]] = [
        ("name", () if search.name is None else (search.name,)),
        ("gear", search.gears),
        ("make", search.makes),
        ("model", search.models),
        ("maker", search.makers),
        ("kind", search.kinds),
        ("licence", search.licences),
        ("grade", () if search.grade is None else _BETTER[search.grade]),
    ]
    any_of += [("tag", (tag,)) for tag in search.tags] + [("knob", (knob,)) for knob in search.knobs]
    words = list(dict.fromkeys(words_of(search.query)))
    return Question(words=words, facets=[facet(kind, values) for kind, values in any_of if values])


def _matches(connection: Connection, search: Search, question: Question) -> Select[Any]:
    """Return a query for the ids of all matches, in no order."""
    limits = _limits(search)
    if question.is_empty:
        return select(entries.c.id).where(*limits)
    if not limits:
        return matching(connection, question)
    inner = matching(connection, question).subquery()
    # The id of the index of words, not of entries: SQLite then reads it in order, and stops when it has a page.
    return select(inner.c.id).join(entries, entries.c.id == inner.c.id).where(*limits)


def _limits(search: Search) -> list[ColumnElement[bool]]:
    """Return the conditions that are not in the index of words."""
    limits: list[ColumnElement[bool]] = []
    if search.max_esr is not None:
        limits.append(entries.c.esr <= search.max_esr)
    if search.favourites_of is not None:
        mine = select(favourites.c.entry_id).where(favourites.c.account_id == search.favourites_of)
        limits.append(entries.c.id.in_(mine))
    if search.collection is not None:
        within = select(collection_entries.c.entry_id).where(collection_entries.c.collection_id == search.collection)
        limits.append(entries.c.id.in_(within))
    return limits


def _counted(connection: Connection, matches: Select[Any], most: int) -> int:
    """Return how many matches there are, counted so far at most."""
    # Not their ids: PostgreSQL then counts in its index alone.
    ones = matches.with_only_columns(literal_column("1"), maintain_column_froms=True).limit(most).subquery()
    return int(connection.execute(select(func.count()).select_from(ones)).scalar_one())


def _ordered(connection: Connection, search: Search, question: Question, total: int) -> Select[Any]:
    matches = _matches(connection, search, question)
    if search.sort in ("best-match", "newest", "oldest"):
        return _by_age(connection, matches, total, newest=search.sort != "oldest")
    order = {
        "name": (entries.c.name_key, entries.c.id),
        "score": (entries.c.esr.asc().nulls_last(), entries.c.id),
        "updated": (entries.c.updated_at.desc(), entries.c.id.desc()),
        "downloads": (entries.c.downloads.desc(), entries.c.id.desc()),
    }[search.sort]
    if question.is_empty:
        return matches.order_by(*order)
    if connection.dialect.name == "sqlite" and total > _FEW:
        # A page of many matches is found sooner along the index of the order; `+ 0` has SQLite think of no other way.
        among = (entries.c.id + 0).in_(matching(connection, question))
        return select(entries.c.id).where(among, *_limits(search)).order_by(*order)
    inner = _at_once(matches) if total <= _FEW else matches.subquery()
    return select(entries.c.id).join(inner, inner.c.id == entries.c.id).order_by(*order)


def _by_age(connection: Connection, matches: Select[Any], total: int, *, newest: bool = True) -> Select[Any]:
    """Return a query for matches by their age; of the search that they are of there are `total`."""
    if connection.dialect.name != "sqlite" and total <= _FEW:
        few = _at_once(matches)
        return select(few.c.id).order_by(few.c.id.desc() if newest else few.c.id)
    id_ = matches.selected_columns.id
    return matches.order_by(id_.desc() if newest else id_)


def _unknown(connection: Connection, most: int) -> Any:
    """Return a limit that PostgreSQL does not know when it plans.

    For the few of a page it goes through all entries, newest first, also where there may be none: of the beginning of a
    word it can only guess how many names have it.
    """
    return most if connection.dialect.name == "sqlite" else select(literal(most)).scalar_subquery()


def _at_once(matches: Select[Any]) -> CTE:
    """Return few matches so that PostgreSQL looks them all up, and does not go through the entries for each."""
    return matches.cte("few").prefix_with("MATERIALIZED", dialect="postgresql")


def _best(connection: Connection, search: Search, question: Question, wanted: int, total: int) -> list[int]:
    """Return so many matches: those with all words in the name, then with name and gear, then others; newest first."""
    found: dict[int, None] = {}
    for number in range(1, len(TEXT_FIELDS) + 1):
        within = _matches(connection, search, replace(question, fields=number))
        # Each has all of the one before, so among its newest are as many others as are still wanted.
        limit = wanted if number == len(TEXT_FIELDS) else _unknown(connection, wanted)
        newest = _by_age(connection, within, total).limit(limit)
        found |= dict.fromkeys(connection.execute(newest).scalars())
        if len(found) >= wanted:
            break
    return list(found)[:wanted]
