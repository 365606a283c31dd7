"""Searching the library: one page of the entries that match, in the order asked for."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, literal, select, union_all

from api.choices import GearKind, Licence, Sort
from api.store.entries import entries_by_id
from api.store.index import TEXT_FIELDS, Question, matching
from api.store.tables import collection_entries, entries, favourites
from api.store.words import facet, words_of
from api.values import EntryPage, Source
from profiler.score import Grade

__all__ = ["DEEPEST", "Search", "found"]

DEEPEST = 10_000
"""How many entries pages go through, and as far as matches are counted. Who needs more narrows the search."""

_FEW = 2_000

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
        return _page(search, (), 0)
    start = (search.page - 1) * search.page_size
    counted = _matches(connection, search, question).limit(DEEPEST + 1).subquery()
    total = connection.execute(select(func.count()).select_from(counted)).scalar_one()
    size = min(search.page_size, DEEPEST - start)
    if size <= 0 or start >= total:
        return _page(search, (), total)
    ids = connection.execute(_ordered(connection, search, question, total).limit(size).offset(start)).scalars()
    return _page(search, entries_by_id(connection, list(ids), asked_by=asked_by), total)


def _page(search: Search, data: tuple[Any, ...], total: int) -> EntryPage:
    return EntryPage(
        data=data,
        page=search.page,
        page_size=search.page_size,
        total=min(total, DEEPEST),
        total_is_exact=total <= DEEPEST,
        total_pages=-(-min(total, DEEPEST) // search.page_size),
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


def _ordered(connection: Connection, search: Search, question: Question, total: int) -> Select[Any]:
    if search.sort == "best-match" and question.words:
        return _best(connection, search, question, min(search.page * search.page_size, DEEPEST))
    matches = _matches(connection, search, question)
    if search.sort in ("best-match", "newest"):
        return matches.order_by(matches.selected_columns.id.desc())
    if search.sort == "oldest":
        return matches.order_by(matches.selected_columns.id)
    order = {
        "name": (entries.c.name_key, entries.c.id),
        "score": (entries.c.esr.asc().nulls_last(), entries.c.id),
        "updated": (entries.c.updated_at.desc(), entries.c.id.desc()),
    }[search.sort]
    if question.is_empty:
        return matches.order_by(*order)
    if connection.dialect.name == "sqlite" and total > _FEW:
        # A page of many matches is found sooner along the index of the order, each entry looked up among the words.
        among = exists(matching(connection, question, one=entries.c.id))
        return select(entries.c.id).where(among, *_limits(search)).order_by(*order)
    inner = matches.subquery()
    return select(entries.c.id).join(inner, inner.c.id == entries.c.id).order_by(*order)


def _best(connection: Connection, search: Search, question: Question, wanted: int) -> Select[Any]:
    """Return a query for matches with all words in the name, then those with name and gear, then others; newest first.

    Each of the three goes as far as `wanted`, so together they have the first `wanted` at least.
    """
    tiers = []
    for number in range(1, len(TEXT_FIELDS) + 1):
        within = _matches(connection, search, replace(question, fields=TEXT_FIELDS[:number]))
        newest = within.order_by(within.selected_columns.id.desc()).limit(wanted).subquery()
        tiers.append(select(newest.c.id, literal(number).label("tier")))
    all_of_them = union_all(*tiers).subquery()
    tier = func.min(all_of_them.c.tier)
    return select(all_of_them.c.id).group_by(all_of_them.c.id).order_by(tier, all_of_them.c.id.desc())
