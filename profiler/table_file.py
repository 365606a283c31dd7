"""Tables that people write: CSV text, line by line, and lists of what is wrong with it."""

import csv
from collections.abc import Sequence
from pathlib import Path

from profiler.errors import ProfilerError

__all__ = ["entry", "listed", "table_lines"]

_MOST_COMPLAINTS = 20


def table_lines(path: Path, error: type[ProfilerError]) -> list[tuple[int, list[str]]]:
    """Return the lines that say something, with their numbers in the file. Raises an `error` for what is no table."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            return [(reader.line_num, [cell.strip() for cell in line]) for line in reader if any(map(str.strip, line))]
    except OSError as found:
        raise error(f"{path} cannot be read: {found.strerror or found}. Check the name and the permissions.") from found
    except (UnicodeDecodeError, csv.Error) as found:
        raise error(f"{path} cannot be read as a table: {found}. Expected CSV text in UTF-8.") from found


def entry(header: Sequence[str], line: Sequence[str]) -> dict[str, str]:
    """Return a line's cells by their columns; those that it leaves away at its end are empty."""
    return dict.fromkeys(header, "") | dict(zip(header, line, strict=False))


def listed(complaints: Sequence[str]) -> str:
    """Return complaints one to a line, at most twenty of them, and how many more there are."""
    more = len(complaints) - _MOST_COMPLAINTS
    told = [*complaints[:_MOST_COMPLAINTS], *([f"and {more} more"] if more > 0 else [])]
    return "".join(f"\n  {each}" for each in told)
