"""The newest checkpoint of a training, kept in the storage, so that a worker on another machine goes on from there.

Where workers share a database over the network they share no folders, whatever the storage is; on SQLite all are in
one folder, which has the checkpoint already. A row names the file, and the one before is removed.
"""

import os
import shutil
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from api.jobs.desk import Desk
from api.jobs.folder import STORED
from api.log import LOG
from api.problem import Problem
from api.store import checkpoints
from profiler.errors import StorageError
from profiler.storage import sha256_of

__all__ = ["Checkpoints"]


class Checkpoints:
    """The checkpoints of one run of a job, which holds a claim. `fields` is what the log says of the job.

    At most a `share` of the time goes into keeping them. The first does not count: it opens the connections, and is one
    of a training that has only begun, of which much is learnt in the seconds that follow.
    """

    def __init__(
        self, desk: Desk, job_id: str, claim: str, folder: Path, fields: dict[str, Any], *, share: float = 0.05
    ) -> None:
        self._share = share
        self._desk, self._job_id, self._claim, self._folder, self._fields = desk, job_id, claim, folder, fields
        self._is_shared = not desk.library.database.is_sqlite
        self._sha256: str | None = None
        self._seen: tuple[int, int] | None = None
        self._not_before = 0.0

    def fetch(self) -> None:
        """Put the checkpoint that the storage has, if it has one, beside what the job works on.

        The process that trains goes on from it where it is further than its own. Where it cannot be had, training
        begins again: that is no reason to fail. Raises Problem where database or storage are away.
        """
        with self._desk.library.database.reading() as connection:
            kept = checkpoints.checkpoint_of(connection, self._job_id)
        if kept is None:
            return
        self._sha256, size = kept
        try:
            self._desk.files.fetch(self._sha256, size, self._folder / STORED)
        except (Problem, StorageError) as error:
            if isinstance(error, Problem) and error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            LOG.warning("checkpoint lost", extra={"fields": {**self._fields, "reason": str(error)}})

    def keep(self, path: Path) -> None:
        """Keep a checkpoint that training writes, if it is another than the last. What fails is tried again."""
        if not self._is_shared or time.monotonic() < self._not_before:
            return
        with suppress(FileNotFoundError):  # there is none yet, or no longer
            found = path.stat()
            if (found.st_ino, found.st_mtime_ns) == self._seen:
                return
            begun, counts = time.monotonic(), self._seen is not None
            try:
                self._keep(path)
                self._seen = (found.st_ino, found.st_mtime_ns)
            except (Problem, StorageError) as error:
                LOG.warning("checkpoint not kept", extra={"fields": {**self._fields, "reason": str(error)}})
                counts = True
            if counts:
                now = time.monotonic()
                self._not_before = now + (now - begun) / self._share

    def forget(self) -> None:
        """Remove the file that the storage has, unless the job still names it: one that failed, or was given back."""
        if self._sha256 is not None:
            with suppress(Problem, StorageError):  # the next start of a server sweeps
                self._desk.remove_unnamed(self._sha256)

    def _keep(self, path: Path) -> None:
        copy = self._folder / f"{STORED}.copy"
        shutil.copyfile(path, copy)  # the next one takes the name of the old one meanwhile
        sha256, size, before = sha256_of(copy), os.path.getsize(copy), self._sha256
        database = self._desk.library.database
        with database.writing() as connection:
            # Whoever wants to remove this very file waits until there is a row that names it.
            database.lock_name(connection, sha256)
            self._desk.files.put(sha256, copy)
            is_kept = checkpoints.keep_checkpoint(connection, self._job_id, self._claim, sha256, size)
        self._sha256 = sha256
        copy.unlink()
        if not is_kept:  # somebody else has the job now
            before = sha256
        if before not in (None, sha256) or not is_kept:
            self._desk.remove_unnamed(str(before))
