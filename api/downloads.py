"""Downloads of profiles, counted: in memory first, and some seconds later in the rows.

So nobody who downloads waits for the database, or fails because it is busy. A process that is killed at once, or a
machine without power, loses the counts of the last seconds; one that is told to end writes them.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator

from api.log import LOG
from api.problem import Problem
from api.store import counts
from api.store.database import Database

__all__ = ["Downloads"]

_WRITE_SECONDS = 5.0


class Downloads:
    """What was downloaded from this process, for the rows. Close it at the end: that writes what is left."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._unwritten: Counter[int] = Counter()
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def counted(self, entry_id: int, pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
        """Yield a file's pieces, of so many bytes in all, and count one download as the last piece goes out."""
        sent = 0
        for piece in pieces:
            before, sent = sent, sent + len(piece)
            if before < size <= sent:  # not after it: who has all of a file may go before that is noticed here
                self.add(entry_id)
            yield piece

    def add(self, entry_id: int) -> None:
        """Count one download of an entry."""
        with self._lock:
            self._unwritten[entry_id] += 1
            self._write_soon()

    def write(self) -> None:
        """Write what was counted. Raises Problem where the database is busy; then it is still to be written."""
        with self._writing:
            with self._lock:
                taken, self._unwritten = self._unwritten, Counter()
            if not taken:
                return
            try:
                with self._database.writing() as connection:
                    counts.add_downloads(connection, taken)
            except BaseException:
                with self._lock:
                    self._unwritten.update(taken)
                raise

    def close(self) -> None:
        """Write what is left. Where the database is busy to the very end, the log says what is not counted."""
        with self._lock:
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()
        try:
            self.write()
        except Problem as problem:
            told = {"downloads": self._unwritten.total(), "error": problem.detail}
            LOG.warning("downloads not counted", extra={"fields": told})

    def _write_soon(self) -> None:
        if self._timer is None and not self._is_closed:
            self._timer = threading.Timer(_WRITE_SECONDS, self._write_now)
            self._timer.name, self._timer.daemon = "downloads", True
            self._timer.start()

    def _write_now(self) -> None:
        with self._lock:
            self._timer = None
        with contextlib.suppress(Problem):
            self.write()
        with self._lock:
            if self._unwritten:  # it was busy, or more came
                self._write_soon()
