"""Where files are kept: a folder, a storage of fsspec's that is none, and a real S3 server."""

import os
import secrets
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.client import LibraryClient
from api.job import NewExport
from api.problem import Problem
from api.storage import JOB_FILES, Storage
from profiler.errors import LibraryError, StorageError
from profiler.storage import sha256_of

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 60
LARGE_BYTES = 40 << 20  # of several parts: of a file in one piece, this server keeps as much as came, as S3 does not

PUTS = """
import sys
from dataclasses import replace
from pathlib import Path
from api.storage import Storage
storage = Storage(sys.argv[1])
print("ready", flush=True)
storage.put(sys.argv[2], Path(sys.argv[3]))
"""


@pytest.fixture(params=["folder", "memory", "s3"])
def storage(request, tmp_path: Path) -> Storage:
    """An empty storage."""
    if request.param == "s3":
        request.getfixturevalue("s3")
        return Storage("s3://tests/library")
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
    assert 0 <= storage.age_seconds(name) + 1 < WAIT_SECONDS
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
    with pytest.raises(Problem, match="not whole"):
        storage.fetch(name, 4, tmp_path / "target")  # whose hash is another than its name
    assert not (tmp_path / "target").exists()


def test_other_files_are_left_alone(storage, tmp_path: Path):
    """What is not named as the library names its files is not of the library; nor are those of another suffix."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    storage.put("ab" * 32, source)
    Storage(storage.url, suffix=JOB_FILES).put("cd" * 32, source)
    if storage.is_local:
        (tmp_path / "files" / "notes.txt").write_text("mine")
    assert list(storage.hashes()) == ["ab" * 32]


def test_what_others_change_is_seen(storage, tmp_path: Path):
    """Another storage of the same place, as another machine has it, sees what was put and removed since it looked."""
    other, source = Storage(storage.url), tmp_path / "source"
    assert (other.size("ab" * 32), list(other.hashes())) == (None, [])
    source.write_bytes(b"x")
    storage.put("ab" * 32, source)
    assert (other.size("ab" * 32), list(other.hashes())) == (1, ["ab" * 32])
    storage.remove("ab" * 32)
    assert (other.size("ab" * 32), list(other.hashes())) == (None, [])


def test_a_full_disk_leaves_nothing(small_disk, tmp_path: Path):
    """Half a file is not left where the disk is full."""
    storage, source = Storage(str(small_disk.path / "files")), tmp_path / "source"
    source.write_bytes(secrets.token_bytes(300_000))
    small_disk.fill(leave=100_000)
    with pytest.raises(StorageError, match="No space left"):
        storage.put("ab" * 32, source)
    assert not small_disk.scratch_files()
    assert not list(storage.hashes())


def bytes_read(pid: int) -> int:
    """Return how much a process has read, from the network too."""
    told = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(told["rchar"])


@pytest.mark.skipif(sys.platform != "linux", reason="what a server has read is in /proc, which Linux has")
def test_a_killed_upload_leaves_nothing(s3, tmp_path: Path):
    """Killed in the middle of it, at several places, no file is there; put again, it is there whole."""
    storage, source = Storage("s3://tests/library"), tmp_path / "source"
    source.write_bytes(secrets.token_bytes(LARGE_BYTES))
    name = sha256_of(source)
    for megabytes in (2, 16, 34):
        command = [sys.executable, "-c", PUTS, "s3://tests/library", name, str(source)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as putting:
            assert putting.stdout is not None
            putting.stdout.readline()
            before, deadline = bytes_read(s3.process.pid), time.monotonic() + WAIT_SECONDS
            while bytes_read(s3.process.pid) - before < megabytes << 20:
                assert time.monotonic() < deadline
            putting.kill()
        assert putting.returncode < 0
        assert (storage.size(name), list(storage.hashes())) == (None, [])
    storage.put(name, source)
    storage.fetch(name, LARGE_BYTES, tmp_path / "target")


@pytest.mark.usefixtures("s3")
def test_what_is_not_there_is_told_at_the_start(monkeypatch):
    """A bucket that nobody made, which is not made, keys that are none, and a server that is none: each one error."""
    for _ in range(2):
        with pytest.raises(StorageError, match="bucket does not exist"):
            Storage("s3://mistyped/library")
    from s3fs import S3FileSystem  # noqa: PLC0415 - where there is none, these tests are skipped

    for name, value, message in (
        ("AWS_ACCESS_KEY_ID", "stranger", "Access Key Id you provided does not exist"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "Could not connect"),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            S3FileSystem.clear_instance_cache()
            with pytest.raises(StorageError, match=message):
                Storage("s3://tests/library")
        S3FileSystem.clear_instance_cache()


@pytest.mark.slow
def test_a_library_lives_there(s3, process, profile_file, tmp_path: Path):
    """Its server puts files there and takes them from there, its worker too; nothing is kept beside it.

    When the S3 server has gone, whoever asks is told to come again, and the library still answers.
    """
    server = process("--storage", "s3://tests/library", "--workers", "1")
    with LibraryClient(server.url, server.token()) as client:
        entry = client.push(profile_file("Mine")).entry
        client.pull(entry, tmp_path / "mine.tonecast")
        job = client.export(NewExport(profile_id=client.find("Fuzz").id))
        (*_, ended) = client.watch(job.id)
        assert (ended.state, ended.error) == ("succeeded", None)
        client.fetch_result(ended, tmp_path / "fuzz.nam")
        client.remove_job(job.id)
        assert set(Storage("s3://tests/library").hashes()) >= {entry.version.sha256}
        assert not list(Storage("s3://tests/library", suffix=JOB_FILES).hashes())
        assert not (server.folder / "files").exists()
        s3.kill()
        with pytest.raises(LibraryError, match="storage does not answer"):
            client.pull(entry, tmp_path / "again.tonecast")
        assert replace(client.entry(entry.id), downloads=0) == entry  # it was downloaded once
        assert httpx.get(f"{server.url}/ready", timeout=WAIT_SECONDS).status_code == 503
    assert server.stop() == 0


def test_a_server_that_goes_is_told(s3, tmp_path: Path):
    """In the middle of a file, and at whatever is asked after it: a problem that says to come again."""
    storage, source = Storage("s3://tests/library"), tmp_path / "source"
    source.write_bytes(secrets.token_bytes(20 << 20))
    name = sha256_of(source)
    storage.put(name, source)
    pieces = storage.pieces(name, 20 << 20)
    assert next(pieces) == source.read_bytes()[: 256 << 10]
    s3.kill()

    def fetched() -> None:
        for _ in pieces:
            pass

    for asked in (fetched, storage.check, lambda: storage.put(name, source)):
        with pytest.raises(Problem, match="storage does not answer") as told:
            asked()
        assert (told.value.status, told.value.retry_after_seconds) == (503, 5)
