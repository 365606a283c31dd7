"""What strangers send to be learnt: a zip with a session, or with a takes.csv and its recordings, read with limits.

Nothing is believed: names must stay inside, sizes are counted as they come, and what the session says of its recordings
must be what they are.
"""

import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from profiler.audio_file import reading
from profiler.errors import ProfilerError, SessionError
from profiler.finding import Finding
from profiler.pairs import common_rate, take_in
from profiler.pairs_table import read_pairs_table
from profiler.progress import ProgressCallback
from profiler.session import CaptureSession, Gear
from profiler.session_folder import SessionFolder
from profiler.table_file import table_lines

__all__ = ["MOST_BYTES", "as_session", "unpacked"]

MOST_BYTES = 8 << 30
"""What a zip may unpack to."""

_MOST_FILES = 5000
_MOST_TAKES = 2000
_MOST_SECONDS = 6 * 3600
_MOST_LETTERS, _MOST_DEPTH = 240, 8
_PIECE = 1 << 20
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SESSION, _TABLE = "session.json", "takes.csv"


def unpacked(archive: Path, folder: Path, *, most_bytes: int = MOST_BYTES) -> Path:
    """Unpack a zip into `folder`, whole or not at all, and return where in it the session or the table lies.

    Raises SessionError for what is no such zip, would lie outside of the folder or is larger than it says or may be.
    """
    if not folder.is_dir():
        scratch = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        with _opened(archive) as file:
            for entry in _checked(file, most_bytes):
                _write(file, entry, scratch)
        scratch.rename(folder)
    return _root(folder)


def as_session(root: Path, folder: Path, *, name: str, tell: ProgressCallback) -> tuple[SessionFolder, list[Finding]]:
    """Return what was unpacked as a session that is sound, made in `folder` where it is a table of pairs.

    Lines of the table that cannot be used are findings. Raises SessionError where nothing is left, or what is there is
    not what the session says.
    """
    if (root / _SESSION).is_file():
        session = SessionFolder.open(root)
        _check_recordings(session)
        return session, []
    _check_table(root / _TABLE)
    table = read_pairs_table(root / _TABLE)
    gear = Gear(name=name, kind="files")
    made = SessionFolder.create(folder, CaptureSession(gear=gear, knobs=table.knobs, sample_rate=common_rate(table)))
    refused = take_in(made, table, on_progress=tell)
    findings = [
        Finding(
            kind="refused-line", message=f"Line {each.line} of {_TABLE} was left out: {each.reason}", severity="warning"
        )
        for each in refused
    ]
    findings += [
        Finding(kind="unturned-knob", message=f"Column {each} has one value only: it is no knob, and was left out.")
        for each in table.unturned
    ]
    return made, findings


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise SessionError(f"The upload is not a whole zip file ({error}). Pack the session's folder again.") from error


def _checked(file: zipfile.ZipFile, most_bytes: int) -> list[zipfile.ZipInfo]:
    """Return the files to unpack. Raises SessionError for names that lead elsewhere, and for too much."""
    entries = [entry for entry in file.infolist() if not entry.is_dir() and not _is_clutter(entry.filename)]
    if len(entries) > _MOST_FILES:
        raise SessionError(f"The zip has {len(entries)} files; at most {_MOST_FILES} are taken.")
    declared = sum(entry.file_size for entry in entries)
    if declared > most_bytes:
        raise SessionError(f"The zip unpacks to {declared} bytes; at most {most_bytes} are taken.")
    seen: set[str] = set()
    for entry in entries:
        _check_name(entry.filename)
        if entry.filename.casefold() in seen:
            raise SessionError(f"The zip has {entry.filename!r} twice. Pack the folder again.")
        seen.add(entry.filename.casefold())
        if entry.flag_bits & 1 or entry.compress_type not in _PLAIN:
            raise SessionError(f"{entry.filename!r} is encrypted, or packed in a rare way. Pack it as a plain zip.")
    return entries


def _is_clutter(name: str) -> bool:
    """Return whether a file is what desktops leave in folders."""
    parts = PurePosixPath(name).parts
    return bool(parts) and (parts[0] == "__MACOSX" or (parts[-1].startswith(".") and parts[-1] not in (".", "..")))


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    leads_out = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not name.isprintable()
    if leads_out or len(name) > _MOST_LETTERS or len(path.parts) > _MOST_DEPTH:
        raise SessionError(f"The zip has a file called {name[:80]!r}, which no folder of ours takes. Rename it.")


def _write(file: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with file.open(entry) as source, target.open("xb") as sink:
        while piece := source.read(min(_PIECE, left + 1)):
            left -= len(piece)
            if left < 0:
                raise SessionError(f"{entry.filename!r} is longer than the zip says. Pack the folder again.")
            sink.write(piece)


def _root(folder: Path) -> Path:
    """Return where the session or the table is: at the top, or in the only folder that has one."""
    for name in (_SESSION, _TABLE):
        found = [place for place in (folder, *sorted(folder.iterdir())) if (place / name).is_file()]
        if len(found) == 1 or (found and found[0] == folder):
            return found[0]
        if found:
            raise SessionError(f"The zip has {name} in {len(found)} folders. Send one session at a time.")
    raise SessionError(f"The zip has neither {_SESSION} nor {_TABLE}, at its top or in a folder there. Pack a session.")


def _check_table(path: Path) -> None:
    """Raise SessionError where a table names files outside of its folder."""
    lines = table_lines(path, SessionError)
    header = lines[0][1] if lines else []
    columns = [place for place, name in enumerate(header) if name in ("dry", "wet", "knobs")]
    folder = path.parent.resolve()
    for number, line in lines[1:]:
        for cell in (line[place] for place in columns if place < len(line)):
            if not (folder / cell).resolve().is_relative_to(folder):
                raise SessionError(f"Line {number} of {_TABLE} names {cell[:80]!r}, which is not in the zip.")


def _check_recordings(folder: SessionFolder) -> None:
    """Raise SessionError where recordings are not there, or are not as long or fast as the session says."""
    session = folder.session
    if not session.takes or len(session.takes) > _MOST_TAKES:
        raise SessionError(f"The session has {len(session.takes)} takes; expected 1 to {_MOST_TAKES}.")
    seconds = 0.0
    for take in session.takes:
        if not 0 <= take.dry < len(session.dries):
            raise SessionError(f"Take {take.number} names dry {take.dry}, which is not in {_SESSION}.")
        dry = session.dries[take.dry]
        for path, frames in ((folder.dry_path(take), dry.frames), (folder.wet_path(take), take.frames)):
            seconds += _seconds_of(path, frames, session.sample_rate)
        folder.track_of(take)
    if seconds > _MOST_SECONDS:
        raise SessionError(
            f"The session has {seconds / 3600:.1f} h of audio; at most {_MOST_SECONDS // 3600} are taken."
        )


def _seconds_of(path: Path, frames: int, sample_rate: int) -> float:
    try:
        with reading(path) as reader:
            found = (reader.frames, reader.sample_rate)
    except ProfilerError as error:
        raise SessionError(str(error)) from error
    if found != (frames, sample_rate):
        raise SessionError(
            f"{path.name} has {found[0]} frames at {found[1]} Hz; {_SESSION} says {frames} at {sample_rate} Hz."
        )
    return frames / sample_rate
