"""Progress of long work, told through a callback."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

__all__ = ["Progress", "ProgressCallback", "never_back", "unheard", "within"]


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


def within(on_progress: ProgressCallback, *, start: float, share: float) -> ProgressCallback:
    """Return what tells the progress of a part as that of the whole, of which it is a `share` that begins at `start`.

    The time left is what the whole takes at the pace of the part; at the very end of one that others follow, unknown.
    """

    def tell(told: Progress) -> None:
        done = start + share * told.done
        left = told.seconds_left
        if left is not None and start + share < 1:
            left = left / (1 - told.done) * (1 - done) / share if told.done < 1 else None
        on_progress(replace(told, done=done, seconds_left=left))

    return tell


def never_back(on_progress: ProgressCallback) -> ProgressCallback:
    """Return what tells progress, and stays where it was while work that begins anew makes up for it."""
    furthest = 0.0

    def tell(told: Progress) -> None:
        nonlocal furthest
        furthest = max(furthest, told.done)
        on_progress(replace(told, done=furthest))

    return tell
