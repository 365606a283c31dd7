"""What people said of tags and entries, which proposals of tags are learnt from."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select, union

from api.heard import SaidTag, TagCorrection
from api.problem import Problem
from api.store.tables import entries, entry_tags, tag_labels

__all__ = ["learnable_tags", "names_of", "said_by", "said_of", "set_label", "settled_for"]

_MOST_LABELS = 100_000
_MOST_TAGS = 12
_MOST_EXAMPLES = 100


def set_label(connection: Connection, account_id: int, correction: TagCorrection) -> None:
    """Keep what somebody says of a tag, in place of what they said before. Raises Problem for very many."""
    mine = tag_labels.c.account_id == account_id
    this = (tag_labels.c.entry_id == correction.entry_id) & (tag_labels.c.tag == correction.tag)
    connection.execute(delete(tag_labels).where(mine, this))
    if correction.is_right is None:
        return
    if connection.execute(select(func.count()).where(mine)).scalar_one() >= _MOST_LABELS:
        raise Problem(
            409, "Too many corrections", f"An account keeps at most {_MOST_LABELS}. Take some back with null."
        )
    row = {"entry_id": correction.entry_id, "tag": correction.tag, "is_right": correction.is_right}
    connection.execute(insert(tag_labels).values(account_id=account_id, at=datetime.now(UTC), **row))


def said_by(connection: Connection, account_id: int, *, entry_id: int | None, most: int) -> tuple[SaidTag, ...]:
    """Return what somebody said last, of one entry or of all, the newest first."""
    columns = (entries.c.name, *(tag_labels.c[name] for name in ("entry_id", "tag", "is_right", "at")))
    query = select(*columns).join(entries, entries.c.id == tag_labels.c.entry_id)
    query = query.where(tag_labels.c.account_id == account_id)
    if entry_id is not None:
        query = query.where(tag_labels.c.entry_id == entry_id)
    newest = query.order_by(tag_labels.c.at.desc(), tag_labels.c.entry_id, tag_labels.c.tag).limit(most)
    return tuple(SaidTag(**row._asdict()) for row in connection.execute(newest))


def learnable_tags(connection: Connection, account_id: int) -> tuple[str, ...]:
    """Return the tags that somebody has said something of, then the library's most frequent ones: twelve at most."""
    mine = select(tag_labels.c.tag).where(tag_labels.c.account_id == account_id)
    said = mine.group_by(tag_labels.c.tag).order_by(func.max(tag_labels.c.at).desc(), tag_labels.c.tag)
    count = func.count()
    frequent = select(entry_tags.c.tag).group_by(entry_tags.c.tag).having(count > 1)
    queries = (said, frequent.order_by(count.desc(), entry_tags.c.tag))
    found = [tag for query in queries for tag in connection.execute(query.limit(_MOST_TAGS)).scalars()]
    return tuple(dict.fromkeys(found))[:_MOST_TAGS]


def said_of(connection: Connection, account_id: int, tag: str) -> tuple[Mapping[int, bool], frozenset[int]]:
    """Return of a tag which entries it fits and which not, and entries that are tagged, but not so: some hundreds.

    What somebody says goes before what the library's tags say, and what came late before what is old.
    """
    has = select(entry_tags.c.entry_id).where(entry_tags.c.tag == tag).order_by(entry_tags.c.entry_id.desc())
    said = dict.fromkeys(connection.execute(has.limit(_MOST_EXAMPLES)).scalars(), True)
    own = select(tag_labels.c.entry_id, tag_labels.c.is_right).where(
        tag_labels.c.account_id == account_id, tag_labels.c.tag == tag
    )
    latest = own.order_by(tag_labels.c.at.desc(), tag_labels.c.entry_id).limit(2 * _MOST_EXAMPLES)
    said |= {row.entry_id: row.is_right for row in connection.execute(latest)}
    others = select(entry_tags.c.entry_id).where(entry_tags.c.tag != tag).distinct()
    tagged = connection.execute(others.order_by(entry_tags.c.entry_id.desc()).limit(_MOST_EXAMPLES)).scalars()
    return said, frozenset(tagged) - said.keys()


def settled_for(connection: Connection, account_id: int, tag: str) -> frozenset[int]:
    """Return the entries that have a tag, or of which somebody has said whether it fits."""
    has = select(entry_tags.c.entry_id).where(entry_tags.c.tag == tag)
    mine = (tag_labels.c.account_id == account_id) & (tag_labels.c.tag == tag)
    said = select(tag_labels.c.entry_id).where(mine)
    return frozenset(connection.execute(union(has, said)).scalars())


def names_of(connection: Connection, entry_ids: list[int]) -> dict[int, str]:
    """Return the names of entries by id."""
    query = select(entries.c.id, entries.c.name).where(entries.c.id.in_(entry_ids))
    return {row.id: row.name for row in connection.execute(query)}
