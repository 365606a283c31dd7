"""A finding: something noticed about a recording, in words and with its figure."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`kind` is a short stable word to filter by; `message` says what was found and what it means."""

    kind: str
    message: str
    severity: Literal["note", "warning"] = "note"
