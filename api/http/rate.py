"""How often somebody may ask: a bucket of requests for each account or address, that fills steadily."""

import threading
import time
from collections import OrderedDict

__all__ = ["Rate"]

_MOST_KEYS = 10_000


class Rate:
    """Buckets that hold a minute's worth of requests. Of very many keys, those not seen longest are forgotten."""

    def __init__(self, requests_a_minute: int) -> None:
        self._size = float(requests_a_minute)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_seconds(self, key: str) -> float:
        """Take one request out of a bucket and return 0, or return how long to wait until there is one."""
        now = time.monotonic()
        with self._lock:
            left, then = self._buckets.pop(key, (self._size, now))
            left = min(left + (now - then) * self._size / 60, self._size)
            self._buckets[key] = (left - 1 if left >= 1 else left, now)
            if len(self._buckets) > _MOST_KEYS:
                self._buckets.popitem(last=False)
        return 0.0 if left >= 1 else (1 - left) * 60 / self._size
