"""Plans: which takes a capture records, at which settings, and which of them are never trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capture.spread import corner_settings, far_settings, spread_settings
from capture.turning_order import in_turning_order
from profiler.knob import Knob, KnobSettings
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.session import CaptureSession
from profiler.stimulus import Form

__all__ = [
    "MOVING_MINUTES",
    "PlannedTake",
    "capture_count",
    "fixed_plan",
    "held_out_count",
    "held_out_takes",
    "joining_plan",
    "moving_plan",
]

MOVING_MINUTES = 5.0

_CAPTURES = {0: 1, 1: 5, 2: 13, 3: 26}
_HELD_OUT = {0: 0, 1: 2, 2: 3, 3: 6}
_HELD_OUT_SEED = 100_000  # apart from the seeds of training takes, which count up from the session's own
_JUMP_SECONDS = (1.0, 2.0)
_LEAD_IN_SECONDS = 2.5  # the knobs stand still over the blips
_GRID_FRAMES = 64  # plugins that run in fixed blocks turn their knobs on multiples of this, and so follow to the frame


@dataclass(frozen=True, kw_only=True)
class PlannedTake:
    """A take still to be recorded: a stimulus by form and seed, and fixed settings or a knob track."""

    number: int
    form: Form
    seed: int
    seconds: float | None = None
    settings: KnobSettings | None = None
    track: KnobTrack | None = None
    held_out: bool = False
    replicate_of: int | None = None


def fixed_plan(  # noqa: PLR0913 - what bounds a plan
    knobs: Sequence[Knob],
    *,
    captures: int | None = None,
    held_out: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    replicate: bool = False,
    reached_for: Sequence[Knob] | None = None,
) -> list[PlannedTake]:
    """Return takes at fixed settings that fill the space, as `spread_settings` has it, then held-out settings.

    With k knobs there are 5, 13, 26 or 2^(k-1) + 10 k captures by default, with 2, 3, 6 or 3 k held-out settings
    between them, far from all learnt and from corners, in an order in which little is turned between takes. Every
    take has its own programme. Gear that has fewer settings than that, such as a single switch, is captured at each of
    them, and scored on material alone. With `seconds`, takes after the first are that long and hold programme only. Of
    knobs that turn themselves the order takes no notice: those `reached_for` decide it, or all.
    """
    count = captures or capture_count(knobs)
    spread = spread_settings(knobs, count)
    reached_for = reached_for or knobs
    taken = in_turning_order(reached_for, spread)
    apart = _apart(knobs, held_out_count(knobs) if held_out is None else held_out, learnt=spread)
    whole: Form = "quick" if len(taken) == 1 else "short"
    plan = [
        PlannedTake(number=number, form=whole, seed=seed + number, settings=settings)
        if seconds is None or number == 0
        else PlannedTake(number=number, form="brief", seed=seed + number, seconds=seconds, settings=settings)
        for number, settings in enumerate(taken)
    ]
    plan += held_out_takes(in_turning_order(reached_for, apart, start=taken[-1]), first=len(plan), seed=seed)
    return plan + _replicate(plan, wanted=replicate)


def moving_plan(
    knobs: Sequence[Knob],
    *,
    sample_rate: int,
    minutes: float = MOVING_MINUTES,
    seed: int = 0,
    replicate: bool = False,
) -> list[PlannedTake]:
    """Return one long take whose knobs jump to random settings every second or two, and held-out takes at rest."""
    rng = np.random.default_rng([seed, 3])
    points: list[Breakpoint] = []
    frame = 0
    while frame < minutes * 60 * sample_rate and (knobs or not points):
        # Beta(.8, .8) favours the ends a little, where gear differs most from its middle (Hawley et al. 2019).
        settings = {knob.id: knob.value_at(float(rng.beta(0.8, 0.8))) for knob in knobs}
        points.append(Breakpoint(frame=frame, settings=settings))
        seconds = rng.uniform(*_JUMP_SECONDS) if frame else _LEAD_IN_SECONDS
        frame += int(seconds * sample_rate) // _GRID_FRAMES * _GRID_FRAMES
    track = KnobTrack(breakpoints=tuple(points))
    plan = [PlannedTake(number=0, form="moving", seed=seed, seconds=minutes * 60, track=track)]
    plan += held_out_takes(_apart(knobs, held_out_count(knobs), learnt=()), first=1, seed=seed)
    return plan + _replicate(plan, wanted=replicate)


def joining_plan(
    session: CaptureSession,
    settings: Sequence[KnobSettings],
    held_out: Sequence[KnobSettings],
    *,
    first: int | None = None,
) -> list[PlannedTake]:
    """Return takes that join those of a session: to learn from, of the length of its last brief one, and held-out ones.

    They are numbered from `first` on, or else after the last take, and have no playing that the session has. They come
    in an order in which little is turned between takes.
    """
    if first is None:
        first = max((take.number for take in session.takes), default=-1) + 1
    stimuli = [dry.stimulus for dry in session.dries if dry.stimulus is not None]
    seed = max((each.seed for each in stimuli if each.form != "held-out"), default=-1) + 1
    apart_seed = max((each.seed + 1 - _HELD_OUT_SEED for each in stimuli if each.form == "held-out"), default=seed)
    lengths = [
        dry.frames / session.sample_rate for dry in session.dries if dry.stimulus and dry.stimulus.form == "brief"
    ]
    form: Form = "brief" if lengths else "short"
    seconds = round(lengths[-1], 2) if lengths else None
    plan = [
        PlannedTake(number=first + number, form=form, seed=seed + number, seconds=seconds, settings=each)
        for number, each in enumerate(in_turning_order(session.knobs, settings))
    ]
    return plan + held_out_takes(
        in_turning_order(session.knobs, held_out), first=first + len(plan), seed=max(apart_seed, 0)
    )


def held_out_takes(settings: Sequence[KnobSettings], *, first: int, seed: int) -> list[PlannedTake]:
    """Return held-out takes: settings and playing that no training take has."""
    return [
        PlannedTake(
            number=first + number, form="held-out", seed=seed + _HELD_OUT_SEED + number, settings=each, held_out=True
        )
        for number, each in enumerate(settings)
    ]


def capture_count(knobs: Sequence[Knob]) -> int:
    """Return how many settings are captured to learn from, unless told."""
    return _CAPTURES.get(len(knobs), 2 ** (len(knobs) - 1) + 10 * len(knobs))


def held_out_count(knobs: Sequence[Knob]) -> int:
    """Return how many settings are held out beside them, unless told."""
    return _HELD_OUT.get(len(knobs), 3 * len(knobs))


def _apart(knobs: Sequence[Knob], count: int, *, learnt: Sequence[KnobSettings]) -> list[KnobSettings]:
    """Return settings to hold out, far from those learnt, and from the corners: scores tell of where knobs stand."""
    corners = corner_settings(knobs)
    # a switch on the move has nothing but corners
    return far_settings(knobs, count, beside=[*learnt, *corners]) or corners[: 0 if learnt else count]


def _replicate(plan: Sequence[PlannedTake], *, wanted: bool) -> list[PlannedTake]:
    """Return the last take with settings once more: its difference from the first is the gear's own noise."""
    if not wanted:
        return []
    first = next((take for take in reversed(plan) if take.settings is not None), None)
    if first is None:
        return []
    return [
        PlannedTake(
            number=len(plan),
            form=first.form,
            seed=first.seed,
            seconds=first.seconds,
            settings=first.settings,
            held_out=first.held_out,
            replicate_of=first.number,
        )
    ]
