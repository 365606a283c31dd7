"""A profile made of a session, from its check to the file: the one course that command line and jobs follow."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from profiler.checks import SessionCheck, check_session, noise_power
from profiler.evaluation import scored
from profiler.oversampling import well_oversampled
from profiler.profile import Profile
from profiler.profile_file import save
from profiler.progress import ProgressCallback, unheard
from profiler.session_folder import SessionFolder
from profiler.ship_gate import gated
from profiler.training import TrainingPlan, forget_checkpoint, train
from profiler.verdict import Verdict, concluded

__all__ = ["Made", "Stages", "Stoppable", "make_profile"]

Stages: TypeAlias = Callable[[str], AbstractContextManager[ProgressCallback]]
"""Given the name of a stage, what tells its progress while it lasts: check, train, aliasing, gate, evaluate."""

Stoppable: TypeAlias = Callable[[], AbstractContextManager[Callable[[], bool]]]
"""What says, while training lasts, whether it shall stop with the best so far."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A profile that is on disk, and what limits it."""

    profile: Profile
    verdict: Verdict


@contextlib.contextmanager
def _unheard(_: str) -> Iterator[ProgressCallback]:
    yield unheard


@contextlib.contextmanager
def _never_stopped() -> Iterator[Callable[[], bool]]:
    yield lambda: False


def make_profile(  # noqa: PLR0913 - who listens, and who stops it
    folder: SessionFolder,
    plan: TrainingPlan,
    out: Path,
    *,
    resume: bool = False,
    stages: Stages = _unheard,
    stoppable: Stoppable = _never_stopped,
    on_check: Callable[[SessionCheck], None] = lambda _: None,
) -> Made:
    """Check a session, train, find the oversampling, gate, score, conclude, and write the profile to `out`.

    The profile is on disk as soon as there is one, and once more when it is scored. The checkpoint beside it goes when
    the training was not stopped; `resume` goes on from one that is there. `on_check` hears what the check found before
    training begins. Raises SessionError, SplitError, TrainingError, ProfileError or StorageError.
    """
    with stages("check") as tell:
        check = check_session(folder, on_progress=tell)
    on_check(check)
    plan = replace(plan, noise_power=noise_power(check))
    with stages("train") as tell, stoppable() as stopped:
        loaded = train(folder, plan, out, resume=resume, on_progress=tell, stopped=stopped)
    save(out, loaded)
    with stages("aliasing") as tell:
        loaded = well_oversampled(loaded, folder, on_progress=tell)
    with stages("gate") as tell:
        loaded = gated(loaded, folder, on_progress=tell)
    with stages("evaluate") as tell:
        loaded, _ = scored(loaded, folder, only_unseen=True, on_progress=tell)
    loaded, found = concluded(loaded, check)
    save(out, loaded)
    if found.limited_by != "interrupted":
        forget_checkpoint(out)
    return Made(profile=loaded.profile, verdict=found)
