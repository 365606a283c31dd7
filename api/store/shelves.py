"""What people put aside: favourites of their own, and collections that everybody sees."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from api.problem import Problem
from api.store.entries import owner_of
from api.store.tables import accounts, collection_entries, collections, favourites
from api.values import Collection, CollectionChanges, NewCollection

__all__ = [
    "add_collection",
    "change_collection",
    "collection_owner",
    "list_collections",
    "one_collection",
    "put_into_collection",
    "remove_collection",
    "set_favourite",
    "take_from_collection",
]

_MOST_COLLECTIONS = 1000


def set_favourite(connection: Connection, account_id: int, entry_id: int, *, favourite: bool) -> None:
    """Mark an entry as a favourite of an account, or no more. Raises Problem where there is no such entry."""
    owner_of(connection, entry_id)
    mine = (favourites.c.account_id == account_id) & (favourites.c.entry_id == entry_id)
    connection.execute(delete(favourites).where(mine))
    if favourite:
        connection.execute(insert(favourites).values(account_id=account_id, entry_id=entry_id))


def add_collection(connection: Connection, owner_id: int, new: NewCollection) -> int:
    """Add a collection and return its id. Raises Problem for a name that its owner has already."""
    held = select(func.count()).where(collections.c.owner_id == owner_id)
    if connection.execute(held).scalar_one() >= _MOST_COLLECTIONS:
        raise Problem(409, "Too many collections", f"An account has at most {_MOST_COLLECTIONS} collections.")
    row = {"owner_id": owner_id, "name": new.name, "about": new.about, "created_at": datetime.now(UTC)}
    try:
        return int(connection.execute(insert(collections).values(row).returning(collections.c.id)).scalar_one())
    except IntegrityError as error:
        raise Problem(409, "Name taken", f"You have a collection {new.name!r} already.") from error


def change_collection(connection: Connection, collection_id: int, changes: CollectionChanges) -> None:
    """Say something else of a collection. Raises Problem for a name that its owner has already."""
    values = {name: value for name, value in (("name", changes.name), ("about", changes.about)) if value is not None}
    if not values:
        return
    try:
        connection.execute(update(collections).where(collections.c.id == collection_id).values(values))
    except IntegrityError as error:
        raise Problem(409, "Name taken", f"Its owner has a collection {changes.name!r} already.") from error


def list_collections(
    connection: Connection,
    *,
    page: int,
    page_size: int,
    owner_id: int | None = None,
    entry_id: int | None = None,
) -> tuple[Collection, ...]:
    """Return a page of the collections by name: somebody's, or those with an entry in them, or all."""
    query = _collections().order_by(collections.c.name, collections.c.id)
    if owner_id is not None:
        query = query.where(collections.c.owner_id == owner_id)
    if entry_id is not None:
        holding = select(collection_entries.c.collection_id).where(collection_entries.c.entry_id == entry_id)
        query = query.where(collections.c.id.in_(holding))
    rows = connection.execute(query.limit(page_size).offset((page - 1) * page_size))
    return tuple(_collection(row) for row in rows)


def one_collection(connection: Connection, collection_id: int) -> Collection:
    """Return a collection. Raises Problem where there is none."""
    row = connection.execute(_collections().where(collections.c.id == collection_id)).one_or_none()
    if row is None:
        raise _nothing(collection_id)
    return _collection(row)


def collection_owner(connection: Connection, collection_id: int) -> int:
    """Return whose collection it is. Raises Problem where there is none."""
    query = select(collections.c.owner_id).where(collections.c.id == collection_id).with_for_update()
    found = connection.execute(query).scalar()
    if found is None:
        raise _nothing(collection_id)
    return int(found)


def remove_collection(connection: Connection, collection_id: int) -> None:
    """Remove a collection; the entries stay in the library."""
    connection.execute(delete(collections).where(collections.c.id == collection_id))


def put_into_collection(connection: Connection, collection_id: int, entry_id: int) -> None:
    """Put an entry into a collection. Raises Problem where either is not there."""
    collection_owner(connection, collection_id)
    owner_of(connection, entry_id)
    take_from_collection(connection, collection_id, entry_id)
    connection.execute(insert(collection_entries).values(collection_id=collection_id, entry_id=entry_id))


def take_from_collection(connection: Connection, collection_id: int, entry_id: int) -> None:
    """Take an entry out of a collection, if it is in it."""
    of_collection = collection_entries.c.collection_id == collection_id
    connection.execute(delete(collection_entries).where(of_collection, collection_entries.c.entry_id == entry_id))


def _collections() -> Select[Any]:
    size = select(func.count()).where(collection_entries.c.collection_id == collections.c.id)
    columns = (collections, accounts.c.name.label("owner"), size.scalar_subquery().label("size"))
    return select(*columns).join(accounts, accounts.c.id == collections.c.owner_id)


def _collection(row: Row[Any]) -> Collection:
    names = ("id", "name", "about", "owner", "size", "created_at")
    return Collection(**{name: getattr(row, name) for name in names})


def _nothing(collection_id: int) -> Problem:
    return Problem(404, "No such collection", f"The library has no collection {collection_id}.")
