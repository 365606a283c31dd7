"""The audition: effects of several kinds learn for a while, and one of them goes on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from profiler.effects import Effect
from profiler.errors import TrainingError
from profiler.progress import Progress, ProgressCallback
from profiler.training.examples import Examples
from profiler.training.lessons import lessons_for
from profiler.training.loop import Schedule, fit
from profiler.training.state import TrainingState
from profiler.training.watch import Watch

__all__ = ["AUDITION_SHARE", "audition"]

AUDITION_SHARE = 0.08
"""How much of the schedule each effect gets. What the others took is gone from the winner's time, not its steps."""

# A recurrent effect's error beside a convolutional one's, each after small steps. Where it ends ahead, or level, on the
# demo's chain: .2 after 5 s, .15 to .5 after 8, .6 to .8 after 16. Where the convolution ends ahead: on a diode clipper
# .8 to 1.1 after 5 s, 1.1 to 1.4 after 10 and .7 after 20; on a saturator 7 after 20 s; on a recorded overdrive 6 after
# 5 s and 16 after 10; on amps and fuzzes 6 to 40. So with errors close to each other the first goes on, which also
# comes in a light size and as a `.nam`; and half a share tells who has no hope.
_CLEARLY, _HOPELESS = 0.5, 5.0
_ENDING_SHARE = 0.02


def audition(
    effects: Sequence[Effect],
    examples: Examples,
    schedule: Schedule,
    *,
    seed: int,
    on_progress: ProgressCallback,
    stopped: Callable[[], bool],
) -> TrainingState:
    """Return the state of the effect that goes on: the first, unless another errs half as much after its share.

    A first one that large steps led astray meanwhile goes on unrivalled: its error says little of what it will be. (On
    the diode clipper, after 5 s of 60, it erred .003 to .015 and the recurrent one .002; at the end of the minute the
    one erred .0011 to .0019, the other .0040 to .0094.)

    In large steps errors say little of how close an effect will come, so a copy of each ends its share in small ones
    and is what is judged; the winner goes on from before them. (An amp with knobs that went on from after them erred a
    sixth more 1,400 steps later.) The first is the likeliest: one that errs five times as much after half a share is
    heard no further. With nothing to watch the first is taken unheard. Those that these examples cannot teach are
    passed over. Raises TrainingError when that leaves none.
    """
    states = [TrainingState.fresh(effect, seed=seed) for effect in _able(effects, examples)]
    if len(states) == 1 or not examples.watched:
        return states[0]
    judged: list[TrainingState] = []
    watch = Watch(examples)
    for number, state in enumerate(states):
        tell = _later(on_progress, number * AUDITION_SHARE)
        learn = partial(fit, examples=examples, watch=watch, on_progress=tell, keep=lambda _: None, stopped=stopped)
        if judged:
            learn(state, schedule=schedule, upto=AUDITION_SHARE / 2)
        if judged and state.best_esr > _HOPELESS * judged[0].best_esr:
            judged.append(state)
            continue
        learn(state, schedule=schedule, upto=AUDITION_SHARE - _ENDING_SHARE)
        ending = TrainingState.restored(state.checkpoint(""), state.effect.device)
        ending.ending_from = schedule.done(ending)
        learn(ending, schedule=replace(schedule, ending=_ENDING_SHARE))
        judged.append(ending)
        if judged[0].slowed < 1.0:
            break
    best = min(range(len(judged)), key=lambda number: judged[number].best_esr * (_CLEARLY if number == 0 else 1.0))
    states[best].seconds = sum(state.seconds for state in judged)
    return states[best]


def _able(effects: Sequence[Effect], examples: Examples) -> list[Effect]:
    """Return the effects that there are lessons for: knobs that turn fast all the time teach no convolution."""
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
