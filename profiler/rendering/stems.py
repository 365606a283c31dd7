"""Folders of stems: which files there are, where each goes, and the table that says what each is rendered through."""

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from profiler.errors import AudioError, ChainError, KnobError, PresetError
from profiler.knob_range import parse_setting
from profiler.presets import effect_path
from profiler.rendering.render_job import RenderJob
from profiler.table_file import entry, listed, table_lines

__all__ = ["StemRow", "read_stems_table", "stem_jobs"]

_READ = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
_WRITTEN = (".wav", ".flac", ".aiff", ".aif")
_COLUMNS = ("file", "effect", "automation", "set")
_MOST_TOLD = 20


@dataclass(frozen=True, kw_only=True)
class StemRow:
    """What files whose path matches `file`, a pattern such as `drums/*`, are rendered through."""

    line: int
    file: str
    effect: Path | None
    automation: Path | None
    settings: dict[str, float | str]


def stem_jobs(source: Path, target: Path, usual: RenderJob, rows: Sequence[StemRow] = ()) -> tuple[RenderJob, ...]:
    """Return a job for each audio file within `source`, into the same place within `target`.

    What is no WAV, FLAC or AIFF becomes a WAV of the same name with .wav behind it. The first row that a file matches
    says what it is rendered through, else `usual` does. Raises AudioError when the folders lie within each other or
    there is nothing to render, ChainError for a row that no file matches.
    """
    one, other = source.resolve(), target.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise AudioError(f"{target} and {source} must not lie within each other. Choose another folder for the result.")
    found = [path.relative_to(source) for path in _audio_files(source)]
    if not found:
        raise AudioError(f"{source} holds no audio: expected files that end in {', '.join(_READ)}.")
    unmatched = [f"line {row.line}: {row.file!r}" for row in rows if not any(_matches(row, path) for path in found)]
    if unmatched:
        raise ChainError(f"No file in {source} is called so: {', '.join(unmatched[:_MOST_TOLD])}.")
    return tuple(_job(source / path, target / _name(path), path, usual, rows) for path in found)


def read_stems_table(path: Path) -> tuple[StemRow, ...]:
    """Read a table with a column `file`, and any of `effect`, `automation`, `set` (knobs as `drive=3 tone=0.5`).

    Paths start at the table, those of files at the folder of stems; an effect may be a preset. Raises ChainError that
    lists what is wrong.
    """
    (_, header), *lines = table_lines(path, ChainError) or [(1, [])]
    complaints = [f"line 1: the column {name!r} is not known" for name in header if name not in _COLUMNS]
    if "file" not in header:
        complaints.append("line 1: there is no column 'file'")
    entries = [(number, entry(header, line)) for number, line in lines]
    rows = [] if complaints else list(_rows(path.parent, entries, complaints))
    if complaints:
        raise ChainError(f"{path} cannot be followed. Its columns may be {', '.join(_COLUMNS)}.{listed(complaints)}")
    return tuple(rows)


def _rows(folder: Path, entries: Sequence[tuple[int, dict[str, str]]], complaints: list[str]) -> Iterator[StemRow]:
    for number, cells in entries:
        settings: dict[str, float | str] = {}
        for text in cells.get("set", "").split():
            try:
                knob, value = parse_setting(text)
                settings[knob] = value
            except KnobError:
                complaints.append(f"line {number}: {text!r} is not KNOB=VALUE")
        paths: dict[str, Path | None] = dict.fromkeys(("effect", "automation"))
        try:
            paths["effect"] = effect_path(cells["effect"], folder) if cells.get("effect") else None
        except PresetError as error:
            complaints.append(f"line {number}: {error}")
        paths["automation"] = folder / cells["automation"] if cells.get("automation") else None
        complaints += [f"line {number}: {each} is not there" for each in paths.values() if each and not each.is_file()]
        if not cells["file"]:
            complaints.append(f"line {number}: no file is named")
        yield StemRow(line=number, file=cells["file"], settings=settings, **paths)


def _audio_files(folder: Path) -> Iterator[Path]:
    """Yield the audio files of a folder and all within it, by name; hidden ones are no audio, whatever they end in."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() in _READ and path.is_file() and not any(part.startswith(".") for part in parts):
            yield path


def _name(path: Path) -> Path:
    return path if path.suffix.lower() in _WRITTEN else path.with_name(path.name + ".wav")


def _matches(row: StemRow, path: Path) -> bool:
    return fnmatch.fnmatchcase(path.as_posix(), row.file)


def _job(source: Path, target: Path, path: Path, usual: RenderJob, rows: Sequence[StemRow]) -> RenderJob:
    job = replace(usual, source=source, target=target)
    row = next((row for row in rows if _matches(row, path)), None)
    if row is None:
        return job
    if row.automation:
        is_midi = row.automation.suffix.lower() in (".mid", ".midi")
        job = replace(job, automation=row.automation, controllers=job.controllers if is_midi else ())
    if row.effect:
        return replace(job, effect=row.effect, settings=row.settings)
    return replace(job, settings={**job.settings, **row.settings})
