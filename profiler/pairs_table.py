"""Pairs tables: `takes.csv`, the way in which anyone brings dry and wet recordings of their own.

Columns `dry` and `wet` name files relative to the table. Every other column is a knob with plain values, except
`knobs`, which names a knob track. Everything that is wrong with a table is told at once, line by line.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from profiler.errors import KnobError, ManifestError, SessionError
from profiler.knob import Knob
from profiler.knob_track import KnobTrack
from profiler.manifest import read_manifest
from profiler.table_file import listed, table_lines

__all__ = ["PairRow", "PairsTable", "read_pairs_table"]

_LARGEST_TABLE = 100_000


@dataclass(frozen=True, kw_only=True)
class PairRow:
    """One line: a dry and a wet file, and where the knobs stood or how they moved."""

    line: int
    dry: Path
    wet: Path
    settings: dict[str, float | str] | None = None
    track: KnobTrack | None = None


@dataclass(frozen=True, kw_only=True)
class PairsTable:
    """The knobs that the columns make, the rows, and columns that are no knobs, having one value only."""

    knobs: tuple[Knob, ...]
    rows: tuple[PairRow, ...]
    unturned: tuple[str, ...] = ()


def read_pairs_table(path: Path, stated: Sequence[Knob] = ()) -> PairsTable:
    """Read a table. A column's range is that of its values, unless `stated` has a knob of that name.

    A column of words is a switch. A column with one value only is no knob: nothing can be learnt of it. Raises
    SessionError that lists every wrong line.
    """
    (_, header), *lines = _lines(path)
    if wrong := _wrong_header(header):
        raise _wrong(path, wrong)
    complaints = [f"line {number}: {len(line)} cells" for number, line in lines if len(line) != len(header)]
    entries = {number: dict(zip(header, line, strict=True)) for number, line in lines if len(line) == len(header)}
    for knob in stated:
        if knob.id not in header and "knobs" not in header:
            complaints.append(f"line 1: there is no column {knob.id!r} for this knob")
    columns = [name for name in header if name not in ("dry", "wet", "knobs")]
    tracks = _tracks(path, entries, complaints)
    knobs = _knobs(columns, entries, tracks, stated)
    rows = tuple(
        PairRow(
            line=number,
            dry=_file(path, number, "dry", entry, complaints),
            wet=_file(path, number, "wet", entry, complaints),
            settings=None if tracks.get(number) else _settings(number, knobs, entry, complaints),
            track=tracks.get(number),
        )
        for number, entry in entries.items()
    )
    for row in rows:
        _check_track(row, knobs, complaints)
    complaints += _twice(rows)
    if complaints:
        raise _wrong(path, complaints)
    turned = {knob.id for knob in knobs}
    return PairsTable(knobs=knobs, rows=rows, unturned=tuple(name for name in columns if name not in turned))


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the lines that say something, with their numbers in the file."""
    lines = table_lines(path, SessionError)
    if len(lines) < 2:
        raise SessionError(f"{path} has no takes: expected a header with dry and wet, and a line for each take.")
    if len(lines) > _LARGEST_TABLE:
        raise SessionError(f"{path} has {len(lines)} lines; at most {_LARGEST_TABLE} are taken.")
    return lines


def _wrong_header(header: Sequence[str]) -> list[str]:
    complaints = [f"line 1: there is no column {name!r}" for name in ("dry", "wet") if name not in header]
    if len(set(header)) < len(header):
        complaints.append(f"line 1: a column comes twice in {', '.join(header)}")
    return complaints


def _file(path: Path, line: int, side: str, entry: dict[str, str], complaints: list[str]) -> Path:
    file = path.parent / entry[side]
    if not entry[side] or not os.path.isfile(file):  # Path.is_file raises for a name that is too long
        complaints.append(f"line {line}: the {side} file {entry[side] or '(empty)'!r} is not there")
    return file


def _tracks(path: Path, entries: dict[int, dict[str, str]], complaints: list[str]) -> dict[int, KnobTrack]:
    tracks = {}
    for line, entry in entries.items():
        if entry.get("knobs"):
            try:
                tracks[line] = read_manifest(KnobTrack, path.parent / entry["knobs"])
            except ManifestError as error:
                complaints.append(f"line {line}: {error}")
    return tracks


def _knobs(
    columns: Sequence[str], entries: dict[int, dict[str, str]], tracks: dict[int, KnobTrack], stated: Sequence[Knob]
) -> tuple[Knob, ...]:
    values: dict[str, list[float | str]] = {
        column: [entry[column] for entry in entries.values() if entry[column]] for column in columns
    }
    for track in tracks.values():
        for point in track.breakpoints:
            for knob, value in point.settings.items():
                values.setdefault(knob, []).append(value)
    named = {knob.id: knob for knob in stated}
    found = (named.get(knob) or _knob(knob, each) for knob, each in values.items())
    return tuple(knob for knob in found if knob is not None)


def _knob(id_: str, values: Sequence[float | str]) -> Knob | None:
    plain = {_plain(value) for value in values}
    if len(plain) < 2:
        return None
    numbers = sorted(value for value in plain if isinstance(value, float))
    if len(numbers) < len(plain):
        # As they are spelt: the choices of a switch may be 4, 8 and all.
        choices = tuple(sorted({str(value) for value in values}))
        return Knob(id=id_, name=id_, choices=choices, default=choices[0])
    # The default stands where somebody recorded: the middle one of the values.
    middle = numbers[len(numbers) // 2]
    return Knob(id=id_, name=id_, minimum=min(numbers), maximum=max(numbers), default=middle)


def _settings(line: int, knobs: Sequence[Knob], entry: dict[str, str], complaints: list[str]) -> dict[str, float | str]:
    settings: dict[str, float | str] = {}
    for knob in knobs:
        try:
            if not entry.get(knob.id):
                raise KnobError(f"Knob {knob.id} has no value.")
            settings[knob.id] = knob.checked(entry[knob.id])
        except KnobError as error:
            complaints.append(f"line {line}: {error}")
    return settings


def _check_track(row: PairRow, knobs: Sequence[Knob], complaints: list[str]) -> None:
    if row.track is None:
        return
    try:
        row.track.motion(knobs)
    except KnobError as error:
        complaints.append(f"line {row.line}: {error}")


def _twice(rows: Sequence[PairRow]) -> list[str]:
    first: dict[Path, int] = {}
    complaints = []
    for row in rows:
        wet = row.wet.resolve()
        if not os.path.isfile(wet):
            continue
        if wet in first:
            complaints.append(f"line {row.line}: the wet file {row.wet.name!r} is that of line {first[wet]} again")
        first.setdefault(wet, row.line)
    return complaints


def _plain(text: float | str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _wrong(path: Path, complaints: Sequence[str]) -> SessionError:
    return SessionError(f"{path} is not a usable table. Mend these and run it again:{listed(complaints)}")
