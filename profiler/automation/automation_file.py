"""Automation files: knob tracks as JSON, tables as CSV, and MIDI files."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from profiler.automation.automation import GLIDE_SECONDS, Automation, Turn
from profiler.automation.midi_controllers import Controller, read_midi
from profiler.errors import AutomationError, KnobError, ManifestError
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.manifest import MAXIMUM_BYTES, read_manifest
from profiler.table_file import entry, listed, table_lines

__all__ = ["read_automation"]

_COLUMNS = ("seconds", "knob", "value")


@dataclass(frozen=True, kw_only=True)
class TrackFile:
    """A knob track as a document. Its frames count at `sample_rate`, or at the rate of what is played."""

    breakpoints: tuple[Breakpoint, ...]
    sample_rate: int | None = None
    version: int = 0

    def __post_init__(self) -> None:
        KnobTrack(breakpoints=self.breakpoints)
        if self.sample_rate is not None and self.sample_rate < 1:
            raise KnobError(f"A knob track's sample rate is 1 Hz or more; found {self.sample_rate}.")


def read_automation(path: Path, *, sample_rate: int, controllers: Sequence[Controller] = ()) -> Automation:
    """Read a knob track (.json), a table (.csv) or the controllers of a MIDI file (.mid, .midi).

    A table has the columns `seconds`, `knob`, `value`, and, if knobs are to travel longer or shorter than 20 ms,
    `glide`, in seconds. A knob track's frames count at `sample_rate` unless it names its own. Of a MIDI file the
    `controllers` are read. Raises AutomationError that lists what is wrong.
    """
    kind = path.suffix.lower()
    if controllers and kind not in (".mid", ".midi"):
        raise AutomationError(f"{path.name} is no MIDI file, so it has no controllers. Leave them away.")
    match kind:
        case ".json":
            return _of_track(path, sample_rate)
        case ".csv":
            return _of_table(path)
        case ".mid" | ".midi":
            return read_midi(path, controllers)
    raise AutomationError(f"{path.name} is no automation that is known. Bring a .json, a .csv or a .mid file.")


def _of_track(path: Path, sample_rate: int) -> Automation:
    try:
        track = read_manifest(TrackFile, path)
    except ManifestError as error:
        raise AutomationError(str(error)) from error
    rate = track.sample_rate or sample_rate
    turns: list[Turn] = []
    stand: dict[str, float | str] = {}
    for point in track.breakpoints:  # every knob travels with each, as it does in a moving take
        stand |= point.settings
        turns += [
            Turn(seconds=point.frame / rate, knob=knob, value=value, glide_seconds=point.ramp_frames / rate)
            for knob, value in stand.items()
        ]
    return Automation(turns=tuple(turns))


def _of_table(path: Path) -> Automation:
    (_, header), *lines = _lines(path)
    if wrong := [name for name in _COLUMNS if name not in header]:
        raise AutomationError(f"{path}, line 1: there is no column {', '.join(wrong)}. Expected {', '.join(_COLUMNS)}.")
    turns: list[Turn] = []
    complaints: list[str] = []
    latest: dict[str, float] = {}
    for number, line in lines:
        try:
            turn = _turn(header, line)
            if turn.seconds <= latest.get(turn.knob, -1.0):
                raise ValueError(f"{turn.knob} is turned at {latest[turn.knob]:g} s before; sort the lines by time")
        except (ValueError, KnobError) as error:
            complaints.append(f"line {number}: {error}")
            continue
        latest[turn.knob] = turn.seconds
        turns.append(turn)
    if complaints:
        raise AutomationError(f"{path} cannot be followed:{listed(complaints)}")
    return Automation(turns=tuple(turns))


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the lines that say something, with their numbers in the file."""
    with contextlib.suppress(OSError):  # what cannot be looked at, reading tells
        if (size := path.stat().st_size) > MAXIMUM_BYTES:
            raise AutomationError(f"{path} is {size} bytes; a table has at most {MAXIMUM_BYTES}.")
    lines = table_lines(path, AutomationError)
    if len(lines) < 2:
        raise AutomationError(f"{path} turns nothing: expected a header with {', '.join(_COLUMNS)}, then lines.")
    return lines


def _turn(header: Sequence[str], line: Sequence[str]) -> Turn:
    if len(line) > len(header):
        raise ValueError(f"{len(line)} cells, where the header has {len(header)}")
    cells = entry(header, line)
    if not (cells["knob"] and cells["value"]):
        raise ValueError("a knob and its value are needed")
    return Turn(
        seconds=_number(cells["seconds"]),
        knob=cells["knob"],
        value=cells["value"],
        glide_seconds=_number(cells.get("glide", "") or str(GLIDE_SECONDS)),
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text or '(empty)'!r} is no number of seconds") from None
