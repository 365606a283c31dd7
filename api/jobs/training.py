"""A training job: what was sent becomes a session, the session a profile."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from api.file_names import file_name
from api.job import TrainOrder
from api.jobs.folder import STORED
from api.jobs.material import MOST_BYTES, as_session, unpacked
from api.jobs.teller import Teller
from api.limits import limited
from profiler.checks import SessionCheck
from profiler.errors import TrainingError
from profiler.finding import Finding
from profiler.making import Made, make_profile
from profiler.profile_file import SUFFIX
from profiler.progress import Progress, ProgressCallback
from profiler.session_folder import SessionFolder
from profiler.split import Split, parse_hold_out
from profiler.training import Schedule, TrainingPlan, forget_checkpoint, steps_kept, training_device
from profiler.training.checkpoint import checkpoint_path

__all__ = ["trained"]

_INTAKE_BYTES = 6 << 30


def trained(folder: Path, order: TrainOrder, title: str, teller: Teller) -> dict[str, Any]:
    """Train what `material` in the folder holds, and return the name of the profile's file.

    A training that was stopped or killed goes on from its checkpoint. Raises ProfilerError, or Stopped.
    """
    out = folder / f"{file_name(order.about.name or title, otherwise='profile', longest=60)}{SUFFIX}"
    if out.is_file() and not checkpoint_path(out).exists():  # killed after the end, before anybody heard of it
        return {"file": out.name}
    _go_on_from_the_further(folder / STORED, checkpoint_path(out), teller)
    with limited(memory_bytes=_INTAKE_BYTES, file_bytes=MOST_BYTES):
        teller.progress(Progress(step="files", done=0.0))
        root = unpacked(folder / "material", folder / "unpacked")
        session, found = as_session(root, folder / "session", name=title, tell=teller.progress)
    teller.findings(found)
    made = _made(session, order, out, found, teller)
    found += [each for each in made.verdict.findings if each not in found]
    teller.findings([*found, Finding(kind="verdict", message=made.verdict.reason)])
    return {"file": out.name}


def _go_on_from_the_further(stored: Path, own: Path, teller: Teller) -> None:
    """Take the checkpoint that the storage had, unless the one that was written here is as far; say which it is."""
    if steps_kept(stored) > steps_kept(own):
        stored.replace(own)
    stored.unlink(missing_ok=True)
    teller.say(checkpoint=own.name, steps=steps_kept(own))


def _made(session: SessionFolder, order: TrainOrder, out: Path, found: list[Finding], teller: Teller) -> Made:
    plan = TrainingPlan(
        schedule=Schedule(steps=order.steps) if order.steps else Schedule(budget_seconds=order.budget_seconds),
        split=Split(hold_outs=tuple(parse_hold_out(text) for text in order.hold_out)),
        seed=order.seed,
        light=order.light,
        device=training_device("cuda" if order.resource == "gpu" else "cpu"),
    )

    def tell_check(check: SessionCheck) -> None:
        found.extend(check.findings)
        for take in check.takes:
            found.extend(
                Finding(kind=each.kind, message=f"Take {take.take}: {each.message}", severity=each.severity)
                for each in take.findings
            )
        if not check.makes_sense:
            message = f"Training makes little sense: {check.limited_by.rstrip('.')}."
            found.append(Finding(kind="hopeless", message=message, severity="warning"))
        teller.findings(found)

    def make(*, resume: bool) -> Made:
        return make_profile(
            session,
            plan,
            out,
            resume=resume,
            stages=_stages(teller),
            stoppable=lambda: contextlib.nullcontext(teller.stopping.is_set),
            on_check=tell_check,
        )

    before = list(found)
    if not checkpoint_path(out).is_file():
        return make(resume=False)
    try:
        return make(resume=True)
    except TrainingError:  # it is of an older Tonecast, or was torn by a disk: what it had learnt is lost
        forget_checkpoint(out)
        found[:] = before
        return make(resume=False)


def _stages(teller: Teller) -> Callable[[str], contextlib.AbstractContextManager[ProgressCallback]]:
    @contextlib.contextmanager
    def stage(name: str) -> Iterator[ProgressCallback]:
        def tell(told: Progress) -> None:
            if name != "train":  # which keeps its checkpoint first
                teller.check()
            teller.progress(Progress(step=name, done=told.done, seconds_left=told.seconds_left, note=told.note))

        teller.check()
        tell(Progress(step=name, done=0.0))
        yield tell

    return stage
