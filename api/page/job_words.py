"""What jobs are called on a page: what was asked for, how far it is, what comes next."""

from collections.abc import Callable, Mapping
from typing import Any

from api.job import Job, JobKind, JobProgress, JobState, TrainOrder

__all__ = ["BUDGETS", "JOB_FILTERS"]

BUDGETS: Mapping[int, str] = {60: "1 minute", 300: "5 minutes", 900: "15 minutes", 3600: "1 hour", 4 * 3600: "4 hours"}
"""How long a training may be told to learn, in seconds, in words."""

_KINDS: Mapping[JobKind, str] = {
    "train": "Training",
    "render": "Render",
    "chain": "Render through a chain",
    "export": "Export",
    "match": "Match",
}
_STATES: Mapping[JobState, str] = {
    "queued": "Waits for a worker",
    "running": "Begins",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
}
_STEPS: Mapping[str, str] = {
    "start": "Begins",
    "files": "Reads the recordings",
    "check": "Checks the recordings",
    "train": "Learns",
    "aliasing": "Listens for aliasing",
    "gate": "Is tried all over its knobs",
    "evaluate": "Is compared with the gear",
    "listen": "Measures loudness",
    "render": "Plays",
    "export": "Writes the file",
    "compare": "Listens to profiles",
    "fit": "Turns their knobs",
}


def _clock(seconds: float) -> str:
    """Return a length of time as `jobs.js` writes it as well."""
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02} s"


def _now(job: Job) -> str:
    """Return what a job does, or what became of it."""
    if job.state == "running" and job.progress is not None:
        return _STEPS.get(job.progress.step, job.progress.step)
    return _STATES[job.state]


def _far(progress: JobProgress) -> str:
    """Return how far the present step is, as `jobs.js` writes it as well."""
    left = None if progress.seconds_left is None else f"{_clock(progress.seconds_left)} left"
    return ", ".join(part for part in (f"{int(100 * progress.done)} %", left, progress.note) if part)


def _asked(job: Job) -> str:
    """Return what was asked for."""
    order = job.order
    if not isinstance(order, TrainOrder):
        return _KINDS[job.kind]
    if order.steps is not None:
        return f"Training, {order.steps:,} steps"
    seconds = round(order.budget_seconds or 0)
    return f"Training, {BUDGETS.get(seconds, _clock(seconds))}"


JOB_FILTERS: Mapping[str, Callable[..., Any]] = {
    "job_kind": _KINDS.__getitem__,
    "job_now": _now,
    "job_asked": _asked,
    "far": _far,
}
"""What templates call them by."""
