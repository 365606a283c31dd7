"""The plan of a guided session on disk: `plan.json` beside `session.json`, all that it takes to go on tomorrow."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from capture.plan import PlannedTake
from profiler.errors import KnobError, ManifestError, ProfilerError, SessionError
from profiler.knob import Knob, KnobSettings
from profiler.manifest import read_manifest, write_manifest
from profiler.session import CaptureSession, Take

__all__ = ["PLAN_FILE", "PlanFile", "PlanStep", "next_number", "read_plan", "write_plan"]

PLAN_FILE = "plan.json"
_VERSIONS = range(1)
_MOST_STEPS = 20_000
_LAST_SEED = 2**53  # exact in any JSON
_LONGEST_SECONDS = 36_000.0


@dataclass(frozen=True, kw_only=True)
class PlanStep:
    """A planned take, the values `noted` where knobs stand otherwise than planned, and whether it was skipped."""

    planned: PlannedTake
    noted: KnobSettings = field(default_factory=dict)
    skipped: bool = False

    @property
    def take(self) -> PlannedTake:
        """The take to record: as planned, at the values noted."""
        if not self.noted:
            return self.planned
        return replace(self.planned, settings={**(self.planned.settings or {}), **self.noted})


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """Everything that `plan.json` says. Its steps are numbered from 0 in the order in which they are recorded."""

    steps: tuple[PlanStep, ...]
    version: int = 0

    @classmethod
    def of(cls, plan: Sequence[PlannedTake]) -> "PlanFile":
        """Return a plan of which nothing has been noted or skipped."""
        return cls(steps=tuple(PlanStep(planned=take) for take in plan))

    @property
    def takes(self) -> tuple[PlannedTake, ...]:
        """The takes as they were planned."""
        return tuple(step.planned for step in self.steps)

    def with_step(self, step: PlanStep) -> "PlanFile":
        """Return the plan with a step in place of the one of its number."""
        steps = list(self.steps)
        steps[step.planned.number] = step
        return replace(self, steps=tuple(steps))


def read_plan(folder: Path, session: CaptureSession) -> PlanFile:
    """Read the plan of a session, checked against its knobs and the takes it has.

    Raises SessionError when the session has none, ManifestError when it is damaged or another session's.
    """
    path = folder / PLAN_FILE
    if not path.is_file():
        raise SessionError(
            f"{folder} has no {PLAN_FILE}: it was not begun as a guided capture. Go on with it the way it was begun."
        )
    plan = read_manifest(PlanFile, path, versions=_VERSIONS)
    try:
        return _checked(plan, session)
    except ProfilerError as error:
        raise ManifestError(
            f"{path} does not fit this session: {error} Put back the {PLAN_FILE} that it was recorded with."
        ) from error


def next_number(folder: Path, session: CaptureSession) -> int:
    """Return the first number of takes that join a session: after all it has, and all that it still plans.

    Raises ManifestError when its plan is damaged.
    """
    planned = len(read_plan(folder, session).steps) if (folder / PLAN_FILE).is_file() else 0
    return max([planned, *(take.number + 1 for take in session.takes)])


def write_plan(folder: Path, plan: PlanFile) -> None:
    """Write a plan atomically. Raises StorageError."""
    write_manifest(folder / PLAN_FILE, plan)


def _checked(plan: PlanFile, session: CaptureSession) -> PlanFile:
    """Return the plan with its values as its knobs take them."""
    if not 0 < len(plan.steps) <= _MOST_STEPS:
        raise ManifestError(f"it has {len(plan.steps)} steps; there must be 1 to {_MOST_STEPS}.")
    steps = []
    for number, step in enumerate(plan.steps):
        planned = step.planned
        if planned.number != number:
            raise ManifestError(f"step {number} is numbered {planned.number}; steps count up from 0.")
        try:
            steps.append(_checked_step(step, session.knobs))
        except ManifestError as error:
            raise ManifestError(f"step {number} {error}") from error
        if (first := planned.replicate_of) is not None and not (
            0 <= first < number and plan.steps[first].planned.settings == planned.settings
        ):
            raise ManifestError(f"step {number} repeats {first}, which is no earlier step at the same settings.")
    _check_held_out(steps)
    for take in session.takes:  # later numbers joined it when the plan was there: playing, and what was worth recording
        if take.number < len(steps) and not _is_of(take, steps[take.number].planned, session):
            raise ManifestError(f"take {take.number} of session.json is not in the plan.")
    return replace(plan, steps=tuple(steps))


def _check_held_out(steps: Sequence[PlanStep]) -> None:
    """Raise ManifestError when a held-out setting is one to learn from."""
    learnt = {_spelt(step.take.settings): step.planned.number for step in steps if not step.planned.held_out}
    for step in steps:
        settings = step.take.settings
        if step.planned.held_out and settings and (other := learnt.get(_spelt(settings))) is not None:
            raise ManifestError(f"step {step.planned.number} is held out, and stands where step {other} does.")


def _spelt(settings: KnobSettings | None) -> tuple[tuple[str, float | str], ...] | None:
    return None if settings is None else tuple(settings.items())


def _is_of(take: Take, planned: PlannedTake, session: CaptureSession) -> bool:
    stimulus = session.dries[take.dry].stimulus
    found = (stimulus and (stimulus.form, stimulus.seed), take.held_out, take.replicate_of)
    wanted = ((planned.form, planned.seed), planned.held_out, planned.replicate_of)
    knobs = (take.settings and take.settings.keys(), planned.settings and planned.settings.keys())
    return found == wanted and knobs[0] == knobs[1]


def _checked_step(step: PlanStep, knobs: Sequence[Knob]) -> PlanStep:
    planned = step.planned
    if not 0 <= planned.seed <= _LAST_SEED:
        raise ManifestError(f"has the seed {planned.seed}; there are seeds from 0 to {_LAST_SEED}.")
    if planned.seconds is not None and not 0 < planned.seconds <= _LONGEST_SECONDS:
        raise ManifestError(f"lasts {planned.seconds:g} s; a take lasts {_LONGEST_SECONDS:.0f} s at the most.")
    if (planned.settings is None) == (planned.track is None):
        raise ManifestError("must have settings or a knob track, and not both.")
    if planned.track is not None:
        planned.track.visited(knobs)
        if step.noted:
            raise ManifestError("notes values of knobs that move.")
        return step
    settings = planned.settings or {}
    if settings.keys() != {knob.id for knob in knobs}:
        raise ManifestError(f"sets {', '.join(sorted(settings)) or 'nothing'}; the session's knobs are others.")
    noted = _values(knobs, step.noted)
    return replace(step, planned=replace(planned, settings=_values(knobs, settings)), noted=noted)


def _values(knobs: Sequence[Knob], settings: KnobSettings) -> dict[str, float | str]:
    """Return settings, some knobs of which may be missing, as those knobs take them, in their order."""
    if strange := settings.keys() - {knob.id for knob in knobs}:
        raise KnobError(f"{min(strange)!r} is not a knob of this session.")
    return {knob.id: knob.checked(settings[knob.id]) for knob in knobs if knob.id in settings}
