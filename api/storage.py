"""Where profile files are kept, named by their hashes: a local folder, or what a URL leads to. fsspec's only door."""

import contextlib
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from api.problem import Problem
from profiler.errors import StorageError
from profiler.profile_file import SUFFIX
from profiler.storage import replacing, scratch_files, sha256_of, sweep

__all__ = ["JOB_FILES", "PROFILES", "Storage"]

PROFILES = SUFFIX
JOB_FILES = ".job"
"""What names of files end in: of profiles, and of what jobs are given and leave."""

_PIECE = 256 << 10
_BLOCK = 4 << 20  # what is asked of an object store at a time, and held in memory for each reader
_PART = 8 << 20
_FRESH: Mapping[str, Any] = {"use_listings_cache": False}  # others put and remove files too
_S3: Mapping[str, Any] = {
    **_FRESH,
    "max_concurrency": 2,
    "config_kwargs": {"connect_timeout": 5, "retries": {"mode": "standard", "max_attempts": 2}},
}
_OBJECT_STORES = {"s3": _S3, "s3a": _S3} | dict.fromkeys(("gs", "gcs", "az", "abfs", "abfss"), _FRESH)
"""Places without folders, in buckets that somebody made, and how they are opened."""


class Storage:
    """Files by their SHA-256. Raises StorageError where the place cannot be opened.

    Files with one suffix are out of the sight of storages with another in the same place. What a place that is not on
    this machine fails at later is a Problem of status 503, which says why.
    """

    def __init__(self, url: str, *, suffix: str = PROFILES) -> None:
        self.url, self._suffix = url, suffix
        self._name = re.compile(rf"([0-9a-f]{{64}}){re.escape(suffix)}")
        protocol, _ = fsspec.core.split_protocol(url)
        self._has_buckets = protocol in _OBJECT_STORES
        # What is sent in parts, which are held in memory, is there when the last has come, or not at all.
        self._parts = {"chunksize": _PART} if protocol in ("s3", "s3a") else {}
        try:
            self._files, self._root = fsspec.core.url_to_fs(url, **_OBJECT_STORES.get(protocol or "", {}))
            if self._has_buckets:  # making a folder would make a bucket, of whatever name was mistyped
                self._look()
            else:
                self._files.makedirs(self._root, exist_ok=True)
        except Exception as error:
            raise StorageError(
                f"The storage {url!r} cannot be opened: {_words(error)}. Name a folder, or a URL such as "
                "s3://bucket/folder (which takes: pip install 'tonecast[s3]', a bucket that is there and its keys in "
                "the environment)."
            ) from error

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return isinstance(self._files, LocalFileSystem)

    def put(self, sha256: str, source: Path) -> None:
        """Keep a file, whole or not at all."""
        path = self._path(sha256)
        if self.is_local:
            with replacing(Path(path)) as scratch:
                shutil.copyfile(source, scratch)
        else:
            with self._reached():
                self._files.put_file(
                    str(source), path, **self._parts
                )  # object stores show a file when all of it has arrived

    def size(self, sha256: str) -> int | None:
        """Return how many bytes a file has, None where it is not there."""
        try:
            with self._reached():
                return int(self._files.size(self._path(sha256)))
        except FileNotFoundError:
            return None

    def pieces(self, sha256: str, expected_bytes: int) -> Iterator[bytes]:
        """Open a file and return its pieces. Raises Problem where it is not there or has another length."""
        if self.size(sha256) != expected_bytes:
            raise _damaged(sha256)
        with self._reached():
            return self._read(self._files.open(self._path(sha256), "rb", block_size=_BLOCK))

    def _read(self, file: Any) -> Iterator[bytes]:
        with file:
            while piece := self._piece(file):
                yield piece

    def _piece(self, file: Any) -> bytes:
        with self._reached():
            piece: bytes = file.read(_PIECE)
            return piece

    def fetch(self, sha256: str, expected_bytes: int, target: Path) -> None:
        """Copy a file to a path here, whole or not at all. Raises Problem where it is not there, or not itself."""
        with replacing(target) as scratch:
            with scratch.open("wb") as file:
                for piece in self.pieces(sha256, expected_bytes):
                    file.write(piece)
            if sha256_of(scratch) != sha256:
                raise _damaged(sha256)

    def hashes(self) -> Iterator[str]:
        """Yield the hash of every file."""
        try:
            with self._reached():
                found = self._files.find(self._root)
        except FileNotFoundError as error:  # the place itself has gone
            raise _away(_words(error)) from error
        for path in found:
            if match := self._name.fullmatch(path.rsplit("/", 1)[-1]):
                yield match[1]

    def age_seconds(self, sha256: str) -> float:
        """Return how long ago a file was put. Raises FileNotFoundError."""
        with self._reached():
            changed: datetime = self._files.modified(self._path(sha256))
        return (datetime.now(UTC) - changed.astimezone(UTC)).total_seconds()

    def half_written(self) -> Iterator[Path]:
        """Yield what is being written, or was when its writer was killed. Object stores show no such thing."""
        if self.is_local:
            yield from scratch_files(Path(self._root))

    def remove(self, sha256: str) -> None:
        """Remove a file that no row knows."""
        with self._reached():
            self._files.rm_file(self._path(sha256))

    def sweep_scratch(self) -> None:
        """Remove what a killed server or worker left half-written."""
        if self.is_local:
            sweep(Path(self._root))

    def check(self) -> None:
        """Raise Problem where the place has gone, or cannot be reached."""
        if self._has_buckets:
            try:
                with self._reached():
                    self._look()
            except FileNotFoundError as error:
                raise _away(_words(error)) from error
        elif self.is_local and not self._files.isdir(self._root):
            raise _away(f"{self._root} is not there")

    def _look(self) -> None:
        """Ask an object store for files that nobody has: without the bucket, or the keys to it, it says so."""
        self._files.find(f"{self._root}/{'f' * 64}")

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """Turn what a place that is not here fails at into a Problem, but for files that are not there."""
        try:
            yield
        except (FileNotFoundError, Problem):
            raise
        except Exception as error:
            if self.is_local:
                raise
            raise _away(_words(error)) from error

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}{self._suffix}"


def _words(error: Exception) -> str:
    """Return what an error says, in one line without a stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _away(reason: str) -> Problem:
    detail = f"The library's storage does not answer ({reason}). Try again in a moment."
    return Problem(503, "Storage away", detail, retry_after_seconds=5)


def _damaged(sha256: str) -> Problem:
    detail = f"The file {sha256[:12]} is not whole in the library's storage. Restore a backup."
    return Problem(500, "File damaged", detail)
