"""The audition: effects of several kinds learn for a while, and the one that errs least goes on."""

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

AUDITION_SHARE = 0.08
"""How much of the schedule each effect gets. What the others took is gone from the winner's time, not its steps."""

# A recurrent effect beside the error that a convolutional one had left after its share: on the demo's chain, where it
# ends ahead, 2.1 times as much after 3 % of two minutes and .6 after 8 %; on an amp, a preamp, an overdrive and a fuzz
# 20 to 100 times as much after 3 % of a minute and 6 to 40 after 8 %. So half a share tells who has no hope.
_HOPELESS = 5.0


def audition(
    effects: Sequence[Effect],
    examples: Examples,
    schedule: Schedule,
    *,
    seed: int,
    on_progress: ProgressCallback,
    stopped: Callable[[], bool],
) -> TrainingState:
    """Return the state of the effect that goes on: the one that errs least on watched audio after its share.

    The first is the likeliest: one that errs five times as much after half a share is heard no further. With nothing to
    watch the first is taken unheard. Those that these examples cannot teach are passed over. Raises TrainingError when
    that leaves none.
    """
    states = [TrainingState.fresh(effect, seed=seed) for effect in _able(effects, examples)]
    if len(states) == 1 or not examples.watched:
        return states[0]
    for number, state in enumerate(states):
        hoped = () if number == 0 else (AUDITION_SHARE / 2,)
        for share in (*hoped, AUDITION_SHARE):
            fit(
                state,
                examples,
                schedule,
                on_progress=_later(on_progress, number * AUDITION_SHARE),
                keep=lambda _: None,
                stopped=stopped,
                upto=share,
            )
            if state.best_esr > _HOPELESS * states[0].best_esr:
                break
    best = min(states, key=lambda state: state.best_esr)
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
