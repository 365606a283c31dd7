"""Where jobs are asked for, cancelled, asked for again and removed: rows, files and queue kept in step.

The row comes first and says what is wanted; the queue follows. Whatever is killed in between, workers see rows that the
queue does not know and put them there.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress

from api.job import Job, Order, Priority
from api.jobs.engine import Engine, queue_of
from api.library import Library, Received, account_of, remove_unnamed
from api.people import Caller
from api.problem import Problem
from api.storage import JOB_FILES, Storage
from api.store import audit, checkpoints, jobs, people, workers
from api.store.database import Connection
from api.store.jobs import NewJob, Unfinished
from profiler.errors import LibraryError

__all__ = ["Desk", "run_id"]


def run_id(job_id: str, run: int) -> str:
    """Return the id that the queue knows a run of a job by."""
    return f"{job_id}-{run}"


class Desk:
    """The jobs of one library, in one process. The queue is opened when it is needed first."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.files = Storage(library.settings.storage_url, suffix=JOB_FILES)
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The queue. Raises LibraryError where its database cannot be reached."""
        with self._lock:
            if self._engine is None:
                settings = self.library.settings
                settings.jobs_folder.mkdir(parents=True, exist_ok=True)
                try:
                    self._engine = Engine(settings.jobs_url)
                except Exception as error:
                    raise LibraryError(f"The queue of jobs cannot be opened: {error}") from error
            return self._engine

    def close(self) -> None:
        """Close the queue."""
        if self._engine is not None:
            self._engine.close()

    def check_room(self, caller: Caller, resource: str, more_bytes: int) -> None:
        """Raise Problem where somebody may ask for no more, has no room for it, or nobody would work on it."""
        with self.library.database.reading() as connection:
            self._check(connection, caller, resource)
        self.library.check_room(caller, more_bytes)

    def submit(
        self,
        order: Order,
        title: str,
        caller: Caller,
        *,
        material: Received | None = None,
        priority: Priority = "normal",
    ) -> Job:
        """Add a job with what it is to work on, and queue it. Raises Problem where it may not be asked for."""
        if priority == "high" and not caller.is_admin:
            raise Problem(403, "Not allowed", "Only admins let jobs go first. Ask for the priority 'normal'.")
        account_id = account_of(caller)
        self.check_room(caller, getattr(order, "resource", "cpu"), material.bytes if material else 0)
        new = NewJob(
            id=secrets.token_hex(8),
            owner_id=account_id,
            title=title,
            order=order,
            priority=priority,
            material_sha256=None if material is None else material.sha256,
            material_bytes=material.bytes if material else 0,
            request_id=caller.request_id,
        )
        with self.library.database.writing() as connection:
            if material is not None:
                # Whoever wants to remove this very file waits until there is a row that names it.
                self.library.database.lock_name(connection, material.sha256)
            people.lock_account(connection, account_id)
            self._check(connection, caller, getattr(order, "resource", "cpu"))
            if material is not None:
                self.files.put(material.sha256, material.path)
            jobs.add_job(connection, new)
            audit.note(connection, caller, "job.add", f"job {new.id}", kind=order.kind)
            job = jobs.one_job(connection, new.id)
        self._enqueue(Unfinished(id=job.id, run=1, kind=job.kind, resource=job.resource, priority=job.priority))
        return job

    def job(self, job_id: str, caller: Caller) -> Job:
        """Return a job of the caller's. Raises Problem where it is not there, or another's."""
        with self.library.database.reading() as connection:
            self._check_whose(connection, job_id, caller)
            return jobs.one_job(connection, job_id)

    def cancel(self, job_id: str, caller: Caller) -> Job:
        """Cancel a job that has not ended; one that was cancelled before stays so."""
        with self.library.database.writing() as connection:
            self._check_whose(connection, job_id, caller)
            run, kept = self._run_of(connection, job_id), checkpoints.checkpoint_of(connection, job_id)
            if jobs.cancel_job(connection, job_id):
                audit.note(connection, caller, "job.cancel", f"job {job_id}")
            elif (found := jobs.one_job(connection, job_id)).state != "cancelled":
                raise Problem(409, "Ended", f"Job {job_id} has {found.state}. There is nothing to cancel.")
            job = jobs.one_job(connection, job_id)
        if run is not None:
            with suppress(Exception):  # the row is what counts: a worker that gets the run lets it go
                self.engine.cancel(run_id(job_id, run))
        if kept is not None:
            self.remove_unnamed(kept[0])
        return job

    def retry(self, job_id: str, caller: Caller) -> Job:
        """Have a job that failed or was cancelled tried again. Raises Problem for any other."""
        with self.library.database.writing() as connection:
            self._check_whose(connection, job_id, caller)
            self._check(connection, caller, jobs.one_job(connection, job_id).resource)
            if not jobs.queue_again(connection, job_id):
                state = jobs.one_job(connection, job_id).state
                detail = f"Job {job_id} is {state}. Only jobs that failed or were cancelled can be tried again."
                raise Problem(409, "Not failed", detail)
            audit.note(connection, caller, "job.retry", f"job {job_id}")
            job = jobs.one_job(connection, job_id)
            run = self._run_of(connection, job_id)
        if run is not None:
            self._enqueue(Unfinished(id=job.id, run=run, kind=job.kind, resource=job.resource, priority=job.priority))
        return job

    def remove(self, job_id: str, caller: Caller) -> None:
        """Remove a job that has ended, then its files. Profiles that it became stay."""
        with self.library.database.writing() as connection:
            self._check_whose(connection, job_id, caller)
            files = jobs.remove_job(connection, job_id)
            audit.note(connection, caller, "job.remove", f"job {job_id}")
        for sha256 in files:
            self.remove_unnamed(sha256)

    def result(self, job: Job) -> Iterator[bytes]:
        """Open the file that came of a job. Raises Problem where there is none."""
        if job.result is None:
            detail = f"Job {job.id} is {job.state}; it has no file to download."
            raise Problem(409 if job.state in ("queued", "running") else 404, "No result", detail)
        files = self.library.storage if job.kind == "train" else self.files
        if job.kind == "train" and files.size(job.result.sha256) is None:
            raise Problem(404, "No result", f"The profile that job {job.id} became was removed from the library.")
        return files.pieces(job.result.sha256, job.result.bytes)

    def sweep(self) -> None:
        """Remove files that no job names, which killed servers left."""
        with self.library.database.reading() as connection:
            named = jobs.all_files(connection)
        for sha256 in [each for each in self.files.hashes() if each not in named]:
            self.remove_unnamed(sha256)

    def remove_unnamed(self, sha256: str) -> None:
        """Remove a file unless a job names it."""
        with suppress(FileNotFoundError):
            remove_unnamed(self.library.database, self.files, sha256, lambda held: jobs.is_file_named(held, sha256))

    def reconcile(self) -> None:
        """Put jobs into the queue that it does not know, and end those that it has given up."""
        with self.library.database.reading() as connection:
            wanted = {run_id(each.id, each.run): each for each in jobs.unfinished_jobs(connection)}
        for unknown in self.engine.unknown(wanted.keys()):
            self._enqueue(wanted[unknown])
        for lost in self.engine.ended(wanted.keys()):
            outcome = jobs.Outcome(state="failed", error="The queue gave this job up. The worker's log says why.")
            with self.library.database.writing() as connection:
                jobs.end_run(connection, wanted[lost].id, wanted[lost].run, outcome)

    def _enqueue(self, job: Unfinished) -> None:
        try:
            self.engine.enqueue(run_id(job.id, job.run), queue_of(job.kind, job.resource), job.priority)
        except LibraryError as error:  # the row is there, and workers see it when the queue is back
            raise Problem(503, "Queue away", f"{error} The job is kept, and queued when it is back.") from error

    def _check(self, connection: Connection, caller: Caller, resource: str) -> None:
        most = self.library.settings.unfinished_jobs
        if caller.account_id is not None and jobs.count_unfinished(connection, caller.account_id) >= most:
            detail = f"You have {most} jobs that have not ended, which is as many as you may. Wait, or cancel some."
            raise Problem(429, "Too many jobs", detail, retry_after_seconds=30)
        if resource == "gpu" and "gpu" not in workers.queues_served(connection):
            detail = "No worker of this library has a GPU. Ask for the resource 'cpu', or start: tonecast worker --gpu"
            raise Problem(409, "No GPU", detail)

    def _check_whose(self, connection: Connection, job_id: str, caller: Caller) -> None:
        if jobs.job_owner(connection, job_id) != caller.account_id and not caller.is_admin:
            raise jobs.nothing(job_id)

    def _run_of(self, connection: Connection, job_id: str) -> int | None:
        return next((each.run for each in jobs.unfinished_jobs(connection) if each.id == job_id), None)
