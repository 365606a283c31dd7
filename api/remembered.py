"""What takes long to find out is asked again only when that was long enough ago, and then nobody waits for it."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Remembered"]

_T = TypeVar("_T")
_SHARE = 1 / 500
"""So much of the time at most goes into asking: what takes 10 ms is true for 5 s, what takes none is always new."""

_LONG_SECONDS = 0.01


class Remembered(Generic[_T]):
    """A value that any number of threads want; `ask` finds it out.

    Where that took long, a thread asks anew, and others get the value as it was.
    """

    def __init__(self, ask: Callable[[], _T]) -> None:
        self._ask = ask
        self._asking = threading.Lock()
        self._known: tuple[_T, float, float] | None = None

    def value(self) -> _T:
        """Return the value."""
        known = self._known
        if known is None:
            with self._asking:
                return self._known[0] if self._known is not None else self._asked()
        value, took, until = known
        if time.monotonic() < until or not self._asking.acquire(blocking=False):
            return value
        if took > _LONG_SECONDS:
            threading.Thread(target=self._asked_and_released, name="remembered", daemon=True).start()
            return value
        return self._asked_and_released()

    def _asked_and_released(self) -> _T:
        try:
            return self._asked()
        finally:
            self._asking.release()

    def _asked(self) -> _T:
        begun = time.monotonic()
        value = self._ask()
        now = time.monotonic()
        self._known = (value, now - begun, now + (now - begun) / _SHARE)
        return value
