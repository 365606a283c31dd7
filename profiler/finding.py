"""A finding: something noticed about a recording, in words and with its figure."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Finding", "Severity"]

Severity: TypeAlias = Literal["note", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`kind` is a short stable word to filter by; `message` says what was found and what it means.

    A note is good to know, a warning makes a profile worse, an error makes it useless.
    """

    kind: str
    message: str
    severity: Severity = "note"
