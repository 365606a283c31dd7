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

# A recurrent effect beside the error that a convolutional one had left after 20 s that ended in small steps: on the
# demo's chain, where it ends ahead, a quarter; on a saturator seven times as much, and on a diode clipper, after 10 s,
# half as much again, where the convolution ends ahead. In large steps all the way, after 19 s, it stood better on all
# three: .6, .4 and .9. On amps and fuzzes it errs 6 to 40 times as much: half a share tells who has no hope.
_HOPELESS = 5.0
_LOOKS = 2


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

    Each has a schedule of its own that ends in small steps, for in large ones the errors say little of how close it
    will come. The first is the likeliest: one that errs five times as much after half a share is heard no further. With nothing to
    watch the first is taken unheard. Those that these examples cannot teach are passed over. Raises TrainingError when
    that leaves none.
    """
    states = [TrainingState.fresh(effect, seed=seed) for effect in _able(effects, examples)]
    if len(states) == 1 or not examples.watched:
        return states[0]
    own = schedule.share(AUDITION_SHARE, looks=_LOOKS)
    for number, state in enumerate(states):
        hoped = () if number == 0 else (0.5,)
        for share in (*hoped, 1.0):
            fit(
                state,
                examples,
                own,
                on_progress=_within_the_whole(on_progress, number),
                keep=lambda _: None,
                stopped=stopped,
                upto=share,
            )
            if state.best_esr > _HOPELESS * states[0].best_esr:
                break
    best = min(states, key=lambda state: state.best_esr)
    best.seconds = sum(state.seconds for state in states)
    best.curve.clear()  # what small steps came to is no measure of the large ones that follow
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


def _within_the_whole(on_progress: ProgressCallback, number: int) -> ProgressCallback:
    """Return what tells progress of one's share as that of the whole; how long it all takes is not known yet."""

    def tell(told: Progress) -> None:
        on_progress(replace(told, done=min((number + told.done) * AUDITION_SHARE, 1.0), seconds_left=None))

    return tell
