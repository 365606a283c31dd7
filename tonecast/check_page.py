"""The page that `tonecast check` shows: the verdict, then what was found, worst first, then what to do next."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from profiler.checks import Grade, SessionCheck, TakeCheck
from profiler.finding import Finding, Severity
from profiler.session import CaptureSession, described
from tonecast.console import Screen, clock

__all__ = ["show_check"]

_ROWS = 8
_NEGLIGIBLE = 1e-6
_MARKS = {"error": "✗", "warning": "!", "note": "·"}
_ORDER = ("error", "warning", "note")
_GRADES: dict[Grade, str] = {
    "transparent": "the gear itself, to the ear",
    "good": "hard to tell from the gear",
    "usable": "close to the gear",
    "does not match": "not the gear",
    "unknown": "unknown",
}


def show_check(screen: Screen, found: SessionCheck, session: CaptureSession, path: Path) -> None:
    """Print the check of a session on one page."""
    takes = f"{len(found.takes)} take{'s' * (len(found.takes) != 1)}"
    knobs = f"{len(session.knobs)} knob{'s' * (len(session.knobs) != 1)}"
    screen.say(f"{found.gear}: {takes}, {clock(found.seconds)}, {knobs}")
    screen.say()
    for line in _verdict(found):
        screen.say(Text(line))
    rows = _grouped(found)
    if rows:
        screen.say()
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column()
        table.add_column(min_width=5)
        table.add_column(overflow="fold")
        for severity, where, message in rows:
            table.add_row(_MARKS[severity], Text(where), Text(message))
        screen.show(table)
    if rows or (found.best_esr or 0.0) > _NEGLIGIBLE:
        screen.say()
        screen.show(_takes(found.takes, session))
    screen.say()
    if found.advice:
        screen.say(Text(f"To do better: {found.advice}"))
    if found.makes_sense:
        command = ["tonecast", "train", str(path), "--out", f"{found.gear}.tonecast"]
        screen.say("Next: " + shlex.join(command))


def _verdict(found: SessionCheck) -> list[str]:
    if not found.makes_sense:
        return [f"Training makes no sense yet: {found.limited_by}."]
    if found.best_esr is None:
        return ["Training makes sense. How good a profile could get is unknown.", f"Why: {found.limited_by}."]
    best = f"{found.best_esr:.2g}" if found.best_esr >= _NEGLIGIBLE else "below 0.000001"
    return [
        f"Training makes sense. Best possible ESR: {best} ({_GRADES[found.grade]}).",
        f"What sets it: {found.limited_by}. Training may stay above it, but never comes below.",
    ]


def _grouped(found: SessionCheck) -> list[tuple[Severity, str, str]]:
    """Return findings worst first, one kind in several takes as one row."""
    groups: dict[tuple[Severity, str], list[tuple[int, Finding]]] = {}
    for take in found.takes:
        for finding in take.findings:
            groups.setdefault((finding.severity, finding.kind), []).append((take.take, finding))
    rows: list[tuple[Severity, str, str]] = [(finding.severity, "", finding.message) for finding in found.findings]
    for (severity, _), each in groups.items():
        rows.append((severity, _numbers(sorted(number for number, _ in each)), each[0][1].message))
    return sorted(rows, key=lambda row: _ORDER.index(row[0]))


def _numbers(numbers: Sequence[int]) -> str:
    """Return take numbers as people write them: 1-4, 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return "take " * (len(numbers) == 1) + ", ".join(
        str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs
    )


def _takes(takes: Sequence[TakeCheck], session: CaptureSession) -> Table:
    title = "Takes, worst first" if len(takes) <= _ROWS else f"The {_ROWS} worst of {len(takes)} takes"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("take", justify="right")
    table.add_column("settings", overflow="fold")
    for name in ("peak", "noise", "best ESR"):
        table.add_column(name, justify="right")
    for take in takes[:_ROWS]:
        noise = "?" if take.noise_db is None else f"{take.noise_db:.0f} dB" if take.noise_db > -150 else "none"
        best = "?" if take.best_esr is None else f"{take.best_esr if take.best_esr >= _NEGLIGIBLE else 0:.2g}"
        settings = Text(described(session.knobs, take.settings))
        table.add_row(str(take.take), settings, f"{take.peak_db + 0.0:.1f} dB", noise, best)
    return table
