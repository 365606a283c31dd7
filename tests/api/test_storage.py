"""Where files are kept: a folder, and a storage of fsspec's that is none."""

import secrets
from pathlib import Path

import pytest

from api.problem import Problem
from api.storage import Storage
from profiler.errors import StorageError


@pytest.fixture(params=["folder", "memory"])
def storage(request, tmp_path: Path) -> Storage:
    """An empty storage; fsspec's own in memory stands where an object store would."""
    return Storage(str(tmp_path / "files") if request.param == "folder" else f"memory://{secrets.token_hex(4)}")


def test_files_come_back(storage, tmp_path: Path):
    """What was put is given back, listed, put again without harm, and removed."""
    source, name = tmp_path / "source", "ab" * 32
    content = secrets.token_bytes(700_000)
    source.write_bytes(content)
    storage.put(name, source)
    storage.put(name, source)
    assert b"".join(storage.pieces(name, len(content))) == content
    assert list(storage.hashes()) == [name]
    storage.check()
    storage.remove(name)
    assert storage.size(name) is None
    assert not list(storage.hashes())


def test_what_is_not_whole_is_told(storage, tmp_path: Path):
    """A file that is missing, or of another length, is a problem of the server's."""
    source, name = tmp_path / "source", "cd" * 32
    source.write_bytes(b"four")
    storage.put(name, source)
    for wanted, size in ((name, 5), ("ef" * 32, 4)):
        with pytest.raises(Problem, match="not whole") as told:
            storage.pieces(wanted, size)
        assert told.value.status == 500


def test_other_files_are_left_alone(storage, tmp_path: Path):
    """What is not named as the library names its files is not of the library."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    storage.put("ab" * 32, source)
    if storage.is_local:
        (tmp_path / "files" / "notes.txt").write_text("mine")
    assert list(storage.hashes()) == ["ab" * 32]


def test_a_full_disk_leaves_nothing(small_disk, tmp_path: Path):
    """Half a file is not left where the disk is full."""
    storage, source = Storage(str(small_disk.path / "files")), tmp_path / "source"
    source.write_bytes(secrets.token_bytes(300_000))
    small_disk.fill(leave=100_000)
    with pytest.raises(StorageError, match="No space left"):
        storage.put("ab" * 32, source)
    assert not small_disk.scratch_files()
    assert not list(storage.hashes())
