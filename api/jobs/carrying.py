"""One run of a job from its claim to its end: the folder is furnished, a process works in it, what comes of it is kept.

Whatever happens, the row says so once: the claim that this run holds is asked for with every change.
"""

import json
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from api.file_names import file_name
from api.job import FINDINGS, ORDER, PROGRESS, ChainOrder, Job, JobResult, MatchOrder, TrainOrder
from api.jobs.checkpoints import Checkpoints
from api.jobs.desk import Desk
from api.jobs.engine import GivenBack
from api.jobs.folder import CHAIN, PROFILE, candidate_name
from api.jobs.process import WorkProcess
from api.library import Added, Received
from api.log import LOG
from api.people import SCOPES_OF, Caller
from api.problem import Problem
from api.store import audit, jobs, people
from api.store.database import Connection
from api.store.jobs import Outcome
from profiler.errors import ProfilerError
from profiler.profile_file import SUFFIX
from profiler.storage import sha256_of, write_bytes

__all__ = ["Run", "folder_of"]

_T = TypeVar("_T")

_LOOK_SECONDS = 0.5
_SILENT_SECONDS = 1800
_STOP_SECONDS = 25
_END_SECONDS = 10
_MOST_CRASHES = 3
_ERROR_LETTERS = 2000
_AWAY_SECONDS = 2.0


class _Lost(Exception):  # noqa: N818 - no error
    """The job was cancelled, or another worker has it."""


class _Failed(Exception):  # noqa: N818 - the word of the state
    """The job has failed, for the reason in words."""


def folder_of(desk: Desk, job_id: str) -> Path:
    """Return the folder that a job is worked on in, on this machine."""
    return desk.library.settings.jobs_folder / job_id


class Run:
    """One run of a job by this worker. `ending` is set when the worker is to end."""

    def __init__(self, desk: Desk, job_id: str, run: int, ending: threading.Event) -> None:
        self._desk, self._ending = desk, ending
        self._job_id, self._run = job_id, run
        self._claim = secrets.token_hex(8)
        self._folder = folder_of(desk, job_id)
        self._fields: dict[str, Any] = {"job_id": job_id}
        self._checkpoints = Checkpoints(desk, job_id, self._claim, self._folder, self._fields)
        self._checkpoint: Path | None = None

    def carry_out(self) -> None:
        """Do it all. Raises GivenBack where the worker ends before the job does."""
        if not self._write(lambda connection: jobs.claim_job(connection, self._job_id, self._run, self._claim)):
            LOG.info("job not wanted", extra={"fields": self._fields})
            return
        with self._desk.library.database.reading() as connection:
            job = jobs.one_job(connection, self._job_id)
            sha256, size, self._fields["request_id"] = jobs.material_of(connection, self._job_id)
        self._fields |= {"kind": job.kind, "account": job.owner}
        LOG.info("job begins", extra={"fields": self._fields})
        begun = time.monotonic()
        try:
            outcome = self._ended(job, (sha256, size))
        except _Lost:
            outcome = "cancelled or taken over"
        self._fields["seconds"] = round(time.monotonic() - begun, 1)
        LOG.info("job ends", extra={"fields": {**self._fields, "outcome": outcome}})
        self._checkpoints.forget()
        self._tidy()

    def _ended(self, job: Job, material: tuple[str | None, int]) -> str:
        """Work until the job's row says that it has ended, and return its state. Raises _Lost or GivenBack."""
        try:
            self._furnish(job, *material)
            self._keep(job, self._worked())
        except (_Failed, ProfilerError) as error:
            return self._fail(str(error))
        except Problem as problem:
            return self._fail(problem.detail)
        except _Lost:
            raise
        except Exception:  # noqa: BLE001 - one job that fails like no other shall not hold up the next
            LOG.exception("job failed", extra={"fields": self._fields})
            return self._fail("The worker failed at it. Its log says why, at this job.")
        return "succeeded"

    def _furnish(self, job: Job, sha256: str | None, size: int) -> None:
        """Put into the folder what the work takes and is not there yet."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if sha256 is not None and not (self._folder / "material").is_file():
            self._patiently(lambda: self._desk.files.fetch(sha256, size, self._folder / "material"))
        if isinstance(job.order, MatchOrder):
            self._fetch_candidates(job.order)
        elif isinstance(job.order, ChainOrder):
            self._furnish_chain(job.order)
        elif isinstance(job.order, TrainOrder):
            self._patiently(self._checkpoints.fetch)
        elif not self._fetch_profile(job.order.sha256, PROFILE):
            raise _Failed("The profile was removed from the library before its turn came.")
        order = {"order": ORDER.dump_python(job.order, mode="json"), "title": job.title}
        write_bytes(self._folder / "order.json", json.dumps(order).encode())

    def _fetch_profile(self, sha256: str, name: str) -> bool:
        """Put a profile into the folder; false where the library has it no more."""
        storage = self._desk.library.storage
        found = self._patiently(lambda: storage.size(sha256))
        if found is None:
            return False
        self._patiently(lambda: storage.fetch(sha256, found, self._folder / name))
        return True

    def _furnish_chain(self, order: ChainOrder) -> None:
        for each in order.profiles:
            if not self._fetch_profile(each.sha256, f"{each.sha256}{SUFFIX}"):
                raise _Failed(f"The profile of slot {each.slot} was removed from the library before its turn came.")
        write_bytes(self._folder / CHAIN, order.chain.encode())

    def _fetch_candidates(self, order: MatchOrder) -> None:
        named = [(each.sha256, candidate_name(number)) for number, each in enumerate(order.candidates)]
        if not [name for sha256, name in named if self._fetch_profile(sha256, name)]:
            raise _Failed("The profiles that sound like the wet were removed from the library before its turn came.")

    def _worked(self) -> Path:
        """Have processes work until one says what came of it, and return the file. Raises _Failed, _Lost, GivenBack."""
        while True:
            process, patience_seconds, code = WorkProcess(self._folder), 0.0, 0
            try:
                told = self._listened(process)
                patience_seconds = _END_SECONDS
            finally:
                code = process.end(patience_seconds)
            if told and "error" in told:
                raise _Failed(str(told["error"]))
            if told and "result" in told:
                return self._folder / Path(str(told["result"]["file"])).name
            if self._ending.is_set():
                self._write(lambda connection: jobs.give_back(connection, self._job_id, self._claim))
                LOG.info("job given back", extra={"fields": self._fields})
                raise GivenBack
            self._count_crash(code, process.last_words())

    def _count_crash(self, code: int, last_words: str) -> None:
        """Have a job that brings its process down be tried again, but not for ever."""
        crashes = self._write(lambda connection: jobs.count_crash(connection, self._job_id, self._claim))
        told = {**self._fields, "code": code, "crashes": crashes, "last_words": last_words}
        LOG.warning("job's process died", extra={"fields": told})
        if crashes >= _MOST_CRASHES:
            reason = f"ended {crashes} times before it was done, the last time with code {code}"
            raise _Failed(f"The process that worked on it {reason}. Its last words: {last_words or 'none'}")

    def _listened(self, process: WorkProcess) -> Mapping[str, Any] | None:
        """Note what a process says until it says its last; None where it died. Raises _Lost."""
        heard, looked, asked = time.monotonic(), 0.0, 0.0
        news: dict[str, Any] = {}
        while True:
            with suppress(TimeoutError):
                told = process.told(_LOOK_SECONDS)
                heard = time.monotonic()
                if told is None or not told.keys().isdisjoint(("result", "error", "stopped")):
                    self._note(news)
                    return told
                news |= told
                self._hear_of_checkpoint(told)
            now = time.monotonic()
            if now - looked >= _LOOK_SECONDS:
                self._note(news)
                looked, news = now, {}
                if self._checkpoint is not None:
                    self._checkpoints.keep(self._checkpoint)
            if self._ending.is_set() and not asked:
                asked = now
                process.ask_to_stop()
            if (asked and now - asked > _STOP_SECONDS) or now - heard > _SILENT_SECONDS:
                return None

    def _hear_of_checkpoint(self, told: Mapping[str, Any]) -> None:
        if "checkpoint" in told:
            self._checkpoint = self._folder / Path(str(told["checkpoint"])).name
        if told.get("steps"):
            LOG.info("job goes on from its checkpoint", extra={"fields": {**self._fields, "steps": told["steps"]}})

    def _note(self, news: Mapping[str, Any]) -> None:
        """Write what was told into the row. Raises _Lost where the job is not this run's any more."""
        told: dict[str, Any] = {}
        try:
            if "progress" in news:
                told["progress"] = PROGRESS.validate_python(news["progress"])
            if "findings" in news:
                told["findings"] = FINDINGS.validate_python(news["findings"])
        except ValidationError:
            LOG.warning("job tells nonsense", extra={"fields": self._fields})
        try:
            if told:
                with self._desk.library.database.writing() as connection:
                    still = jobs.tell_job(connection, self._job_id, self._claim, **told)
            else:
                with self._desk.library.database.reading() as connection:
                    still = jobs.is_claimed(connection, self._job_id, self._claim)
        except Problem:  # the database is away for a moment: the next look tells
            return
        if not still:
            raise _Lost

    def _keep(self, job: Job, path: Path) -> None:
        """Put what came of it where it belongs and end the job, both or neither."""
        received = Received(path=path, sha256=sha256_of(path), bytes=path.stat().st_size)
        name = file_name(job.title, otherwise="result", ascii_only=True)
        result = JobResult(name=f"{name}{path.suffix}", bytes=received.bytes, sha256=received.sha256)
        with self._desk.library.database.reading() as connection:
            caller = _acting(connection, jobs.job_owner(connection, job.id), self._fields)
        if isinstance(job.order, TrainOrder):
            self._keep_profile(received, caller, job.order, result)
            return
        self._desk.library.check_room(caller, received.bytes)

        def kept(connection: Connection) -> None:
            self._desk.library.database.lock_name(connection, received.sha256)
            self._desk.files.put(received.sha256, path)
            self._end(connection, Outcome(state="succeeded", result=result))

        self._write(kept)

    def _keep_profile(self, received: Received, caller: Caller, order: TrainOrder, result: JobResult) -> None:
        def also(connection: Connection, added: Added) -> None:
            self._end(connection, Outcome(state="succeeded", entry_id=added.entry_id, result=result))
            audit.note(connection, caller, "job.profile", f"profile {added.entry_id}", job=self._job_id)

        library, version_of = self._desk.library, order.version_of
        self._patiently(lambda: library.take_in(received, caller, order.about, version_of=version_of, also=also))

    def _end(self, connection: Connection, outcome: Outcome) -> None:
        if not jobs.end_job(connection, self._job_id, self._claim, outcome):
            raise _Lost

    def _fail(self, reason: str) -> str:
        shown = "".join(each for each in reason[:_ERROR_LETTERS] if each.isprintable() or each == "\n")
        outcome = Outcome(state="failed", error=shown)
        self._write(lambda connection: self._end(connection, outcome))
        return f"failed: {reason[:200]}"

    def _write(self, change: Callable[[Connection], _T]) -> _T:
        def changed() -> _T:
            with self._desk.library.database.writing() as connection:
                return change(connection)

        return self._patiently(changed)

    def _patiently(self, work: Callable[[], _T]) -> _T:
        """Do something again for as long as the database is away. Raises GivenBack where the worker ends meanwhile."""
        while True:
            try:
                return work()
            except Problem as problem:
                if problem.status != 503:
                    raise
                LOG.warning("database away", extra={"fields": {**self._fields, "detail": problem.detail}})
            if self._ending.wait(_AWAY_SECONDS):
                raise GivenBack

    def _tidy(self) -> None:
        """Remove the folder, unless the job failed: tried again, it goes on from its checkpoint."""
        with suppress(Problem), self._desk.library.database.reading() as connection:
            if jobs.one_job(connection, self._job_id).state in ("succeeded", "cancelled"):
                shutil.rmtree(self._folder, ignore_errors=True)


def _acting(connection: Connection, account_id: int, fields: Mapping[str, Any]) -> Caller:
    """Return the owner of a job as who acts. Raises _Failed for one who may not upload any more."""
    account = people.one_account(connection, account_id)
    if account.is_disabled or "write" not in SCOPES_OF[account.role]:
        raise _Failed(f"{account.name} may not add to the library any more.")
    scopes = SCOPES_OF[account.role]
    request_id = str(fields.get("request_id", ""))
    return Caller(account_id=account_id, name=account.name, role=account.role, scopes=scopes, request_id=request_id)
