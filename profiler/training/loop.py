"""The training loop."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from profiler.errors import TrainingError
from profiler.profile import LimitedBy
from profiler.progress import Progress, ProgressCallback
from profiler.training.examples import Examples
from profiler.training.gradients import Crew
from profiler.training.state import TrainingState
from profiler.training.watch import Watch

__all__ = ["Schedule", "fit"]

# Chosen by trial on the demo's chain, 60 s of training each (ESR of a 16-wide LSTM on unseen settings and playing):
# segments of 2048 frames .014, 1024 .0022, 512 .0009, 256 .0048; peak rate .005 .014, .01 .0022, .02 .0024.
ROWS = 64
SEGMENT_FRAMES = 512
SEGMENTS = 40
WARM_UP_SEGMENTS = 4
PEAK_RATE = 0.01

QUIET = 0.1
"""Rows below this share of the wet's RMS, 20 dB down, are no longer weighted up."""

_WATCHES = 16
_KEEP_EVERY_SECONDS = 10.0
_MOST_BAD_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When training ends: after so many steps, which is exact, or after so many seconds of wall-clock."""

    steps: int | None = None
    budget_seconds: float | None = None

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.budget_seconds is None):
            raise TrainingError("Training ends after a number of steps or after a time: give one of them, not both.")
        length = self.steps if self.budget_seconds is None else self.budget_seconds
        if length is not None and length <= 0:
            raise TrainingError(f"Training needs more than {length:g} {'steps' if self.steps is not None else 's'}.")

    def done(self, state: TrainingState) -> float:
        """Return how much of the training is over, 1 or more when all of it is."""
        if self.steps is not None:
            return state.step / self.steps
        return state.seconds / (self.budget_seconds or math.inf)

    @staticmethod
    def rate(done: float) -> float:
        """Return the learning rate: a short climb, then half a cosine down to nothing."""
        return PEAK_RATE * min(1.0, 0.05 + done / 0.03) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))) + 1e-5


def fit(  # noqa: C901, PLR0915 - one loop, read in the order in which it happens
    state: TrainingState,
    examples: Examples,
    schedule: Schedule,
    *,
    on_progress: ProgressCallback,
    keep: Callable[[TrainingState], None],
    stopped: Callable[[], bool],
) -> LimitedBy:
    """Train until the schedule ends, or the round in which `stopped` says so; the best weights are in `state.best`.

    Rows start at random places, and truncated back-propagation follows them segment by segment (Wright et al.
    2019). `keep` is called with the state every ten seconds, between two rounds of rows, so that a training that
    goes on from there takes the same steps. Raises TrainingError when there is too little audio or it diverges.
    """
    segments = _segments_that_fit(examples)
    warm_up = WARM_UP_SEGMENTS * SEGMENT_FRAMES
    watch = Watch(examples)
    begun = time.monotonic() - state.seconds
    kept = time.monotonic()
    bad_steps = 0
    interrupted = False
    with Crew(state.effect, torch.from_numpy(examples.positions), quiet=QUIET * examples.levels()[1]) as crew:
        while (before := schedule.done(state)) < 1 and not (interrupted := stopped()):
            passage = examples.rows(state.rng, count=ROWS, frames=warm_up + segments * SEGMENT_FRAMES)
            shares = crew.begin(passage, warm_up=warm_up)
            for _ in range(segments):
                state.seconds = time.monotonic() - begun
                if schedule.done(state) >= 1:
                    break
                loss, gradients = crew.step(shares, frames=SEGMENT_FRAMES)
                healthy = math.isfinite(loss) and state.apply(gradients, schedule.rate(schedule.done(state)))
                bad_steps = 0 if healthy else bad_steps + 1
                if bad_steps > _MOST_BAD_STEPS:
                    raise TrainingError(f"Training diverged after {state.step} steps. Look at the takes' levels.")
            state.seconds = time.monotonic() - begun
            # On a fixed grid, so that a training that was stopped and went on watches at the same steps.
            if int(schedule.done(state) * _WATCHES) > int(before * _WATCHES):
                watch.look(state)
            if time.monotonic() - kept > _KEEP_EVERY_SECONDS:
                keep(state)
                kept = time.monotonic()
            on_progress(_progress(state, schedule.done(state)))
        if interrupted:
            keep(state)  # before the last look: a training that goes on must not have had it
        if not state.curve or state.curve[-1].step < state.step:
            watch.look(state)
    return "interrupted" if interrupted else "budget" if schedule.steps is None else "steps"


def _segments_that_fit(examples: Examples) -> int:
    """Return how many segments a row has: fewer than planned when every passage is short."""
    longest = max((passage.frames for passage in examples.learnt), default=0)
    segments = min(SEGMENTS, longest // SEGMENT_FRAMES - WARM_UP_SEGMENTS)
    if segments < 1:
        needed = (WARM_UP_SEGMENTS + 1) * SEGMENT_FRAMES
        raise TrainingError(f"The longest passage to learn from has {longest} frames; at least {needed} are needed.")
    return segments


def _progress(state: TrainingState, done: float) -> Progress:
    left = state.seconds * (1 - done) / done if done > 0 else None
    note = f"error {state.best_esr:.4f}" if math.isfinite(state.best_esr) else ""
    return Progress(step="train", done=min(done, 1.0), seconds_left=left, note=note)
