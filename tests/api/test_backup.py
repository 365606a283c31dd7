"""Backups: of libraries in use, into either kind of database, and what is no backup."""

import itertools
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from api.backup import back_up, restore
from api.library import Library, opened
from api.settings import ServiceSettings
from api.shipped import add_presets
from api.sounds import Sound
from api.store import entries, people
from api.store.search import Search, found
from profiler.errors import LibraryError
from tonecast.cli import run

KINDS = ("sqlite", "postgresql")


@pytest.fixture
def libraries(new_settings: Callable[..., ServiceSettings], quick: Callable, tmp_path: Path) -> Callable:
    """A function that opens a library by the kind of its database and a name."""
    made: dict[str, ServiceSettings] = {}

    @contextmanager
    def at_hand(kind: str, name: str) -> Iterator[Library]:
        made.setdefault(name, new_settings(kind, tmp_path / name))
        with opened(made[name]) as library:
            yield quick(library)

    return at_hand


def all_rows(library: Library) -> list:
    """Return what a library says of all entries and their versions."""
    with library.database.reading() as connection:
        ids = entries.all_ids(connection)
        listed = entries.entries_by_id(connection, ids, asked_by=None)
        return [(each, entries.versions_of(connection, each.id)) for each in listed]


@pytest.mark.parametrize("kinds", list(itertools.product(KINDS, KINDS)), ids="-to-".join)
def test_all_comes_back(libraries, new_settings, taking_in, profile_file, tmp_path: Path, kinds: tuple[str, str]):
    """Entries, versions, tokens and files are as they were; words are found; numbers go on."""
    with libraries(kinds[0], "first") as library:
        added = taking_in(library, profile_file("Plexi one"), tags=("crunch",), about="an ünusual amp")
        taking_in(library, profile_file("Plexi two"), version_of=added.entry_id)
        with library.database.writing() as connection:
            secret = people.invite(connection, people.system_account(connection, "ann", "member")).secret
            token = people.claim(connection, secret, "laptop").secret
        for _ in range(3):
            library.downloads.add(added.entry_id)
        library.downloads.write()
        before, hashes = all_rows(library), set(library.storage.hashes())
        told = back_up(library.settings, tmp_path / "all.zip")
        assert (told.profiles, told.files, before[0][0].downloads) == (1, 2, 3)
    settings = new_settings(kinds[1], tmp_path / "second")
    assert restore(settings, tmp_path / "all.zip") == told
    with opened(settings) as library:
        assert all_rows(library) == before
        assert set(library.storage.hashes()) == hashes
        with library.database.reading() as connection:
            assert people.opened_by(connection, token) is not None
            assert found(connection, Search(query="unusual"), asked_by=None).total == 1
            assert found(connection, Search(tags=("crunch",)), asked_by=None).total == 1
        assert taking_in(library, profile_file("later"), who="ben").entry_id > added.entry_id


def test_a_library_in_use_is_backed_up_as_it_was_at_one_moment(
    libraries, new_settings, taking_in, profile_file, tmp_path: Path, account_of
):
    """Profiles come and go meanwhile; each that the rows of the backup name has its file there."""
    with libraries("sqlite", "busy") as library:
        ended = threading.Event()

        def busy() -> None:
            while not ended.is_set():
                added = taking_in(library, profile_file())
                if added.entry_id % 2:
                    library.remove(added.entry_id, account_of(library, "ann"))

        worker = threading.Thread(target=busy)
        worker.start()
        try:
            for number in range(5):
                back_up(library.settings, tmp_path / f"{number}.zip")
        finally:
            ended.set()
            worker.join()
    for number in range(5):
        settings = new_settings("sqlite", tmp_path / f"again-{number}")
        restore(settings, tmp_path / f"{number}.zip")
        with opened(settings) as library, library.database.reading() as connection:
            assert set(library.storage.hashes()) == entries.all_hashes(connection)


def test_own_tracks_come_back(libraries, new_settings, tmp_path: Path):
    """As they sounded, with their names and what they are originals of, and for nobody else."""
    sound = Sound(samples=np.linspace(-0.5, 0.5, 4800, dtype=np.float32), sample_rate=48_000, loudness=-20, peak=0.5)
    with libraries("sqlite", "first") as library:
        track = library.tracks.add(7, "riff", sound, original_of=None)
        original = library.tracks.add(7, "gear", sound, original_of=track.id)
        back_up(library.settings, tmp_path / "all.zip")
    settings = new_settings("postgresql", tmp_path / "again")
    restore(settings, tmp_path / "all.zip")
    with opened(settings) as library:
        assert library.tracks.all_of(7) == (track, original)
        assert library.tracks.all_of(8) == ()
        np.testing.assert_array_equal(library.tracks.sound(7, track.id).samples, sound.samples)
    with zipfile.ZipFile(tmp_path / "all.zip", "a") as archive:
        archive.writestr("tracks/../../out.wav", b"")
    with pytest.raises(LibraryError, match="which no backup has"):
        restore(new_settings("sqlite", tmp_path / "third"), tmp_path / "all.zip")
    assert not list(tmp_path.rglob("out.wav"))


def test_presets_are_not_added_twice(libraries, new_settings, tmp_path: Path):
    """What ships is known again after a restore."""
    with libraries("sqlite", "shipped") as library:
        add_presets(library)
        before = len(all_rows(library))
        back_up(library.settings, tmp_path / "all.zip")
    settings = new_settings("sqlite", tmp_path / "again")
    restore(settings, tmp_path / "all.zip")
    with opened(settings) as library:
        add_presets(library)
        assert len(all_rows(library)) == before


def test_a_file_that_is_gone_or_another_is_no_backup(libraries, taking_in, profile_file, tmp_path: Path):
    """The backup that was there stays."""
    with libraries("sqlite", "first") as library:
        taking_in(library, profile_file())
        before = tmp_path / "before.zip"
        back_up(library.settings, before)
        content = before.read_bytes()
        (kept,) = Path(library.storage.url).rglob("*.tonecast")
        kept.write_bytes(kept.read_bytes()[:-1] + b"?")
        with pytest.raises(LibraryError, match="is damaged"):
            back_up(library.settings, tmp_path / "other.zip")
        kept.unlink()
        with pytest.raises(LibraryError, match="missing in the storage"):
            back_up(library.settings, before)
    assert before.read_bytes() == content
    assert not list(tmp_path.glob(".*"))
    assert not (tmp_path / "other.zip").exists()


def test_what_cannot_be_restored_is_told(libraries, new_settings, taking_in, profile_file, tmp_path: Path):
    """What is cut, changed, empty or not there leaves no library; one that is there is left alone."""
    whole, cut, other, empty = (tmp_path / f"{name}.zip" for name in ("whole", "cut", "other", "empty"))
    with libraries("sqlite", "first") as library:
        taking_in(library, profile_file())
        back_up(library.settings, whole)
    cut.write_bytes(whole.read_bytes()[:-100])
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(other, "w") as changed:
        for name in source.namelist():
            content = source.read(name)
            changed.writestr(name, content[:-1] + b"?" if name.endswith(".tonecast") else content)
    zipfile.ZipFile(empty, "w").close()
    settings = new_settings("sqlite", tmp_path / "second")
    for path, words in (
        (cut, "no backup of a library"),
        (other, "is damaged at files"),
        (empty, "no backup of a library"),
        (tmp_path / "none.zip", "is not there"),
    ):
        with pytest.raises(LibraryError, match=words):
            restore(settings, path)
    restore(settings, whole)  # what failed before is in nobody's way
    with pytest.raises(LibraryError, match="has a library already"):
        restore(settings, whole)
    with opened(settings), pytest.raises(LibraryError, match="Another server runs"):
        restore(settings, whole)


def test_no_library_is_told(new_settings, tmp_path: Path):
    """A folder or a database without a library is no library that is empty."""
    with pytest.raises(LibraryError, match="has no library"):
        back_up(new_settings("sqlite", tmp_path / "none"), tmp_path / "out.zip")
    with pytest.raises(LibraryError, match="has no library"):
        back_up(new_settings("postgresql", tmp_path / "none"), tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_the_commands_say_what_was_done(libraries, taking_in, profile_file, tmp_path: Path, capsys):
    """From a folder into a file and into another folder; the file is for its owner alone."""
    with libraries("sqlite", "first") as library:
        taking_in(library, profile_file())
    out = tmp_path / "all.zip"
    assert run(["backup", str(out), "--data", str(tmp_path / "first"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"profiles": 1, "files": 1, "bytes": out.stat().st_size}
    assert out.stat().st_mode & 0o077 == 0
    assert run(["restore", str(out), "--data", str(tmp_path / "second")]) == 0
    assert "1 profiles in 1 files" in " ".join(capsys.readouterr().out.split())
    assert run(["restore", str(out), "--data", str(tmp_path / "second")]) == 1
    assert "has a library already" in capsys.readouterr().err
