"""What is counted of a library: what it holds, what an account keeps, how frequent tags and makes are, downloads."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select, update

from api.store.jobs import job_bytes
from api.store.tables import entries, entry_tags, versions
from api.values import TagCount

__all__ = ["Holdings", "add_downloads", "count_makes", "count_tags", "holdings", "used_bytes"]


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What a library holds."""

    profiles: int
    versions: int
    bytes: int


def holdings(connection: Connection) -> Holdings:
    """Count what the library holds."""
    profiles = connection.execute(select(func.count()).select_from(entries)).scalar_one()
    query = select(func.count(), func.coalesce(func.sum(versions.c.bytes), 0)).select_from(versions)
    count, kept = connection.execute(query).one()
    return Holdings(profiles=profiles, versions=count, bytes=int(kept))


def used_bytes(connection: Connection, account_id: int) -> int:
    """Return how much an account keeps in the library, in profiles and in jobs."""
    kept = select(func.coalesce(func.sum(versions.c.bytes), 0)).where(versions.c.uploader_id == account_id)
    return int(connection.execute(select(kept.scalar_subquery() + job_bytes(account_id))).scalar_one())


def count_tags(connection: Connection, *, most: int = 1000) -> tuple[TagCount, ...]:
    """Return the tags of the library, the most frequent first."""
    count = func.count().label("count")
    query = select(entry_tags.c.tag, count).group_by(entry_tags.c.tag).order_by(count.desc(), entry_tags.c.tag)
    return tuple(TagCount(name=name, count=number) for name, number in connection.execute(query.limit(most)))


def count_makes(connection: Connection, *, most: int = 1000) -> tuple[TagCount, ...]:
    """Return the makes of the library's gear, the most frequent first."""
    count = func.count().label("count")
    query = select(entries.c.make, count).where(entries.c.make != "").group_by(entries.c.make)
    rows = connection.execute(query.order_by(count.desc(), entries.c.make).limit(most))
    return tuple(TagCount(name=name, count=number) for name, number in rows)


_MORE_DOWNLOADS = (
    update(entries).where(entries.c.id == bindparam("entry")).values(downloads=entries.c.downloads + bindparam("more"))
)


def add_downloads(connection: Connection, more: Mapping[int, int]) -> None:
    """Add to how often entries were downloaded, by id. Those that are gone are passed over."""
    # In order: of two servers that hold rows of each other's neither would go on.
    connection.execute(_MORE_DOWNLOADS, [{"entry": id_, "more": count} for id_, count in sorted(more.items())])
