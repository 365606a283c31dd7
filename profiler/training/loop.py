"""The training loop."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from profiler.errors import TrainingError
from profiler.profile import LimitedBy
from profiler.progress import Progress, ProgressCallback
from profiler.training.examples import Examples
from profiler.training.lessons import lessons_for
from profiler.training.state import TrainingState
from profiler.training.watch import Watch

__all__ = ["Schedule", "fit"]

_LOOKS, _FEW_LOOKS = 16, 8
_SHORT_SECONDS = 100.0
_LARGE_STEPS = 0.5  # of the peak rate: above that averaged weights erred less at 32 of 32 looks, by a tenth and more
_KEEP_EVERY_SECONDS = 10.0
_MOST_BAD_STEPS = 50
_SLOWEST = 0.1  # of the recipe's rate: what gives no number even so is beyond help


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When training ends: after so many steps, which is exact, or after so many seconds of wall-clock.

    `ending` is the share in which steps become small when there is nothing left to learn before it is over.
    """

    steps: int | None = None
    budget_seconds: float | None = None
    ending: float = 0.1

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.budget_seconds is None):
            raise TrainingError("Training ends after a number of steps or after a time: give one of them, not both.")
        length = self.steps if self.budget_seconds is None else self.budget_seconds
        if length is not None and length <= 0:
            raise TrainingError(f"Training needs more than {length:g} {'steps' if self.steps is not None else 's'}.")

    @property
    def looks(self) -> int:
        """How often weights are watched: a look takes as long as 15 steps, and sixteen of them a tenth of a minute."""
        return _FEW_LOOKS if self.budget_seconds is not None and self.budget_seconds < _SHORT_SECONDS else _LOOKS

    def done(self, state: TrainingState) -> float:
        """Return how much of the training is over, 1 or more when all of it is."""
        if self.steps is not None:
            return state.step / self.steps
        return state.seconds / (self.budget_seconds or math.inf)

    def end(self, state: TrainingState) -> float:
        """Return at which share of the schedule training ends: soon after there was nothing left to learn."""
        return 1.0 if state.ending_from is None else min(state.ending_from + self.ending, 1.0)

    def rate_now(self, state: TrainingState) -> float:
        """Return the share of the peak learning rate: from where training is ending, half a cosine down from there."""
        done = self.done(state)
        if state.ending_from is None:
            return self.rate(done, state.recipe.climb)
        left = min((done - state.ending_from) / (self.end(state) - state.ending_from), 1.0)
        return self.rate(state.ending_from, state.recipe.climb) * 0.5 * (1 + math.cos(math.pi * left)) + 1e-3

    @staticmethod
    def rate(done: float, climb: float = 0.03) -> float:
        """Return the share of the peak learning rate: a short climb, then half a cosine down to next to nothing."""
        return min(1.0, 0.05 + done / climb) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))) + 1e-3


def fit(  # noqa: C901, PLR0913 - one loop, read in the order in which it happens
    state: TrainingState,
    examples: Examples,
    schedule: Schedule,
    *,
    on_progress: ProgressCallback,
    keep: Callable[[TrainingState], None],
    stopped: Callable[[], bool],
    upto: float = 1.0,
    watch: Watch | None = None,
) -> LimitedBy:
    """Train until the schedule ends, or the round in which `stopped` says so; the best weights are in `state.best`.

    `watch` chooses the best weights, unless told otherwise by their error on the watched passages; when that has come
    down to the noise, what is left of the schedule is cut short to an anneal. `upto` ends it earlier, after that share
    of the schedule, from where another call goes on.

    `keep` is called with the state every ten seconds, between two rounds of steps, so that a training that goes on from
    there takes the same steps. Raises TrainingError when there is too little audio or it diverges.
    """
    watch = watch or Watch(examples)
    begun = time.monotonic() - state.seconds
    kept = time.monotonic()
    bad_steps = 0
    interrupted = False
    with lessons_for(state.effect, examples) as lessons:
        while (before := schedule.done(state)) < min(upto, schedule.end(state)) and not (interrupted := stopped()):
            for loss, gradients in lessons.round(state.rng, slow=state.is_slow):
                state.seconds = time.monotonic() - begun
                healthy = math.isfinite(loss) and (
                    state.is_led_astray(loss) or state.apply(gradients, schedule.rate_now(state))
                )
                state.audio_frames += lessons.audio_frames
                bad_steps = 0 if healthy else bad_steps + 1
                if bad_steps > _MOST_BAD_STEPS:
                    bad_steps = _saved(state)
                if schedule.done(state) >= min(upto, schedule.end(state)):
                    break
            state.seconds = time.monotonic() - begun
            # On a fixed grid, so that a training that was stopped and went on watches at the same steps.
            if int(schedule.done(state) * schedule.looks) > int(before * schedule.looks):
                watch.look(state, only_average=schedule.rate_now(state) > _LARGE_STEPS)
                if state.ending_from is None and watch.is_at_the_noise(state):
                    state.ending_from = schedule.done(state)
            if time.monotonic() - kept > _KEEP_EVERY_SECONDS:
                keep(state)
                kept = time.monotonic()
            on_progress(_progress(state, schedule.done(state)))
        if interrupted:
            keep(state)  # before the last look: a training that goes on must not have had it
        if not state.curve or state.curve[-1].step < state.step:
            watch.look(state)
    if interrupted or state.ending_from is not None:
        return "interrupted" if interrupted else "noise"
    return "budget" if schedule.steps is None else "steps"


def _saved(state: TrainingState) -> int:
    """Go back to the best weights and return how many steps were bad since: none. Raises TrainingError for no hope."""
    if not state.curve or state.slowed < _SLOWEST:
        raise TrainingError(f"Training diverged after {state.step} steps. Look at the takes' levels.")
    state.go_back()
    return 0


def _progress(state: TrainingState, done: float) -> Progress:
    left = state.seconds * (1 - done) / done if done > 0 else None
    note = f"error {state.best_esr:.4f}" if math.isfinite(state.best_esr) else ""
    return Progress(step="train", done=min(done, 1.0), seconds_left=left, note=note)
