"""Files that appear whole or not at all."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from profiler.errors import StorageError
from profiler.storage import replacing, sha256_of, sweep, write_bytes


def names(folder):
    """Return what lies in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends(tmp_path):
    """Until then the old content stays, and afterwards nothing but the file is there."""
    path = tmp_path / "deep" / "file.txt"
    write_bytes(path, b"old")
    with replacing(path) as scratch:
        scratch.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert scratch.suffix == ".txt"
        assert scratch.parent == path.parent
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["file.txt"]


def _give_up(scratch, problem):
    scratch.write_bytes(b"half")
    raise problem


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_the_old_file(tmp_path, problem):
    """Whatever stops the writer, the old file stays, nothing else is left, and the problem is passed on."""
    path = tmp_path / "file.txt"
    write_bytes(path, b"old")
    with pytest.raises(problem), replacing(path) as scratch:
        _give_up(scratch, problem)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.txt"]


def test_a_file_can_be_read_by_others(tmp_path):
    """The permissions are those of any new file, not those of a private scratch file."""
    write_bytes(tmp_path / "ours", b"a")
    (tmp_path / "plain").write_bytes(b"a")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """A file where a folder should be, and a folder where the file should be, are StorageErrors."""
    (tmp_path / "file").write_bytes(b"kept")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    for path in (tmp_path / "file" / "new", tmp_path / "folder"):
        with pytest.raises(StorageError, match=f"{path} cannot be written: .*Check the folder"):
            write_bytes(path, b"new")
    assert (tmp_path / "file").read_bytes() == b"kept"
    assert names(tmp_path) == ["file", "folder"]


def test_a_full_disk_leaves_the_old_file(small_disk):
    """The message says there is no space; the old file is whole, no scratch file is left, and later it works."""
    path = small_disk.path / "file.bin"
    write_bytes(path, b"old" * 1000)
    small_disk.fill()
    with pytest.raises(StorageError, match=f"No space left while writing {path}"):
        write_bytes(path, b"new" * 100_000)
    assert path.read_bytes() == b"old" * 1000
    assert small_disk.scratch_files() == []
    small_disk.free()
    write_bytes(path, b"new" * 100_000)
    assert path.read_bytes() == b"new" * 100_000


def test_a_hash_is_of_the_content(tmp_path):
    """The hash is the plain SHA-256 of the bytes, also of a file of many pieces."""
    content = bytes(range(256)) * 4096
    write_bytes(tmp_path / "file", content)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path):
    """Scratch files only, wherever in the folder, by the name that they are really given."""
    scratches = []
    for name in ("a.wav", "deep/b.flac", "c"):
        with replacing(tmp_path / name) as scratch:
            scratches.append(scratch)
    for scratch in scratches:
        scratch.write_bytes(b"half")
    kept = [".hidden.wav", ".part-time.wav", "x.part-abcd1234.wav", ".a.part-1.wav"]
    for name in kept:
        (tmp_path / name).write_bytes(b"whole")
    sweep(tmp_path)
    assert names(tmp_path) == sorted(["a.wav", "c", "deep", *kept])
    assert names(tmp_path / "deep") == ["b.flac"]


_WRITER = """
import sys, time
from pathlib import Path
from profiler.storage import replacing
with replacing(Path(sys.argv[1])) as scratch:
    scratch.write_bytes(b"half")
    print(scratch, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows gives no lock that tells who is at work")
def test_what_a_killed_writer_left_goes_when_its_file_is_written_again(tmp_path):
    """Not while the writer is alive, and not what belongs to another file."""
    path = tmp_path / "take[1].wav"
    with subprocess.Popen([sys.executable, "-c", _WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        scratch = Path(writer.stdout.readline().strip())
        other = tmp_path / scratch.name.replace("take[1]", "take")
        other.write_bytes(b"half")
        write_bytes(path, b"whole")
        assert scratch.read_bytes() == b"half"
        writer.kill()
    write_bytes(path, b"whole again")
    assert names(tmp_path) == sorted([other.name, path.name])
    assert path.read_bytes() == b"whole again"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows gives no lock that tells who is at work")
def test_what_somebody_is_writing_is_not_swept(tmp_path):
    """Only once its writer is gone."""
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, tmp_path / "a.wav"], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        scratch = Path(writer.stdout.readline().strip())
        sweep(tmp_path)
        assert scratch.read_bytes() == b"half"
        writer.kill()
    sweep(tmp_path)
    assert names(tmp_path) == []
