"""Favourites and collections over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.http.asking import Id, Lib, PageQuery, Reader, Writer, account_of
from api.library import check_owner
from api.store import audit, shelves
from api.values import Collection, CollectionChanges, NewCollection

__all__ = ["routes"]

routes = APIRouter(prefix="/api/v1", tags=["shelves"])


class CollectionQuery(PageQuery):
    """Which collections."""

    mine: bool = Field(default=False, description="Only your own.")
    profile: int | None = Field(None, ge=1, le=2**31 - 1, description="Only those that this profile is in.")


@routes.put("/favourites/{entry_id}", status_code=204)
def mark(entry_id: Id, library: Lib, caller: Reader) -> None:
    """Mark a profile as a favourite of yours. Search with `favourites=true` to see them."""
    with library.database.writing() as connection:
        shelves.set_favourite(connection, account_of(caller), entry_id, favourite=True)


@routes.delete("/favourites/{entry_id}", status_code=204)
def unmark(entry_id: Id, library: Lib, caller: Reader) -> None:
    """Have a profile be no favourite of yours any more."""
    with library.database.writing() as connection:
        shelves.set_favourite(connection, account_of(caller), entry_id, favourite=False)


@routes.get("/collections")
def list_collections(
    library: Lib, caller: Reader, query: Annotated[CollectionQuery, Query()]
) -> tuple[Collection, ...]:
    """Return a page of the collections by name."""
    owner_id = account_of(caller) if query.mine else None
    which = {"owner_id": owner_id, "entry_id": query.profile}
    with library.database.reading() as connection:
        return shelves.list_collections(connection, page=query.page, page_size=query.page_size, **which)


@routes.post("/collections", status_code=201)
def add_collection(new: NewCollection, library: Lib, caller: Writer) -> Collection:
    """Make a collection."""
    with library.database.writing() as connection:
        collection_id = shelves.add_collection(connection, account_of(caller), new)
        audit.note(connection, caller, "collection.add", f"collection {collection_id}", name=new.name)
        return shelves.one_collection(connection, collection_id)


@routes.get("/collections/{collection_id}")
def read_collection(collection_id: Id, library: Lib, caller: Reader) -> Collection:  # noqa: ARG001 - who may
    """Return a collection. Search with `collection=ID` to see what is in it."""
    with library.database.reading() as connection:
        return shelves.one_collection(connection, collection_id)


@routes.patch("/collections/{collection_id}")
def change_collection(collection_id: Id, changes: CollectionChanges, library: Lib, caller: Writer) -> Collection:
    """Call a collection of yours something else, or say something else of it."""
    with library.database.writing() as connection:
        check_owner(caller, shelves.collection_owner(connection, collection_id))
        shelves.change_collection(connection, collection_id, changes)
        audit.note(connection, caller, "collection.change", f"collection {collection_id}")
        return shelves.one_collection(connection, collection_id)


@routes.delete("/collections/{collection_id}", status_code=204)
def remove_collection(collection_id: Id, library: Lib, caller: Writer) -> None:
    """Remove a collection of yours; what is in it stays in the library."""
    with library.database.writing() as connection:
        check_owner(caller, shelves.collection_owner(connection, collection_id))
        shelves.remove_collection(connection, collection_id)
        audit.note(connection, caller, "collection.remove", f"collection {collection_id}")


@routes.put("/collections/{collection_id}/profiles/{entry_id}", status_code=204)
def put_into(collection_id: Id, entry_id: Id, library: Lib, caller: Writer) -> None:
    """Put a profile into a collection of yours."""
    with library.database.writing() as connection:
        check_owner(caller, shelves.collection_owner(connection, collection_id))
        shelves.put_into_collection(connection, collection_id, entry_id)


@routes.delete("/collections/{collection_id}/profiles/{entry_id}", status_code=204)
def take_from(collection_id: Id, entry_id: Id, library: Lib, caller: Writer) -> None:
    """Take a profile out of a collection of yours."""
    with library.database.writing() as connection:
        check_owner(caller, shelves.collection_owner(connection, collection_id))
        shelves.take_from_collection(connection, collection_id, entry_id)
