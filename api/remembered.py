"""What takes long to find out is asked again only when that was long enough ago."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Remembered"]

_T = TypeVar("_T")
_SHARE = 1 / 200
"""So much of the time at most goes into asking: what takes 10 ms is true for 2 s, what takes none is always new."""


class Remembered(Generic[_T]):
    """A value that any number of threads want. While one asks for it anew, others get it as it was."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._known: tuple[_T, float] | None = None

    def value(self, ask: Callable[[], _T]) -> _T:
        """Return the value, asked for now where it is older than it should be."""
        known = self._known
        if known is not None and (time.monotonic() < known[1] or not self._asking.acquire(blocking=False)):
            return known[0]
        if known is None:
            self._asking.acquire()
        try:
            begun = time.monotonic()
            found = ask()
            now = time.monotonic()
            self._known = (found, now + (now - begun) / _SHARE)
            return found
        finally:
            self._asking.release()
