"""Progress of long work, told through a callback."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Progress", "ProgressCallback", "unheard"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a step of the work has come, from 0 to 1, and how long it still takes if known."""

    step: str
    done: float
    seconds_left: float | None = None
    note: str = ""


ProgressCallback: TypeAlias = Callable[[Progress], None]


def unheard(_: Progress) -> None:
    """Tell nobody."""
