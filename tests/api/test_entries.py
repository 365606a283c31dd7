"""Entries and versions in the store, on SQLite and PostgreSQL alike."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from api.http.server import serve
from api.library import opened
from api.problem import Problem
from api.settings import ServiceSettings
from api.store import entries, people, shelves
from api.store.database import Database
from api.store.migrations import newest_revision, upgrade
from api.store.search import Search, found
from api.store.tables import metadata
from api.values import Changes, NewCollection
from profiler.errors import LibraryError
from profiler.storage import sha256_of


def test_an_upload_is_an_entry(library, take_in, profile_file):
    """Facts come from inside the file, all else from who uploads it; the file is kept byte for byte."""
    path = profile_file("Bus <b>", score=None)
    added = take_in(path, make="SSL", tags=("glue", "mix bus"), licence="cc-by", about="First\nsecond")
    with library.database.reading() as connection:
        entry = entries.one_entry(connection, added.entry_id, asked_by=None)
    assert (entry.name, entry.make, entry.tags, entry.licence) == ("Bus <b>", "SSL", ("glue", "mix bus"), "cc-by")
    assert [knob.id for knob in entry.version.facts.knobs] == ["threshold_db", "ratio"]
    assert (entry.version.number, entry.version.facts.esr, entry.owner) == (1, None, "ann")
    assert b"".join(library.storage.pieces(entry.version.sha256, entry.version.bytes)) == path.read_bytes()


def test_the_same_file_is_one_entry(library, take_in, profile_file):
    """Whoever uploads it again, and however they call it."""
    path = profile_file()
    first = take_in(path)
    again = take_in(path, who="bob", name="Mine")
    assert (again.entry_id, first.is_new, again.is_new) == (first.entry_id, True, False)
    with pytest.raises(Problem, match="cannot be a version") as refused:
        take_in(path, version_of=take_in(profile_file()).entry_id)
    assert refused.value.status == 409


def test_the_same_file_at_once_is_one_entry(take_in, caller_of, profile_file):
    """Four uploads of one file at the same moment."""
    path, found = profile_file(), []
    caller_of("ann")
    threads = [threading.Thread(target=lambda: found.append(take_in(path))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 4
    assert len({each.entry_id for each in found}) == 1
    assert sum(each.is_new for each in found) == 1


def test_a_retrained_profile_is_a_version(library, take_in, profile_file):
    """Old versions stay, with their files; words of the new one are found, and its score counts."""
    old, new = profile_file("old"), profile_file("retrained", score=None)
    entry_id = take_in(old, tags=("a",)).entry_id
    assert take_in(new, version_of=entry_id, note="ten minutes").entry_id == entry_id
    with library.database.reading() as connection:
        newest, first = entries.versions_of(connection, entry_id)
        entry = entries.one_entry(connection, entry_id, asked_by=None)
    assert (newest.number, newest.note, first.number) == (2, "ten minutes", 1)
    assert (entry.version, entry.name, entry.tags) == (newest, "old", ("a",))
    assert b"".join(library.storage.pieces(first.sha256, first.bytes)) == old.read_bytes()


def test_only_owners_add_versions(library, take_in, profile_file):
    """Another member is refused, and nothing of theirs is kept."""
    entry_id = take_in(profile_file()).entry_id
    with pytest.raises(Problem, match="somebody else") as refused:
        take_in(profile_file(), who="bob", version_of=entry_id)
    assert refused.value.status == 403
    assert len(list(library.storage.hashes())) == 1
    with library.database.reading() as connection:
        assert len(entries.versions_of(connection, entry_id)) == 1


def test_quota(library, take_in, caller_of, profile_file):
    """What an account keeps is counted, and given back when it is removed."""
    path = profile_file()
    ann = caller_of("ann")
    with library.database.writing() as connection:
        changes = people.AccountChanges(quota_bytes=path.stat().st_size + 10)
        people.change_account(connection, ann.account_id, changes)
    entry_id = take_in(path).entry_id
    with pytest.raises(Problem, match="do not fit") as refused:
        take_in(profile_file())
    assert refused.value.status == 413
    with library.database.writing() as connection:
        assert people.one_account(connection, ann.account_id).used_bytes == path.stat().st_size
        entries.remove_entry(connection, entry_id)
    assert take_in(profile_file()).is_new


def test_changes_and_removal(library, take_in, caller_of, profile_file):
    """What is not said stays, a kind of gear is taken back; a removed entry is gone from shelves and from storage."""
    entry_id = take_in(profile_file(), make="Boss", tags=("one", "two")).entry_id
    ann = caller_of("ann").account_id
    with library.database.writing() as connection:
        entries.change_entry(connection, entry_id, Changes(tags=("three",), name="Ümlaut"))
        entry = entries.one_entry(connection, entry_id, asked_by=None)
        assert (entry.name, entry.make, entry.tags) == ("Ümlaut", "Boss", ("three",))
        for changes, gear in (
            (Changes(gear="pedal"), "pedal"),
            (Changes(make="B"), "pedal"),
            (Changes(gear=None), None),
        ):
            entries.change_entry(connection, entry_id, changes)
            assert entries.one_entry(connection, entry_id, asked_by=None).gear == gear
            assert found(connection, Search(gears=("pedal",)), asked_by=None).total == (gear is not None)
        shelves.set_favourite(connection, ann, entry_id, favourite=True)
        shelf = shelves.add_collection(connection, ann, NewCollection(name="Album"))
        shelves.put_into_collection(connection, shelf, entry_id)
        shelves.put_into_collection(connection, shelf, entry_id)
        assert shelves.one_collection(connection, shelf).size == 1
        assert entries.one_entry(connection, entry_id, asked_by=ann).favourite
    library.remove(entry_id, caller_of("ann"))
    with library.database.reading() as connection:
        assert shelves.one_collection(connection, shelf).size == 0
        with pytest.raises(Problem, match="no profile"):
            entries.one_entry(connection, entry_id, asked_by=None)
    assert not list(library.storage.hashes())


def test_files_without_rows_are_swept(library, take_in, profile_file):
    """What a server left that was killed between file and row goes; what a row names stays."""
    kept, left = profile_file(), profile_file()
    take_in(kept)
    library.storage.put(sha256_of(left), left)
    assert library.sweep() == 1
    assert list(library.storage.hashes()) == [sha256_of(kept)]


def test_removing_and_adding_the_same_file_at_once(library, take_in, caller_of, profile_file):
    """However they meet, a file that a row names is there."""
    path, ann = profile_file(), caller_of("ann")
    for _ in range(3):
        entry_id = take_in(path).entry_id
        adding = threading.Thread(target=take_in, args=(path,))
        removing = threading.Thread(target=library.remove, args=(entry_id, ann))
        for each in (removing, adding):
            each.start()
        for each in (removing, adding):
            each.join()
        with library.database.reading() as connection:
            named = entries.all_hashes(connection)
        assert named == set(library.storage.hashes())


def test_a_failed_transaction_leaves_nothing(library, take_in, profile_file):
    """Neither row nor word of an entry whose transaction failed at its end."""
    entry_id = take_in(profile_file("steady")).entry_id

    def fail() -> None:
        with library.database.writing() as connection:
            entries.change_entry(connection, entry_id, Changes(name="torn"))
            raise RuntimeError("now")

    with pytest.raises(RuntimeError):
        fail()
    with library.database.reading() as connection:
        assert entries.one_entry(connection, entry_id, asked_by=None).name == "steady"


def test_migrations_make_the_tables(settings):
    """What the migrations leave is what the tables say, and running them again changes nothing."""
    database = Database(settings.database_url)
    upgrade(database)
    upgrade(database)
    with database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, _: kind != "table" or "entry_words" not in name}
        )
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == newest_revision()
    database.close()


def test_a_newer_database_is_refused(settings):
    """A database from the future is told, and left alone."""
    database = Database(settings.database_url)
    upgrade(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LibraryError, match="newer Tonecast"):
        upgrade(database)
    database.close()


def test_one_server_a_folder(settings, library):
    """A second server on the same folder is told about the first."""
    with pytest.raises(LibraryError, match="Another server"), opened(settings):
        pass


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"database": "mysql://x/y"}, "SQLite and PostgreSQL"),
        ({"database": "nonsense"}, "names no database"),
        ({"database": "postgresql://nobody@127.0.0.1:1/x"}, "cannot be opened"),
        ({"storage": "nosuchprotocol://x"}, "cannot be opened"),
        ({"port": 1, "host": "203.0.113.1"}, "Nothing can listen"),
    ],
)
def test_what_cannot_be_opened_is_told(changes, words, tmp_path: Path, capfd, monkeypatch):
    """Wrong URLs and addresses are one clear error each."""
    monkeypatch.setattr("signal.signal", lambda *_: None)
    settings = replace(ServiceSettings(data=tmp_path / "data"), **changes)
    with pytest.raises(Exception, match=words):
        serve(settings, lambda _: None)
