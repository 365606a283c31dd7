"""How much memory a server and the processes that it starts have, and whether that grows."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["growth", "memory_by_role"]

_ROLES = {
    "tonecast serve": "server",
    "tonecast worker": "worker",
    "api.auditioner": "auditioners",
    "api.jobs.child": "jobs",
    "api.listening.ear": "ears",
    "api.inspector": "inspectors",
}
_STUDENT = (12.7, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1)
"""Student's t for 95 %, two-sided, from 1 degree of freedom on; beyond, 2.0 to 2.1."""


def memory_by_role(server: int) -> dict[str, dict[str, float]]:
    """Return by role how many processes there are and their megabytes: resident, of those `anonymous`."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    family = {server}
    while more := {each for each, parent in parents.items() if parent in family} - family:
        family |= more
    found: dict[str, dict[str, float]] = {}
    for process in sorted(family):
        told = _told(process)
        if told is not None:
            role, resident, anonymous = told
            sums = found.setdefault(role, {"processes": 0, "resident": 0.0, "anonymous": 0.0})
            sums["processes"] += 1
            sums["resident"] = round(sums["resident"] + resident, 1)
            sums["anonymous"] = round(sums["anonymous"] + anonymous, 1)
    return found


def _parent(path: Path) -> int:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended meanwhile
        return 0


def _told(process: int) -> tuple[str, float, float] | None:
    folder = Path(f"/proc/{process}")
    try:
        command = (folder / "cmdline").read_text().replace("\0", " ")
        lines = (folder / "status").read_text().splitlines()
    except OSError:
        return None
    sizes = {
        name: value.split()[0]
        for name, _, value in (line.partition(":") for line in lines)
        if name in ("VmRSS", "RssAnon")
    }
    if len(sizes) < 2:
        return None  # it is ending
    role = next((role for words, role in _ROLES.items() if words in command), "others")
    return role, int(sizes["VmRSS"]) / 1024, int(sizes["RssAnon"]) / 1024


def growth(seconds: Sequence[float], megabytes: Sequence[float]) -> dict[str, Any]:
    """Return how many megabytes an hour a line through minutes' medians rises, and how sure that is (95 %)."""
    minutes: dict[int, list[float]] = {}
    for at, value in zip(seconds, megabytes, strict=True):
        minutes.setdefault(int(at // 60), []).append(value)
    x = [each / 60 for each in sorted(minutes)]
    y = [statistics.median(minutes[each]) for each in sorted(minutes)]
    if len(x) < 4:
        return {"minutes": len(x)}
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    width = sum((each - mean_x) ** 2 for each in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / width
    errors = [b - mean_y - slope * (a - mean_x) for a, b in zip(x, y, strict=True)]
    spread = math.sqrt(sum(each**2 for each in errors) / (len(x) - 2) / width)
    half = spread * _STUDENT[min(len(x) - 3, len(_STUDENT) - 1)]
    return {
        "minutes": len(x),
        "first MB": round(y[0], 1),
        "last MB": round(y[-1], 1),
        "MB an hour": round(slope, 1),
        "from": round(slope - half, 1),
        "to": round(slope + half, 1),
    }
