"""What the versions of profiles sound like: kept, counted as they change, and read by those who hold them in memory.

Every change raises one number in its own transaction, and keeps that row locked until it ends. So numbers come in the
order in which changes can be seen, and whoever has read up to one misses nothing that comes after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from api.store.tables import entries, sound_changes, sounds, versions
from profiler.knob import KnobSettings

__all__ = [
    "Counts",
    "HeardVersion",
    "UnheardVersion",
    "changed_since",
    "counts",
    "findable",
    "heard_at",
    "keep_sounds",
    "last_change",
    "note_change",
    "some_unheard",
]

_AT_ONCE = 2_000
_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class UnheardVersion:
    """A version of which nobody knows yet how it sounds."""

    id: int
    sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True, eq=False)
class HeardVersion:
    """How a version sounds at each of its settings: descriptors of shape (settings, any)."""

    id: int
    entry_id: int
    descriptors: NDArray[np.float16]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many profiles have been heard, and how many not yet."""

    heard: int
    unheard: int


def note_change(connection: Connection) -> int:
    """Say that other sounds are to be found than before, and return the number of the change."""
    raised = update(sound_changes).where(sound_changes.c.id == 1).values(number=sound_changes.c.number + 1)
    number = connection.execute(raised.returning(sound_changes.c.number)).scalar()
    if number is None:  # the first change of all
        try:
            with connection.begin_nested():
                connection.execute(insert(sound_changes).values(id=1, number=1))
        except IntegrityError:  # another server's was the first at the same moment
            return note_change(connection)
        return 1
    return int(number)


def last_change(connection: Connection) -> int:
    """Return the number of the last change, 0 before the first."""
    return int(connection.execute(select(sound_changes.c.number)).scalar() or 0)


def keep_sounds(
    connection: Connection,
    version_id: int,
    kind: int,
    settings: Sequence[KnobSettings],
    descriptors: NDArray[np.float16],
    *,
    problem: str = "",
) -> None:
    """Keep how a version sounds, or the problem with hearing it. Does nothing for one that is gone meanwhile."""
    known = select(versions.c.id).where(versions.c.id == version_id).with_for_update()
    if connection.execute(known).scalar() is None:
        return
    change = note_change(connection)
    connection.execute(delete(sounds).where(sounds.c.version_id == version_id))
    row = {
        "version_id": version_id,
        "change": change,
        "kind": kind,
        "settings": [dict(each) for each in settings],
        "descriptors": descriptors.astype("<f2").tobytes(),
        "problem": problem,
    }
    connection.execute(insert(sounds).values(row))


def some_unheard(connection: Connection, kind: int, most: int) -> tuple[UnheardVersion, ...]:
    """Return a few newest versions whose sound is not known, or of another kind; older ones first."""
    columns = (versions.c.id, versions.c.sha256, versions.c.bytes)
    query = _unheard(select(*columns), kind).order_by(versions.c.id).limit(most)
    return tuple(UnheardVersion(**row._asdict()) for row in connection.execute(query))


def counts(connection: Connection, kind: int) -> Counts:
    """Count how many profiles can be found by their sound, and how many are still to be heard. Takes long for many."""
    return Counts(
        heard=int(connection.execute(_found(select(func.count()), kind)).scalar_one()),
        unheard=int(connection.execute(_unheard(select(func.count()), kind)).scalar_one()),
    )


def changed_since(connection: Connection, kind: int, change: int, *, width: int) -> Iterator[list[HeardVersion]]:
    """Yield how versions sound that were heard after a change, some at a time. That kind has `width` descriptors."""
    columns = (versions.c.id, versions.c.entry_id, sounds.c.descriptors, sounds.c.change)
    place = tuple_(sounds.c.change, sounds.c.version_id)
    query = _found(select(*columns), kind).order_by(sounds.c.change, sounds.c.version_id).limit(_AT_ONCE)
    after = (change, _LARGEST_ID)
    while rows := connection.execute(query.where(place > after)).all():
        yield [
            HeardVersion(
                id=row.id, entry_id=row.entry_id, descriptors=np.frombuffer(row.descriptors, "<f2").reshape(-1, width)
            )
            for row in rows
        ]
        after = (rows[-1].change, rows[-1].id)


def findable(connection: Connection, kind: int) -> frozenset[int]:
    """Return the ids of all versions whose sound is known and that are the newest of their entries."""
    return frozenset(connection.execute(_found(select(versions.c.id), kind)).scalars())


def heard_at(connection: Connection, version_ids: Sequence[int]) -> dict[int, tuple[int, list[dict[str, Any]]]]:
    """Return the entry of each version, and the settings at which it was heard, by id; of those still the newest."""
    newest = (entries.c.id == versions.c.entry_id) & (entries.c.newest == versions.c.number)
    query = (
        select(versions.c.id, versions.c.entry_id, sounds.c.settings)
        .join(sounds, sounds.c.version_id == versions.c.id)
        .join(entries, newest)
        .where(versions.c.id.in_(version_ids))
    )
    return {row.id: (row.entry_id, row.settings) for row in connection.execute(query)}


def _found(query: Select[Any], kind: int) -> Select[Any]:
    newest = (entries.c.id == versions.c.entry_id) & (entries.c.newest == versions.c.number)
    joined = query.select_from(sounds).join(versions, versions.c.id == sounds.c.version_id).join(entries, newest)
    return joined.where(sounds.c.kind == kind, sounds.c.problem == "")


def _unheard(query: Select[Any], kind: int) -> Select[Any]:
    newest = (versions.c.entry_id == entries.c.id) & (versions.c.number == entries.c.newest)
    heard = (sounds.c.version_id == versions.c.id) & (sounds.c.kind == kind)
    joined = query.select_from(entries).join(versions, newest).outerjoin(sounds, heard)
    return joined.where(sounds.c.version_id.is_(None))
