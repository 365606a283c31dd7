"""Backups: a whole library in one zip, from which one is filled again, on the same kind of database or the other.

The zip has `library.json` (format and revision), `tables/NAME.jsonl` (a row a line), `files/SHA256.tonecast`, and
people's own tracks below `tracks/`. It holds the hashes of tokens, so only its owner may read it.
"""

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.library import existing, held
from api.problem import without_request
from api.settings import ServiceSettings
from api.storage import Storage
from api.store import dump, entries
from api.store.database import Connection, Database
from api.store.migrations import upgrade_tables
from api.tracks import OwnTracks
from profiler.errors import LibraryError
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.storage import replacing, sha256_of

__all__ = ["Backup", "back_up", "restore"]

_FORMAT = 1
_ABOUT = "library.json"
_FILE = re.compile(r"files/([0-9a-f]{64})\.tonecast")
_ABOUT_BYTES = 64 << 10
_TRACKS = "tracks/"


@dataclass(frozen=True, kw_only=True)
class Backup:
    """What a backup holds: entries in the library, files of profiles, and bytes on disk."""

    profiles: int
    files: int
    bytes: int


def back_up(settings: ServiceSettings, out: Path, *, on_progress: ProgressCallback = unheard) -> Backup:
    """Write all of a library, which may be in use, to a zip: as it was at one moment.

    Raises LibraryError where there is none or a file of it is missing, StorageError for a disk that refuses.
    """
    database, storage = existing(settings), Storage(settings.storage_url)
    with closing(database), without_request("The library is not backed up"):
        with replacing(out, mode=0o600) as scratch, zipfile.ZipFile(scratch, "w", allowZip64=True) as archive:
            copied: set[str] = set()
            gone: set[str] = set()
            # Files that come while others are copied are fetched in the next round; the rows are those of the last.
            profiles = None
            while profiles is None:
                profiles = _round(database, storage, archive, copied, gone, on_progress)
            for name, content in OwnTracks(settings.tracks_folder).files():
                archive.writestr(f"{_TRACKS}{name}", content)
        return Backup(profiles=profiles, files=len(copied), bytes=out.stat().st_size)


def restore(settings: ServiceSettings, source: Path, *, on_progress: ProgressCallback = unheard) -> Backup:
    """Fill a library that is not there yet from a backup.

    Files come first, then all rows at once: what is interrupted leaves no library. Raises LibraryError for a file that
    is no backup, or of a newer Tonecast, or damaged, and where there is a library already.
    """
    with held(settings), _opened(source) as archive:
        revision = _revision(archive, source)
        database, storage = Database(settings.database_url), Storage(settings.storage_url)
        with closing(database), without_request("The library is not restored"):
            with database.reading() as connection:
                if dump.has_tables(connection):
                    raise LibraryError(
                        f"{settings.data} has a library already. Restore into a folder, and a database, without one."
                    )
            put = set(_put_files(archive, settings, storage, on_progress))
            _put_tracks(archive, OwnTracks(settings.tracks_folder))
            with database.writing() as connection:
                upgrade_tables(connection, revision)
                dump.fill(connection, lambda name: _rows(archive, name))
                upgrade_tables(connection)
                entries.index_all(connection)
                profiles = len(entries.all_ids(connection))
                missing = entries.all_hashes(connection) - put
                if missing:
                    raise LibraryError(f"{source} lacks {len(missing)} of its profiles' files: it is damaged.")
            return Backup(profiles=profiles, files=len(put), bytes=source.stat().st_size)


def _round(
    database: Database,
    storage: Storage,
    archive: zipfile.ZipFile,
    copied: set[str],
    gone: set[str],
    on_progress: ProgressCallback,
) -> int | None:
    """Copy the files that rows name now and that are not in the archive.

    Where none is left the rows are written, and the number of profiles is returned.
    """
    with database.snapshot() as connection:
        wanted = sorted(entries.all_hashes(connection) - copied)
        if not wanted:
            return _write_rows(connection, archive)
    for number, sha256 in enumerate(wanted):
        on_progress(Progress(step="backup", done=number / len(wanted), note=f"file {number + 1} of {len(wanted)}"))
        if _copied(storage, archive, sha256):
            copied.add(sha256)
        elif sha256 in gone:
            raise LibraryError(f"The file {sha256[:12]} is missing in the storage, though a profile names it.")
        else:
            gone.add(sha256)  # perhaps its profile was just removed: the next round no longer names it
    return None


def _copied(storage: Storage, archive: zipfile.ZipFile, sha256: str) -> bool:
    size = storage.size(sha256)
    if size is None:
        return False
    try:
        pieces = storage.pieces(sha256, size)
    except FileNotFoundError:
        return False
    digest = hashlib.sha256()
    with archive.open(f"files/{sha256}.tonecast", "w", force_zip64=True) as written:  # packed already: only stored
        for piece in pieces:
            digest.update(piece)
            written.write(piece)
    if digest.hexdigest() != sha256:
        raise LibraryError(f"The file {sha256[:12]} in the storage is damaged: it is not what was uploaded.")
    return True


def _write_rows(connection: Connection, archive: zipfile.ZipFile) -> int:
    profiles = len(entries.all_ids(connection))
    about = {
        "format": _FORMAT,
        "revision": dump.revision_of(connection),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "profiles": profiles,
    }
    for name, rows in dump.all_rows(connection):
        packed = zipfile.ZipInfo(f"tables/{name}.jsonl")
        packed.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(packed, "w", force_zip64=True) as lines:
            for row in rows:
                lines.write((json.dumps(row) + "\n").encode())
    archive.writestr(_ABOUT, json.dumps(about))
    return profiles


def _opened(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except FileNotFoundError as error:
        raise LibraryError(f"{source} is not there.") from error
    except (OSError, zipfile.BadZipFile) as error:
        raise LibraryError(f"{source} is no backup of a library, or is cut off: {error}.") from error


def _revision(archive: zipfile.ZipFile, source: Path) -> str:
    """Return which tables a backup is of. Raises LibraryError for what is none, or of a newer Tonecast."""
    try:
        with archive.open(_ABOUT) as file:
            about = json.loads(file.read(_ABOUT_BYTES))
        found, revision = int(about["format"]), str(about["revision"])
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise LibraryError(f"{source} is no backup of a library. `tonecast backup` makes one.") from error
    if found > _FORMAT:
        raise LibraryError(f"{source} was made by a newer Tonecast (format {found}). Update Tonecast to restore it.")
    return revision


def _put_files(
    archive: zipfile.ZipFile, settings: ServiceSettings, storage: Storage, on_progress: ProgressCallback
) -> Iterator[str]:
    """Put every file into the storage, and yield its hash."""
    named = [(match[1], name) for name in archive.namelist() if (match := _FILE.fullmatch(name))]
    scratch = settings.scratch / "restored.tonecast"
    for number, (sha256, name) in enumerate(named):
        on_progress(Progress(step="restore", done=number / len(named), note=f"file {number + 1} of {len(named)}"))
        try:
            with archive.open(name) as packed, scratch.open("wb") as file:
                shutil.copyfileobj(packed, file)
            whole = sha256_of(scratch) == sha256
        except (OSError, zipfile.BadZipFile, EOFError) as error:
            raise _unreadable(archive, name, error) from error
        if not whole:
            raise LibraryError(f"{archive.filename} is damaged at {name}. Use another backup.")
        storage.put(sha256, scratch)
        yield sha256
    scratch.unlink(missing_ok=True)


def _put_tracks(archive: zipfile.ZipFile, tracks: OwnTracks) -> None:
    for name in (each for each in archive.namelist() if each.startswith(_TRACKS)):
        try:
            content = archive.read(name)
        except (OSError, zipfile.BadZipFile, EOFError) as error:
            raise _unreadable(archive, name, error) from error
        if not tracks.put_back(name.removeprefix(_TRACKS), content):
            raise LibraryError(f"{archive.filename} is damaged: it has {name!r}, which no backup has.")


def _unreadable(archive: zipfile.ZipFile, name: str, error: Exception) -> LibraryError:
    return LibraryError(f"{archive.filename} cannot be read at {name}: {error}. Use another backup.")


def _rows(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table; a table that the backup does not have is empty."""
    if f"tables/{name}.jsonl" not in archive.namelist():
        return
    try:
        with archive.open(f"tables/{name}.jsonl") as packed:
            for line in io.TextIOWrapper(packed, "utf-8"):
                yield json.loads(line)
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise LibraryError(f"{archive.filename} is damaged in the table {name}. Use another backup.") from error
