"""Searching the library: one page of the entries that match, in the order asked for."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from api.problem import Problem
from api.store.entries import entries_by_id
from api.store.index import Question, matching
from api.store.tables import collection_entries, entries, favourites
from api.store.words import facet, words_of
from api.values import EntryPage, GearKind, Licence, Sort, Source
from profiler.score import Grade

__all__ = ["DEEPEST", "Search", "found"]

DEEPEST = 10_000
"""How many entries pages go through, and as far as matches are counted. Who needs more narrows the search."""

_RANKED = 2_000
"""So many of the newest matches are ranked by how well they match: words that everything has say little."""

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
    """Return one page. `asked_by` is whose favourites are marked. Raises Problem for a page beyond the deepest."""
    start = (search.page - 1) * search.page_size
    if start + search.page_size > DEEPEST:
        detail = f"Pages go as far as entry {DEEPEST}. Narrow the search, or sort the other way round."
        raise Problem(422, "Page too far", detail)
    question = _question(search)
    if search.query.strip() and not question.words:  # nothing but punctuation: no entry has such a word
        return _page(search, (), 0)
    ids = connection.execute(_ordered(connection, search, question).limit(search.page_size).offset(start)).scalars()
    counted = _matches(connection, search, question).limit(DEEPEST + 1).subquery()
    total = connection.execute(select(func.count()).select_from(counted)).scalar_one()
    return _page(search, entries_by_id(connection, list(ids), asked_by=asked_by), total)


def _page(search: Search, data: tuple[Any, ...], total: int) -> EntryPage:
    shown = min(total, DEEPEST)
    return EntryPage(
        data=data,
        page=search.page,
        page_size=search.page_size,
        total=shown,
        total_is_exact=total <= DEEPEST,
        total_pages=-(-shown // search.page_size),
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
    return select(entries.c.id).join(inner, inner.c.id == entries.c.id).where(*limits)


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


def _ordered(connection: Connection, search: Search, question: Question) -> Select[Any]:
    matches = _matches(connection, search, question)
    newest = matches.selected_columns.id.desc()
    if search.sort == "best-match" and question.words:
        return _by_rank(connection, search, question)
    if search.sort in ("best-match", "newest"):
        return matches.order_by(newest)
    if search.sort == "oldest":
        return matches.order_by(matches.selected_columns.id)
    order = {
        "name": (entries.c.name_key, entries.c.id),
        "score": (entries.c.esr.is_(None), entries.c.esr, entries.c.id),
        "updated": (entries.c.updated_at.desc(), entries.c.id.desc()),
    }[search.sort]
    if question.is_empty:
        return matches.order_by(*order)
    inner = matches.subquery()
    return select(entries.c.id).join(inner, inner.c.id == entries.c.id).order_by(*order)


def _by_rank(connection: Connection, search: Search, question: Question) -> Select[Any]:
    ranked = matching(connection, question, ranked=True)
    if limits := _limits(search):
        inner = ranked.subquery()
        ranked = select(inner.c.id, inner.c.badness).join(entries, entries.c.id == inner.c.id).where(*limits)
    newest = ranked.order_by(ranked.selected_columns.id.desc()).limit(_RANKED).subquery()
    return select(newest.c.id).order_by(newest.c.badness, newest.c.id.desc())
