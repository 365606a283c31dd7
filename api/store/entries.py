"""The entries of the library and their versions: added, described anew, removed, read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Integer, Row, bindparam, delete, exists, insert, select, update

from api.facts import FACTS
from api.problem import Problem
from api.store.index import add_words, remove_words
from api.store.sounds import note_change
from api.store.tables import accounts, entries, entry_tags, favourites, versions
from api.store.words import facet, folded, words_of
from api.values import MOST_TAGS, Changes, Description, Entry, Facts, Version

__all__ = [
    "Upload",
    "add_entry",
    "add_version",
    "all_hashes",
    "all_ids",
    "change_entry",
    "chosen_version",
    "entries_by_id",
    "entry_of_hash",
    "entry_of_preset",
    "index_all",
    "one_entry",
    "one_version",
    "owner_of",
    "remove_entry",
    "set_tag",
    "versions_of",
    "words_by_field",
]

_ENTRIES_AT_A_TIME = 500


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A profile file that is in storage already, and who sent it."""

    sha256: str
    bytes: int
    facts: Facts
    uploader_id: int
    note: str = ""


def add_entry(connection: Connection, upload: Upload, about: Description, *, preset: str | None = None) -> int:
    """Add an entry with one version, and return its id."""
    now = datetime.now(UTC)
    name = about.name or upload.facts.name
    row = {
        "name": name,
        "name_key": folded(name),
        "gear": about.gear,
        **{each: getattr(about, each) for each in ("make", "model", "maker", "about", "licence")},
        "owner_id": upload.uploader_id,
        "preset": preset,
        "esr": upload.facts.esr,
        "newest": 1,
        "created_at": now,
        "updated_at": now,
    }
    entry_id = connection.execute(insert(entries).values(row).returning(entries.c.id)).scalar_one()
    _set_tags(connection, entry_id, about.tags)
    _insert_version(connection, entry_id, 1, upload, now)
    _index(connection, entry_id)
    return int(entry_id)


def add_version(connection: Connection, entry_id: int, upload: Upload) -> int:
    """Add a version to an entry and return its number."""
    now = datetime.now(UTC)
    number = int(_locked(connection, entry_id).newest) + 1
    _insert_version(connection, entry_id, number, upload, now)
    values = {"newest": number, "esr": upload.facts.esr, "updated_at": now}
    connection.execute(update(entries).where(entries.c.id == entry_id).values(values))
    note_change(connection)
    _index(connection, entry_id)
    return number


def change_entry(connection: Connection, entry_id: int, changes: Changes) -> None:
    """Say something else of an entry. Its files stay as they are."""
    _locked(connection, entry_id)
    values = {name: value for name, value in changes.said().items() if name != "tags"}
    if "name" in values:
        values["name_key"] = folded(values["name"])
    values["updated_at"] = datetime.now(UTC)
    connection.execute(update(entries).where(entries.c.id == entry_id).values(values))
    if changes.tags is not None:
        _set_tags(connection, entry_id, changes.tags)
    _index(connection, entry_id)


def set_tag(connection: Connection, entry_id: int, tag: str, *, present: bool) -> None:
    """Have an entry have a tag, or not. Raises Problem where it has as many as it may."""
    own = set(one_entry(connection, entry_id, asked_by=None).tags)
    tags = own | {tag} if present else own - {tag}
    if len(tags) > MOST_TAGS:
        raise Problem(409, "Too many tags", f"A profile has at most {MOST_TAGS} tags. Take one off it first.")
    if tags != own:
        change_entry(connection, entry_id, Changes(tags=tuple(sorted(tags))))


def remove_entry(connection: Connection, entry_id: int) -> tuple[str, ...]:
    """Remove an entry with all its versions, and return the hashes of their files, which nothing names any more."""
    if _locked(connection, entry_id).preset is not None:
        detail = "This profile ships with Tonecast and would be back at the next start. Leave it."
        raise Problem(409, "Ships with Tonecast", detail)
    hashes = tuple(connection.execute(select(versions.c.sha256).where(versions.c.entry_id == entry_id)).scalars())
    remove_words(connection, entry_id)
    connection.execute(delete(entries).where(entries.c.id == entry_id))
    note_change(connection)
    return hashes


def one_entry(connection: Connection, entry_id: int, *, asked_by: int | None) -> Entry:
    """Return an entry. Raises Problem where there is none."""
    found = entries_by_id(connection, [entry_id], asked_by=asked_by)
    if not found:
        raise _nothing(entry_id)
    return found[0]


def entries_by_id(connection: Connection, ids: Sequence[int], *, asked_by: int | None) -> tuple[Entry, ...]:
    """Return entries in the order of their ids."""
    if not ids:
        return ()
    rows = {row.id: row for row in connection.execute(_OF_IDS, {"ids": ids, "asked_by": asked_by})}
    tags: dict[int, list[str]] = {}
    for entry_id, tag in connection.execute(_TAGS_OF_IDS, {"ids": ids}):
        tags.setdefault(entry_id, []).append(tag)
    return tuple(_entry(rows[id_], tags.get(id_, [])) for id_ in ids if id_ in rows)


def one_version(connection: Connection, entry_id: int, number: int | None) -> Version:
    """Return a version of an entry, the newest where no number is told. Raises Problem where there is none."""
    return chosen_version(versions_of(connection, entry_id), entry_id, number)


def chosen_version(found: Sequence[Version], entry_id: int, number: int | None) -> Version:
    """Return of all versions of an entry the one of a number, as `one_version` does."""
    matching = [each for each in found if number in (None, each.number)]
    if not matching:
        raise Problem(
            404, "No such version", f"Profile {entry_id} has versions 1 to {found[0].number}; found {number}."
        )
    return matching[0]


def versions_of(connection: Connection, entry_id: int) -> tuple[Version, ...]:
    """Return all versions of an entry, newest first. Raises Problem where there is no such entry."""
    query = (
        select(*_VERSION_COLUMNS, accounts.c.name.label("uploaded_by"))
        .join(accounts, accounts.c.id == versions.c.uploader_id)
        .where(versions.c.entry_id == entry_id)
        .order_by(versions.c.number.desc())
    )
    found = tuple(_version(row) for row in connection.execute(query))
    if not found:
        raise _nothing(entry_id)
    return found


def entry_of_hash(connection: Connection, sha256: str) -> int | None:
    """Return the id of the entry that has a file, None where none has."""
    found = connection.execute(select(versions.c.entry_id).where(versions.c.sha256 == sha256)).scalar()
    return None if found is None else int(found)


def entry_of_preset(connection: Connection, preset: str) -> int | None:
    """Return the id of the entry of a profile that ships, None where there is none."""
    found = connection.execute(select(entries.c.id).where(entries.c.preset == preset)).scalar()
    return None if found is None else int(found)


def all_hashes(connection: Connection) -> frozenset[str]:
    """Return the hashes of all files that the library names."""
    return frozenset(connection.execute(select(versions.c.sha256)).scalars())


def all_ids(connection: Connection) -> list[int]:
    """Return the ids of all entries, in order."""
    return list(connection.execute(select(entries.c.id).order_by(entries.c.id)).scalars())


def owner_of(connection: Connection, entry_id: int) -> int:
    """Return whose entry it is. Raises Problem where there is none."""
    return int(_locked(connection, entry_id).owner_id)


_VERSION_COLUMNS = tuple(
    versions.c[name].label(f"version_{name}") for name in ("number", "sha256", "bytes", "uploaded_at", "note", "facts")
)

_uploader = accounts.alias("uploader")
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_ASKED_BY = bindparam("asked_by", type_=Integer)

# Made once: to make them takes longer than to ask.
_OF_IDS = (
    select(
        entries,
        accounts.c.name.label("owner"),
        *_VERSION_COLUMNS,
        _uploader.c.name.label("uploaded_by"),
        exists().where(favourites.c.entry_id == entries.c.id, favourites.c.account_id == _ASKED_BY).label("favourite"),
    )
    .join(versions, (versions.c.entry_id == entries.c.id) & (versions.c.number == entries.c.newest))
    .join(accounts, accounts.c.id == entries.c.owner_id)
    .join(_uploader, _uploader.c.id == versions.c.uploader_id)
    .where(entries.c.id.in_(_IDS))
)
_TAGS_OF_IDS = select(entry_tags).where(entry_tags.c.entry_id.in_(_IDS)).order_by(entry_tags.c.tag)


def _version(row: Any) -> Version:
    return Version(
        number=row.version_number,
        sha256=row.version_sha256,
        bytes=row.version_bytes,
        uploaded_by=row.uploaded_by,
        uploaded_at=row.version_uploaded_at,
        note=row.version_note,
        facts=FACTS.validate_python(row.version_facts),
    )


def _entry(row: Any, tags: Sequence[str]) -> Entry:
    same = (
        "id",
        "name",
        "gear",
        "make",
        "model",
        "maker",
        "about",
        "licence",
        "owner",
        "downloads",
        "preset",
        "created_at",
    )
    return Entry(
        **{name: getattr(row, name) for name in same},
        updated_at=row.updated_at,
        tags=tuple(tags),
        favourite=row.favourite,
        format="tonecast",
        version=_version(row),
    )


def _locked(connection: Connection, entry_id: int) -> Row[Any]:
    row = connection.execute(select(entries).where(entries.c.id == entry_id).with_for_update()).one_or_none()
    if row is None:
        raise _nothing(entry_id)
    return row


def _nothing(entry_id: int) -> Problem:
    return Problem(404, "No such profile", f"The library has no profile {entry_id}. Search for it by name.")


def _insert_version(connection: Connection, entry_id: int, number: int, upload: Upload, now: datetime) -> None:
    row = {
        "entry_id": entry_id,
        "number": number,
        **{name: getattr(upload, name) for name in ("sha256", "bytes", "uploader_id", "note")},
        "uploaded_at": now,
        "facts": FACTS.dump_python(upload.facts, mode="json"),
    }
    connection.execute(insert(versions).values(row))


def _set_tags(connection: Connection, entry_id: int, tags: Sequence[str]) -> None:
    connection.execute(delete(entry_tags).where(entry_tags.c.entry_id == entry_id))
    if tags:
        rows = [{"entry_id": entry_id, "tag": tag} for tag in dict.fromkeys(tags)]
        connection.execute(insert(entry_tags), rows)


def index_all(connection: Connection) -> None:
    """Fill the index of words, which is empty, from the rows."""
    ids = all_ids(connection)
    for start in range(0, len(ids), _ENTRIES_AT_A_TIME):
        found = entries_by_id(connection, ids[start : start + _ENTRIES_AT_A_TIME], asked_by=None)
        add_words(connection, {entry.id: words_by_field(entry) for entry in found})


def _index(connection: Connection, entry_id: int) -> None:
    remove_words(connection, entry_id)
    (entry,) = entries_by_id(connection, [entry_id], asked_by=None)
    add_words(connection, {entry_id: words_by_field(entry)})


def words_by_field(entry: Entry) -> dict[str, list[str]]:
    """Return what the index of words has of an entry."""
    facts = entry.version.facts
    knobs = [part for knob in facts.knobs for part in (knob.id, knob.name)]
    facets: dict[str, Sequence[str]] = {
        "name": [entry.name],
        "gear": [entry.gear] if entry.gear else [],
        "make": [entry.make],
        "model": [entry.model],
        "maker": [entry.maker],
        "kind": [facts.kind],
        "licence": [entry.licence],
        "grade": [facts.grade] if facts.grade else [],
        "tag": entry.tags,
        "knob": [part for knob in facts.knobs for part in dict.fromkeys((knob.id, knob.name))],
    }
    return {
        "name": words_of(entry.name),
        "gear": words_of(" ".join((entry.make, entry.model, facts.gear, entry.gear or ""))),
        "about": words_of(" ".join((*entry.tags, entry.maker, entry.preset or "", *knobs, entry.about))),
        "facets": [word for kind, values in facets.items() for word in facet(kind, values)],
    }
