"""Whether a library is whole: its rows, its files and what its jobs came to, compared with each other.

Nothing is changed, and the library may be in use: what looks wrong is looked at once more, and what is being put just
now is given time until a row names it.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, TypeAlias

from api.library import existing
from api.problem import Problem, without_request
from api.settings import ServiceSettings
from api.storage import JOB_FILES, PROFILES, Storage
from api.store import dump, entries, jobs, soundness
from api.store.database import Connection, Database
from api.store.migrations import newest_revision
from api.store.soundness import NamedFile
from profiler.errors import LibraryError
from profiler.progress import Progress, ProgressCallback, unheard

__all__ = ["GRACE_SECONDS", "Flaw", "FlawKind", "Verified", "verify"]

FlawKind: TypeAlias = Literal["missing-file", "damaged-file", "unnamed-file", "half-written-file", "rows"]

GRACE_SECONDS = 3600.0
"""How long a file may lie there, or be written, before a row must name it: the longest upload and more."""


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """One thing that is wrong: of what kind, with what, and how so."""

    kind: FlawKind
    subject: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What was compared, and what is wrong."""

    profiles: int
    jobs: int
    files: int
    bytes: int
    flaws: tuple[Flaw, ...]


def verify(
    settings: ServiceSettings, *, grace_seconds: float = GRACE_SECONDS, on_progress: ProgressCallback = unheard
) -> Verified:
    """Compare all rows of a library with all its files, whose every byte is read.

    Files that no row names are flaws when they are older than `grace_seconds`. Raises LibraryError where there is no
    library, or one of another Tonecast.
    """
    with closing(existing(settings)) as database, without_request("The library cannot be read"):
        return _Verification(settings, database, grace_seconds).done(on_progress)


class _Verification:
    def __init__(self, settings: ServiceSettings, database: Database, grace_seconds: float) -> None:
        self._database, self._grace_seconds = database, grace_seconds
        url = settings.storage_url
        self._storages = {"profile": Storage(url, suffix=PROFILES), "job": Storage(url, suffix=JOB_FILES)}

    def done(self, on_progress: ProgressCallback) -> Verified:
        """Compare it all."""
        # Files before rows: of what was put before its row, the row is there by then, or it is young.
        there = {kind: set(storage.hashes()) for kind, storage in self._storages.items()}
        with self._database.snapshot() as connection:
            _check_revision(connection)
            named = {(each.kind, each.sha256): each for each in soundness.named_files(connection)}
            wrong = list(soundness.wrong_rows(connection))
            profiles, job_count = len(entries.all_ids(connection)), soundness.count_jobs(connection)
        flaws = [Flaw(kind="rows", subject=subject, message=message) for subject, message in wrong]
        flaws += self._unnamed({(kind, sha256) for kind, found in there.items() for sha256 in found} - named.keys())
        flaws += self._half_written()
        flaws += self._not_whole(list(named.values()), on_progress)
        total = sum(each.bytes for each in named.values())
        return Verified(profiles=profiles, jobs=job_count, files=len(named), bytes=total, flaws=tuple(flaws))

    def _unnamed(self, found: set[tuple[str, str]]) -> Iterator[Flaw]:
        for kind, sha256 in sorted(found):
            try:
                age_seconds = self._storages[kind].age_seconds(sha256)
            except FileNotFoundError:  # it was just removed
                continue
            if age_seconds >= self._grace_seconds and not self._is_named(kind, sha256):
                message = f"no row names it, {age_seconds:.0f} s after it was put. The next start sweeps it away."
                yield Flaw(kind="unnamed-file", subject=sha256, message=message)

    def _half_written(self) -> Iterator[Flaw]:
        for path in self._storages["profile"].half_written():
            try:
                age_seconds = time.time() - path.stat().st_mtime
            except FileNotFoundError:
                continue
            if age_seconds >= self._grace_seconds:
                message = f"nobody went on with it for {age_seconds:.0f} s."
                yield Flaw(kind="half-written-file", subject=path.name, message=message)

    def _not_whole(self, named: list[NamedFile], on_progress: ProgressCallback) -> Iterator[Flaw]:
        for number, each in enumerate(named):
            note = f"file {number + 1} of {len(named)}"
            on_progress(Progress(step="verify", done=number / len(named), note=note))
            flaw = self._read(each)
            if flaw is not None and self._is_named(each.kind, each.sha256):
                yield flaw

    def _read(self, file: NamedFile) -> Flaw | None:
        storage, name = self._storages[file.kind], file.sha256[:12]
        found = storage.size(file.sha256)
        if found is None:
            return Flaw(kind="missing-file", subject=file.what, message=f"its file {name} is not in the storage")
        if found != file.bytes:
            message = f"its file {name} has {found} bytes; expected {file.bytes}"
            return Flaw(kind="damaged-file", subject=file.what, message=message)
        digest = hashlib.sha256()
        try:
            for piece in storage.pieces(file.sha256, file.bytes):
                digest.update(piece)
        except (FileNotFoundError, Problem):
            return Flaw(kind="missing-file", subject=file.what, message=f"its file {name} went while it was read")
        if digest.hexdigest() != file.sha256:
            message = f"its file {name} is not what was put there: its hash is {digest.hexdigest()[:12]}"
            return Flaw(kind="damaged-file", subject=file.what, message=message)
        return None

    def _is_named(self, kind: str, sha256: str) -> bool:
        with self._database.reading() as connection:
            if kind == "profile":
                return entries.entry_of_hash(connection, sha256) is not None
            return jobs.is_file_named(connection, sha256)


def _check_revision(connection: Connection) -> None:
    """Raise LibraryError for tables that are not this Tonecast's."""
    found, expected = dump.revision_of(connection), newest_revision()
    if found != expected:
        raise LibraryError(
            f"The library's tables are of revision {found}; this Tonecast's are of {expected}. Start the newer one's "
            "`tonecast serve` on it first, which brings them up to date."
        )
