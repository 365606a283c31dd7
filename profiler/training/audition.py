"""The audition: effects of several kinds learn for a while, and the likeliest goes on unless another is far ahead."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from profiler.effects import Effect
from profiler.errors import TrainingError
from profiler.progress import Progress, ProgressCallback
from profiler.training.examples import Examples
from profiler.training.lessons import lessons_for
from profiler.training.loop import Schedule, fit
from profiler.training.state import TrainingState

__all__ = ["AUDITION_SHARE", "audition"]

# Recurrent effects learn faster at first and less later. Beside the error that a convolutional one had left after its
# share, a recurrent one's was .38 on a chain where it ended ahead, and .86 on an overdrive where it ended far behind.
_FAR_BETTER = 0.5

AUDITION_SHARE = 0.08
"""How much of the schedule each effect gets. What the others took is gone from the winner's time, not its steps."""


def audition(
    effects: Sequence[Effect],
    examples: Examples,
    schedule: Schedule,
    *,
    seed: int,
    on_progress: ProgressCallback,
    stopped: Callable[[], bool],
) -> TrainingState:
    """Return the state of the effect that goes on: the first, unless another errs less than half as much.

    Errors are those on watched audio after each one's share; with nothing to watch the first is taken unheard. Those
    that these examples cannot teach are passed over. Raises TrainingError when that leaves none.
    """
    states = [TrainingState.fresh(effect, seed=seed) for effect in _able(effects, examples)]
    if len(states) == 1 or not examples.watched:
        return states[0]
    for number, state in enumerate(states):
        fit(
            state,
            examples,
            schedule,
            on_progress=_later(on_progress, number * AUDITION_SHARE),
            keep=lambda _: None,
            stopped=stopped,
            upto=AUDITION_SHARE,
        )
    best = min(states, key=lambda state: state.best_esr)
    if best.best_esr > _FAR_BETTER * states[0].best_esr:
        best = states[0]
    best.seconds = sum(state.seconds for state in states)
    return best


def _able(effects: Sequence[Effect], examples: Examples) -> list[Effect]:
    """Return the effects that there are lessons for: knobs that never rest teach no convolution."""
    able, errors = [], []
    for effect in effects:
        try:
            lessons_for(effect, examples)
        except TrainingError as error:
            errors.append(error)
        else:
            able.append(effect)
    if not able:
        raise errors[0]
    return able


def _later(on_progress: ProgressCallback, share: float) -> ProgressCallback:
    """Return what tells progress as that share further on; how long it all takes is not known yet."""

    def tell(told: Progress) -> None:
        on_progress(replace(told, done=min(told.done + share, 1.0), seconds_left=None))

    return tell
