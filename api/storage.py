"""Where profile files are kept, named by their hashes: a local folder, or what a URL leads to. fsspec's only door."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

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


class Storage:
    """Files by their SHA-256. Raises StorageError where the place cannot be opened.

    Files with one suffix are out of the sight of storages with another in the same place.
    """

    def __init__(self, url: str, *, suffix: str = PROFILES) -> None:
        self.url, self._suffix = url, suffix
        self._name = re.compile(rf"([0-9a-f]{{64}}){re.escape(suffix)}")
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
            self._files.makedirs(self._root, exist_ok=True)
        except (ImportError, ValueError, OSError) as error:
            raise StorageError(
                f"The storage {url!r} cannot be opened: {error}. Name a folder, or a URL such as s3://bucket/folder "
                "(which takes: pip install 'tonecast[s3]')."
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
            self._files.put_file(str(source), path)  # object stores show a file when all of it has arrived

    def size(self, sha256: str) -> int | None:
        """Return how many bytes a file has, None where it is not there."""
        try:
            return int(self._files.size(self._path(sha256)))
        except FileNotFoundError:
            return None

    def pieces(self, sha256: str, expected_bytes: int) -> Iterator[bytes]:
        """Open a file and return its pieces. Raises Problem where it is not there or has another length."""
        if self.size(sha256) != expected_bytes:
            raise _damaged(sha256)
        return self._read(self._files.open(self._path(sha256), "rb"))

    def _read(self, file: object) -> Iterator[bytes]:
        with file as opened:  # type: ignore[attr-defined]
            while piece := opened.read(_PIECE):
                yield piece

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
        for path in self._files.find(self._root):
            if match := self._name.fullmatch(path.rsplit("/", 1)[-1]):
                yield match[1]

    def age_seconds(self, sha256: str) -> float:
        """Return how long ago a file was put. Raises FileNotFoundError."""
        changed: datetime = self._files.modified(self._path(sha256))
        return (datetime.now(UTC) - changed.astimezone(UTC)).total_seconds()

    def half_written(self) -> Iterator[Path]:
        """Yield what is being written, or was when its writer was killed. Object stores show no such thing."""
        if self.is_local:
            yield from scratch_files(Path(self._root))

    def remove(self, sha256: str) -> None:
        """Remove a file that no row knows."""
        self._files.rm_file(self._path(sha256))

    def sweep_scratch(self) -> None:
        """Remove what a killed server or worker left half-written."""
        if self.is_local:
            sweep(Path(self._root))

    def check(self) -> None:
        """Raise OSError where the place has gone."""
        if not self._files.isdir(self._root) and self.is_local:
            raise OSError(f"{self._root} is not there")

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256}{self._suffix}"


def _damaged(sha256: str) -> Problem:
    detail = f"The file {sha256[:12]} is not whole in the library's storage. Restore a backup."
    return Problem(500, "File damaged", detail)
