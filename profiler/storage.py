"""Files that appear whole or not at all."""

import contextlib
import errno
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from profiler.errors import StorageError

if sys.platform != "win32":
    import fcntl

__all__ = ["replacing", "scratch_files", "sha256_of", "sweep", "write_bytes"]

_MARK = "part-"
_SCRATCH = re.compile(rf"\..*\.{_MARK}[a-z0-9_]{{8}}(\.[^.]*)?", re.DOTALL)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """Yield a scratch path beside `path`; put it in `path`'s place when the block ends well.

    The scratch file keeps the suffix, so that writers that go by it agree. It is synced to disk before it takes
    its place and removed when anything fails, or by the next to write this file when its process was killed. Who may
    read it is as for all new files, or what `mode` says. Raises StorageError for a full disk or one that refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.{_MARK}", suffix=path.suffix)
    except OSError as error:
        raise _refused(path, error) from error
    scratch = Path(name)
    try:
        with _held(handle):
            yield scratch
            with scratch.open("rb+") as written:
                os.fsync(written.fileno())
            scratch.chmod(0o666 & ~_umask() if mode is None else mode)
            os.replace(scratch, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def _held(handle: int) -> Iterator[None]:
    """Hold the lock of an open scratch file, which says that somebody is at work on it, and close it in the end."""
    try:
        if sys.platform == "win32":  # other writers could not open it while it is open here
            os.close(handle)
        else:
            with contextlib.suppress(OSError):  # not every disk has locks
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        if sys.platform != "win32":
            os.close(handle)


def _clear(path: Path) -> None:
    """Remove the scratch files of a file whose writers were killed: nobody holds their locks any more."""
    if sys.platform == "win32":
        return
    pattern = re.compile(rf"\.{re.escape(path.stem)}\.{_MARK}[a-z0-9_]{{8}}{re.escape(path.suffix)}")
    for name in os.listdir(path.parent):
        if pattern.fullmatch(name):
            _remove_unheld(path.parent / name)


def sweep(folder: Path) -> None:
    """Remove the scratch files that killed processes left in a folder and all within it.

    What somebody is writing stays (where disks have no locks, nobody else may be writing there), and so does what
    cannot be removed: it is in nobody's way.
    """
    for path in scratch_files(folder):
        _remove_unheld(path)


def scratch_files(folder: Path) -> Iterator[Path]:
    """Yield what is being written in a folder and all within it, or was when the process that wrote it was killed."""
    for path in folder.rglob(f".*.{_MARK}*"):
        if _SCRATCH.fullmatch(path.name):
            yield path


def _remove_unheld(path: Path) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":  # which does not remove what is open
            path.unlink()
            return
        with path.open("rb") as left:
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file atomically. Raises StorageError."""
    with replacing(path) as scratch:
        scratch.write_bytes(content)


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut, where folders can be opened (not on Windows)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _refused(path: Path, error: OSError) -> StorageError:
    if error.errno in _FULL:
        return StorageError(
            f"No space left while writing {path}. Nothing half-written was left: free some space and run it again."
        )
    return StorageError(f"{path} cannot be written: {error.strerror or error}. Check the folder and its permissions.")
