"""The guide: one take after the other of a plan on any rig, told step by step, stopped and gone on with at will."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from capture.guide_step import Step, Turn
from capture.hands import HANDS, Hands, plan_seconds, turned
from capture.plan import PlannedTake
from capture.plan_file import PLAN_FILE, PlanFile, PlanStep, read_plan, write_plan
from capture.recorder import PlayedTake, keep_take, play_take
from capture.rig import Rig
from profiler.errors import SessionError
from profiler.finding import Finding
from profiler.knob import KnobSettings, find_knob, positions_of
from profiler.session_folder import SessionFolder

__all__ = ["Guide", "GuideOptions", "Judge", "Recorded", "has_failed", "passing"]

Judge = Callable[[PlayedTake], Sequence[Finding]]
"""Says what it hears in a take. A finding whose severity is `error` means that it should be recorded again."""

_APART = 0.02
"""Settings nearer to each other than this share of every knob's way are the same to a hand and to an ear."""


def passing(_: PlayedTake) -> Sequence[Finding]:
    """Let every take pass."""
    return ()


@dataclass(frozen=True, kw_only=True)
class GuideOptions:
    """What judges takes, what hands are taken to be, and the ids of knobs that the rig turns itself."""

    judge: Judge = passing
    hands: Hands = HANDS
    self_turning: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What became of a step: its take, whether it `passed`, and what was found.

    `kept` is whether this recording is now the session's; where it is not, one that had passed before still is.
    """

    step: Step
    passed: bool
    kept: bool
    findings: tuple[Finding, ...]


class Guide:
    """A guided session. `begun` and `resumed` yield one, and no other process can add to the session meanwhile.

    `next_step` says what to do; `record`, `skip`, `back`, `redo` and `note` are what a player does then. What they
    change is on disk when they return, so to stop is to do nothing more.
    """

    def __init__(self, folder: SessionFolder, rig: Rig, plan: PlanFile, options: GuideOptions) -> None:
        self.folder = folder
        self.rig = rig
        self.options = options
        self._plan = plan
        self._stand: KnobSettings | None = None  # nobody knows before the first take of a sitting
        self._last: int | None = None
        self._coming: KnobSettings | None = None  # of a take that is recorded again
        self._at = self._first_open()

    @classmethod
    @contextlib.contextmanager
    def begun(
        cls, folder: SessionFolder, rig: Rig, plan: Sequence[PlannedTake], options: GuideOptions | None = None
    ) -> Iterator["Guide"]:
        """Yield a guide through a new plan, or through the same one that the folder has already.

        Raises SessionError when the session was begun with another plan, or another process is at it.
        """
        with folder.writing():
            if (folder.path / PLAN_FILE).exists():
                kept = read_plan(folder.path, folder.session)
                if kept.takes != PlanFile.of(plan).takes:
                    raise SessionError(
                        f"{folder.path} was begun with another plan. Go on with that one (--resume), or choose "
                        "another folder."
                    )
            elif folder.session.takes:
                raise SessionError(f"{folder.path} has takes without a {PLAN_FILE}. Choose another folder.")
            else:
                kept = PlanFile.of(plan)
                write_plan(folder.path, kept)
            yield cls(folder, rig, kept, options or GuideOptions())

    @classmethod
    @contextlib.contextmanager
    def resumed(cls, folder: SessionFolder, rig: Rig, options: GuideOptions | None = None) -> Iterator["Guide"]:
        """Yield a guide that goes on with the plan in the folder.

        Raises SessionError when there is none or another process is at it, ManifestError when it is damaged.
        """
        with folder.writing():
            yield cls(folder, rig, read_plan(folder.path, folder.session), options or GuideOptions())

    def next_step(self) -> Step | None:
        """Return what to do now, or None when every take is recorded or skipped."""
        return None if self._at is None else self._step(self._at)

    def record(self, *, on_done: Callable[[float], None] = lambda _: None) -> Recorded:
        """Record the step, judge it, and go on to the next. `on_done` hears how much is played, from 0 to 1.

        The take replaces an earlier one of its number, unless this one fails and that one had passed. Raises GearError
        or StorageError with the step still to be done and the session as it was.
        """
        number = self._number()
        step = self._step(number)
        if (first := step.planned.replicate_of) is not None and self.folder.session.take(first) is None:
            raise SessionError(f"This take repeats take {first}, which is not recorded yet. Record that one first.")
        self._stand = step.planned.settings  # whatever becomes of the recording
        played = play_take(self.rig, step.planned, on_done=on_done)
        played = replace(played, findings=(*played.findings, *self.options.judge(played)))
        passed = not has_failed(played.findings)
        before = self.folder.session.take(number)
        if kept := passed or before is None or has_failed(before.findings):
            keep_take(self.folder, played)
        self._last = number
        self._go(self._first_open())
        return Recorded(step=step, passed=passed, kept=kept, findings=played.findings)

    def skip(self) -> None:
        """Leave the step out and go on; one that is recorded stays as it is."""
        number = self._number()
        if self.folder.session.take(number) is None:
            self._change(replace(self._plan.steps[number], skipped=True))
        self._go(self._first_open())

    def back(self) -> None:
        """Go to the step before. Raises SessionError at the first."""
        at = len(self._plan.steps) if self._at is None else self._at
        if at == 0:
            raise SessionError("This is the first take; there is none before it.")
        self._go(at - 1)

    def redo(self, number: int | None = None) -> None:
        """Go to the step of that number, the one recorded last unless told, to record it again.

        Raises SessionError for one that is not there.
        """
        number = self._last if number is None else number
        if number is None:
            raise SessionError("Nothing was recorded yet in this sitting. Say which take to record again.")
        if not 0 <= number < len(self._plan.steps):
            raise SessionError(f"There is no take {number}; the plan has takes 0 to {len(self._plan.steps) - 1}.")
        self._go(number)
        if self.folder.session.take(number) is not None:
            self._coming = self._take(number).settings

    def note(self, knob: str, value: float | str) -> None:
        """Note where a knob stands for the coming recording; after `back` to one that is there, where it stood then.

        Raises KnobError for a knob or value that is not there, SessionError for a value that would make a held-out
        setting one to learn from, or a take differ from the one that it repeats.
        """
        number = self._number()
        step, found = self._plan.steps[number], find_knob(self.folder.session.knobs, knob)
        self._check_notable(step.planned)
        settings = {**(self._take(number).settings or {}), found.id: found.checked(value)}
        self._check_apart(number, settings)
        if self._coming is not None:
            self._coming = settings
        elif (take := self.folder.session.take(number)) is not None:
            self.folder.keep(replace(take, settings=settings))
            if number == self._last:
                self._stand = settings
        else:
            planned = step.planned.settings or {}
            noted = {id_: value for id_, value in settings.items() if planned[id_] != value}
            self._change(replace(step, noted=noted))

    @property
    def skipped(self) -> tuple[int, ...]:
        """The numbers of takes that were left out."""
        steps = (step.planned.number for step in self._plan.steps if step.skipped)
        return tuple(number for number in steps if self.folder.session.take(number) is None)

    @property
    def open(self) -> tuple[int, ...]:
        """The numbers of takes that are neither recorded nor left out."""
        return tuple(self._open())

    @property
    def failed(self) -> tuple[int, ...]:
        """The numbers of takes that should be recorded again."""
        planned = (take for take in self.folder.session.takes if take.number < len(self._plan.steps))
        return tuple(take.number for take in planned if has_failed(take.findings))

    def _step(self, number: int) -> Step:
        planned, stand = self._take(number), self._stand
        hand_turned = (each for each in self.folder.session.knobs if each.id not in self.options.self_turning)
        knobs = {knob.id: knob for knob in hand_turned}
        settings = {id_: value for id_, value in (planned.settings or {}).items() if id_ in knobs}
        turns = turned(stand, settings)
        open_takes = [self._take(each) for each in self._open()]
        return Step(
            number=number,
            count=len(self._plan.steps),
            planned=planned,
            turns=tuple(
                Turn(knob=knobs[id_], before=None if stand is None else stand[id_], value=settings[id_])
                for id_ in turns
            ),
            left_alone=tuple(knobs[id_] for id_ in settings if id_ not in turns),
            recorded=self.folder.session.take(number) is not None,
            seconds_left=plan_seconds(
                open_takes, hands=self.options.hands, start=stand, self_turning=self.options.self_turning
            ),
        )

    def _take(self, number: int) -> PlannedTake:
        """Return what a step records: what is recorded tells where knobs stood, a replicate stands as the first did."""
        step, recorded = self._plan.steps[number], self.folder.session.take(number)
        if step.planned.settings is None:
            return step.planned
        if number == self._at and self._coming is not None:
            return replace(step.planned, settings=self._coming)
        if recorded is not None:
            return replace(step.planned, settings=recorded.settings)
        if step.planned.replicate_of is not None:
            return replace(step.planned, settings=self._take(step.planned.replicate_of).settings)
        return step.take

    def _open(self) -> list[int]:
        """Return the numbers of the steps that are still to be done; nothing repeats a take that was left out."""
        recorded = {take.number for take in self.folder.session.takes}
        left_out = {number for number, step in enumerate(self._plan.steps) if step.skipped} - recorded
        return [
            number
            for number, step in enumerate(self._plan.steps)
            if number not in recorded | left_out and step.planned.replicate_of not in left_out
        ]

    def _go(self, number: int | None) -> None:
        self._at, self._coming = number, None

    def _first_open(self) -> int | None:
        return next(iter(self._open()), None)

    def _number(self) -> int:
        if self._at is None:
            raise SessionError("Every take is recorded or skipped. Go back to one to record it again.")
        return self._at

    def _change(self, step: PlanStep) -> None:
        plan = self._plan.with_step(step)
        if plan != self._plan:
            write_plan(self.folder.path, plan)
            self._plan = plan

    def _check_notable(self, planned: PlannedTake) -> None:
        """Raise SessionError when a take must stand as planned."""
        if planned.settings is None:
            raise SessionError("The knobs move during this take; no value can be noted.")
        if (first := planned.replicate_of) is not None:
            raise SessionError(
                f"This take repeats take {first}, so its knobs must stand as then. Set them so, or skip it."
            )
        for step in self._plan.steps:
            number = step.planned.number
            if step.planned.replicate_of == planned.number and self.folder.session.take(number) is not None:
                raise SessionError(f"Take {number} repeats this one and is recorded, so both must stand alike.")

    def _check_apart(self, number: int, settings: KnobSettings) -> None:
        """Raise SessionError when a setting to score on and one to learn from would be the same."""
        held_out = self._plan.steps[number].planned.held_out
        knobs = self.folder.session.knobs
        at = positions_of(knobs, settings)
        for other, step in enumerate(self._plan.steps):
            stands = self._take(other).settings
            if step.planned.held_out == held_out or stands is None:
                continue
            if abs(positions_of(knobs, stands) - at).max(initial=0.0) < _APART:
                this, that = ("held out", "learnt from") if held_out else ("learnt from", "held out")
                raise SessionError(
                    f"Take {number} is {this}, and with this value it stands where take {other} does, which "
                    f"is {that}: a score there would tell nothing. Turn a knob a little further, or skip this take."
                )


def has_failed(findings: Sequence[Finding]) -> bool:
    """Return whether a take with these findings should be recorded again."""
    return any(finding.severity == "error" for finding in findings)
