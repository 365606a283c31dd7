"""The durable queue, DBOS Transact's: it hands every run of a job to one worker, and again when that worker is gone.

The rows of `api.store.jobs` say what a job is and how it ended; here is only whose turn it is. The one argument of a
run is its id, as JSON: nothing that is pickled goes in or comes out. The only door to dbos.
"""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal, TypeAlias

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions

from api.job import Priority

__all__ = ["QUEUES", "Engine", "Executor", "GivenBack", "Queue", "executing", "queue_of"]

Queue: TypeAlias = Literal["cpu", "gpu", "quick"]

QUEUES: tuple[Queue, ...] = ("cpu", "gpu", "quick")
"""Trainings on the processor, trainings on a GPU, and what takes seconds. A worker does one at a time of each."""

_NAME = "tonecast-jobs"
_VERSION = "1"  # ours, not that of the code: a newer Tonecast goes on with what an older one began
_WORKFLOW = "tonecast.job"
_PRIORITIES: Mapping[Priority, int] = {"high": 10, "normal": 20, "low": 30}
_POLL_SECONDS = 0.5
_MOST_DISPATCHES = 1000  # a backstop: crashes are counted by the worker, and power cuts are no fault of a job
_LOST = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "CANCELLED", "SUCCESS")


class GivenBack(BaseException):
    """Raised by work that was not brought to its end: the run stays with its worker, for the next start or another.

    No Exception, which DBOS would note as the end of the run.
    """


def queue_of(kind: str, resource: str) -> Queue:
    """Return the queue of a job."""
    if kind != "train":
        return "quick"
    return "gpu" if resource == "gpu" else "cpu"


class Engine:
    """The queue as those see it who put jobs into it. `url` is that of its database, which is made if need be."""

    def __init__(self, url: str) -> None:
        _quiet()
        DBOS.migrate(url)
        serializer = DBOSPortableJSONSerializer()
        self._client = DBOSClient(system_database_url=url, serializer=serializer, application_name=_NAME)

    def enqueue(self, run_id: str, queue: Queue, priority: Priority) -> None:
        """Put a run into its queue. One that was put there before stays as it is."""
        options: EnqueueOptions = {
            "workflow_name": _WORKFLOW,
            "queue_name": queue,
            "workflow_id": run_id,
            "app_version": _VERSION,
            "priority": _PRIORITIES[priority],
        }
        self._client.enqueue(options, run_id)

    def cancel(self, run_id: str) -> None:
        """Take a run out of its queue, or have what comes of it not be noted."""
        self._client.cancel_workflow(run_id)

    def ended(self, run_ids: Collection[str]) -> frozenset[str]:
        """Return those of some runs that the queue will not hand out any more."""
        return frozenset(run_id for run_id, status in self._statuses(run_ids).items() if status in _LOST)

    def unknown(self, run_ids: Collection[str]) -> frozenset[str]:
        """Return those of some runs that the queue knows nothing of."""
        return frozenset(run_ids) - self._statuses(run_ids).keys()

    def _statuses(self, run_ids: Collection[str]) -> Mapping[str, str]:
        if not run_ids:
            return {}
        found = self._client.list_workflows(workflow_ids=list(run_ids), load_input=False, load_output=False)
        return {each.workflow_id: each.status for each in found}

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()


class Executor:
    """The queue as a worker sees it."""

    def take_over(self, alive: Collection[str]) -> tuple[str, ...]:
        """Put the runs of workers that are not alive back into their queues, and return their ids.

        Of itself DBOS starts what a worker had only when that very worker starts again. Where two take over at once, a
        run may be handed out twice: the job's claim tells which counts.
        """
        running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        orphans = [each for each in running if each.executor_id not in alive]
        for each in orphans:
            DBOS.resume_workflow(each.workflow_id, queue_name=each.queue_name)
        return tuple(each.workflow_id for each in orphans)


@contextlib.contextmanager
def executing(url: str, worker_id: str, queues: Collection[Queue], work: Callable[[str], None]) -> Iterator[Executor]:
    """Carry out runs by `work`, which is given their ids, in threads, one of each queue at a time.

    Runs that this worker had when it was killed come first. Work that is at it at the end must have ended, or raise
    GivenBack.
    """
    _quiet()
    config: DBOSConfig = {
        "name": _NAME,
        "system_database_url": url,
        "executor_id": worker_id,
        "application_version": _VERSION,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
    }
    DBOS(config=config)
    try:

        @DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=_MOST_DISPATCHES)
        def carry_out(run_id: str) -> None:  # DBOS takes functions only
            work(run_id)

        DBOS.listen_queues(list(queues))
        DBOS.launch()
        for queue in queues:
            DBOS.register_queue(queue, worker_concurrency=1, polling_interval_sec=_POLL_SECONDS)
        yield Executor()
    finally:
        DBOS.destroy(destroy_registry=True)


def _quiet() -> None:
    """Keep DBOS from writing lines of its own: what it has to say goes where the program's log goes.

    It writes to what was standard error when it was imported, which may have been closed since.
    """
    log = logging.getLogger("dbos")
    log.setLevel(logging.WARNING)
    log.handlers[:] = [each for each in log.handlers if type(each) is not logging.StreamHandler]
    if not log.handlers:
        log.addHandler(logging.NullHandler())
