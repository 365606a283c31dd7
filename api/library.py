"""The library: rows, files and what takes uploads in, kept so that neither is there without the other.

A file is put in storage before the row that names it, and a row goes before its file, under a lock on the file's hash.
Whatever is killed in between leaves a file that no row names, and the next start sweeps it away.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from api.audition import Auditions
from api.downloads import Downloads
from api.facts import read_facts
from api.inspection import Inspections
from api.people import Caller
from api.problem import Problem, without_request
from api.remembered import Remembered
from api.settings import ServiceSettings
from api.storage import Storage
from api.store import audit, counts, dump, entries, people
from api.store.database import Connection, Database
from api.store.migrations import upgrade
from api.tracks import OwnTracks
from api.values import Description, Facts, TagCount
from profiler.errors import LibraryError, StorageError
from profiler.storage import sha256_of

__all__ = [
    "Added",
    "Library",
    "Received",
    "account_of",
    "check_owner",
    "existing",
    "held",
    "joined",
    "opened",
    "remove_unnamed",
]


@dataclass(frozen=True, kw_only=True)
class Received:
    """A file that has arrived whole, under a scratch name."""

    path: Path
    sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Added:
    """What became of an upload: the version of an entry that it is now, or was before when `is_new` is false."""

    entry_id: int
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Library:
    """A library that is open, in one process. Get one from `opened`."""

    settings: ServiceSettings
    database: Database
    storage: Storage
    inspections: Inspections
    auditions: Auditions
    tracks: OwnTracks
    downloads: Downloads
    tag_counts: Remembered[tuple[TagCount, ...]]

    def quota(self, connection: Connection, account_id: int) -> int:
        """Return how many bytes an account may keep."""
        own = people.one_account(connection, account_id).quota_bytes
        return self.settings.quota_bytes if own is None else own

    def check_room(self, caller: Caller, more_bytes: int) -> None:
        """Raise Problem where an upload of this size would be over the quota of who sends it."""
        with self.database.reading() as connection:
            self._check_room(connection, account_of(caller), more_bytes)

    def take_in(
        self,
        received: Received,
        caller: Caller,
        about: Description,
        *,
        version_of: int | None = None,
        also: Callable[[Connection, Added], None] = lambda _, __: None,
    ) -> Added:
        """Add a file that has arrived: as an entry, or as a version of one that the caller owns.

        A file that the library has already is not added again. `also` is done in the transaction that adds it, or finds
        it there: what it raises leaves the library as it was. Raises Problem for what is not a profile, for another's
        entry, and for more than the quota.
        """
        with self.database.reading() as connection:
            known = self._checked(connection, received, caller, version_of)
        if known is not None:
            with self.database.writing() as connection:
                also(connection, known)
            return known
        facts = self.inspections.facts_of(received.path)
        with self.database.writing() as connection:
            # Whoever wants to remove this very file waits until there is a row that names it.
            self.database.lock_name(connection, received.sha256)
            people.lock_account(connection, account_of(caller))
            known = self._checked(connection, received, caller, version_of)
            if known is None:
                self.storage.put(received.sha256, received.path)
                entry_id = _insert(connection, received, facts, caller, about, version_of)
                known = Added(entry_id=entry_id, is_new=True)
            also(connection, known)
        return known

    def remove(self, entry_id: int, caller: Caller) -> None:
        """Remove an entry that the caller owns, then its files."""
        with self.database.writing() as connection:
            check_owner(caller, entries.owner_of(connection, entry_id))
            name = entries.one_entry(connection, entry_id, asked_by=None).name
            hashes = entries.remove_entry(connection, entry_id)
            audit.note(connection, caller, "profile.remove", f"profile {entry_id}", name=name)
        for sha256 in hashes:
            self._remove_unnamed(sha256)

    def add_shipped(self, path: Path, about: Description, *, preset: str) -> None:
        """Add a profile that ships, as it is now, to its entry. Does nothing for a file that is there."""
        received = Received(path=path, sha256=sha256_of(path), bytes=path.stat().st_size)
        with self.database.reading() as connection:
            if entries.entry_of_hash(connection, received.sha256) is not None:
                return
        facts = read_facts(path)
        with self.database.writing() as connection:
            self.database.lock_name(connection, preset)  # of two servers that start at once, one waits
            if entries.entry_of_hash(connection, received.sha256) is not None:
                return
            self.storage.put(received.sha256, path)
            upload = _upload(received, facts, people.system_account(connection, "tonecast", "reader"), "")
            known = entries.entry_of_preset(connection, preset)
            if known is None:
                entries.add_entry(connection, upload, about, preset=preset)
            else:
                entries.add_version(connection, known, upload)

    def admin_secret(self) -> str | None:
        """Return a one-time secret that makes an admin's token, None where an admin has one that works."""
        with self.database.writing() as connection:
            if people.has_admin_token(connection):
                return None
            account_id = people.system_account(connection, "admin", "admin")
            return people.invite(connection, account_id).secret

    def sweep(self) -> int:
        """Remove files that no row names, which killed servers left, and return how many."""
        if self.settings.storage is None:
            self.storage.sweep_scratch()
        with self.database.reading() as connection:
            named = entries.all_hashes(connection)
        unnamed = [sha256 for sha256 in self.storage.hashes() if sha256 not in named]
        return sum(self._remove_unnamed(sha256) for sha256 in unnamed)

    def _remove_unnamed(self, sha256: str) -> bool:
        return remove_unnamed(
            self.database, self.storage, sha256, lambda held: entries.entry_of_hash(held, sha256) is not None
        )

    def _checked(
        self, connection: Connection, received: Received, caller: Caller, version_of: int | None
    ) -> Added | None:
        """Return what a file is already. Raises Problem where it may not be added to what it is to be added to."""
        if version_of is not None:
            check_owner(caller, entries.owner_of(connection, version_of))
        found = entries.entry_of_hash(connection, received.sha256)
        if found is None:
            self._check_room(connection, account_of(caller), received.bytes)
            return None
        if version_of not in (None, found):
            detail = f"The library has this very file as profile {found}, so it cannot be a version of {version_of}."
            raise Problem(409, "Known file", detail)
        return Added(entry_id=found, is_new=False)

    def _check_room(self, connection: Connection, account_id: int, more_bytes: int) -> None:
        quota, used = self.quota(connection, account_id), counts.used_bytes(connection, account_id)
        if used + more_bytes > quota:
            detail = (
                f"You keep {used} bytes of the {quota} that you may; {more_bytes} more do not fit. "
                "Remove profiles of yours, or ask an admin for a larger quota."
            )
            raise Problem(413, "Quota used up", detail)


def _insert(
    connection: Connection,
    received: Received,
    facts: Facts,
    caller: Caller,
    about: Description,
    version_of: int | None,
) -> int:
    upload = _upload(received, facts, account_of(caller), about.note)
    if version_of is None:
        entry_id = entries.add_entry(connection, upload, about)
        audit.note(connection, caller, "profile.add", f"profile {entry_id}", sha256=received.sha256)
        return entry_id
    number = entries.add_version(connection, version_of, upload)
    audit.note(connection, caller, "profile.version", f"profile {version_of}", number=number, sha256=upload.sha256)
    return version_of


def remove_unnamed(database: Database, storage: Storage, sha256: str, is_named: Callable[[Connection], bool]) -> bool:
    """Remove a file unless a row names it. Who is just storing it is waited for, and its row then seen."""
    with database.writing() as connection:
        database.lock_name(connection, sha256)
        if is_named(connection):
            return False
        storage.remove(sha256)
    return True


def check_owner(caller: Caller, owner_id: int) -> None:
    """Raise Problem where somebody wants to change what is another's."""
    if caller.account_id != owner_id and not caller.is_admin:
        raise Problem(403, "Not yours", "This belongs to somebody else. Its owner or an admin may change it.")


@contextlib.contextmanager
def joined(settings: ServiceSettings) -> Iterator[Library]:
    """Open a library beside the server that may have it, as workers do: nothing is cleared away.

    Raises LibraryError where rows or files cannot be reached.
    """
    database = Database(settings.database_url)
    auditions = Auditions(settings.scratch, seconds=settings.audition_seconds)
    downloads = Downloads(database)
    try:
        yield _upgraded(settings, database, auditions, downloads)
    finally:
        auditions.close()
        downloads.close()
        database.close()


@contextlib.contextmanager
def opened(settings: ServiceSettings) -> Iterator[Library]:
    """Open a library, bring its tables up to date and clear away what a killed server left; close it at the end.

    Raises LibraryError where another server has the folder, or rows or files cannot be reached.
    """
    with held(settings), joined(settings) as library:
        for left in settings.scratch.iterdir():
            left.unlink(missing_ok=True)
        with without_request("The library cannot be opened"):
            library.sweep()
        yield library


@contextlib.contextmanager
def held(settings: ServiceSettings) -> Iterator[None]:
    """Make the folder of a library and keep other servers away from it. Raises LibraryError where one has it."""
    try:
        settings.scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{settings.data} cannot be made: {error.strerror}. Name another folder.") from error
    lock = FileLock(settings.data / "server.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LibraryError(
            f"Another server runs on {settings.data}. Stop it first, or name another folder with --data."
        ) from error
    try:
        yield
    finally:
        lock.release()


def existing(settings: ServiceSettings) -> Database:
    """Open the rows of a library that is there, and change nothing. Raises LibraryError where there is none."""
    if settings.database is None and not (settings.data / "library.db").is_file():
        raise LibraryError(f"{settings.data} has no library. Name its folder with --data.")
    database = Database(settings.database_url)
    with without_request("The library cannot be read"), database.reading() as connection:
        if dump.has_tables(connection):
            return database
    database.close()
    raise LibraryError("The database has no library in it. Name the one that `tonecast serve` was given.")


def _upgraded(settings: ServiceSettings, database: Database, auditions: Auditions, downloads: Downloads) -> Library:
    with without_request("The library cannot be opened"):
        upgrade(database)
    return Library(
        settings=settings,
        database=database,
        storage=Storage(settings.storage_url),
        inspections=Inspections(seconds=settings.inspection_seconds),
        auditions=auditions,
        tracks=OwnTracks(settings.tracks_folder),
        downloads=downloads,
        tag_counts=Remembered(lambda: _tag_counts(database)),
    )


def _tag_counts(database: Database) -> tuple[TagCount, ...]:
    with database.reading() as connection:
        return counts.count_tags(connection)


def account_of(caller: Caller) -> int:
    """Return the account of who wants something kept. Raises Problem for somebody anonymous."""
    if caller.account_id is None:
        raise Problem(401, "Not known", "This takes an account. Send a token.")
    return caller.account_id


def _upload(received: Received, facts: Facts, uploader_id: int, note: str) -> entries.Upload:
    return entries.Upload(sha256=received.sha256, bytes=received.bytes, facts=facts, uploader_id=uploader_id, note=note)
