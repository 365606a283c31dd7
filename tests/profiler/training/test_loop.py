"""The training loop: when it ends, what it keeps, and what it learns from."""

import contextlib
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import TrainingError
from profiler.profile import CurvePoint
from profiler.progress import Progress, unheard
from profiler.training.loop import Schedule, fit
from profiler.training.loss import Loss
from profiler.training.segments import SEGMENT_FRAMES, WARM_UP_SEGMENTS, Crew
from profiler.training.state import TrainingState
from profiler.training.watch import Watch

pytestmark = pytest.mark.usefixtures("one_thread")


def never() -> bool:
    """Do not stop."""
    return False


def ignored(_: TrainingState) -> None:
    """Keep nothing."""


def test_a_schedule_ends_after_steps_or_after_a_time(small_state):
    """One of the two is given, and it is above zero."""
    for wrong in ({}, {"steps": 1, "budget_seconds": 1.0}, {"steps": 0}, {"steps": -3}, {"budget_seconds": 0.0}):
        with pytest.raises(TrainingError):
            Schedule(**wrong)
    state = small_state()
    state.step, state.seconds = 30, 5.0
    assert Schedule(steps=120).done(state) == 0.25
    assert Schedule(budget_seconds=10.0).done(state) == 0.5


@given(st.floats(0, 2))
def test_the_rate_climbs_and_falls_to_nothing(done: float):
    """The learning rate is always above zero and never above its peak."""
    assert 0 < Schedule.rate(done) <= 1.001


def test_the_rate_has_its_peak_early():
    """The climb takes 3 % of the training; from then on the rate only falls."""
    rates = [Schedule.rate(done) for done in np.linspace(0.03, 1.0, 50)]
    assert all(earlier > later for earlier, later in pairwise(rates))
    assert Schedule.rate(0.0) < 0.1 * rates[0]
    assert rates[-1] < 0.01


def test_steps_are_counted_and_end_the_training(softly_clipped, small_state):
    """So many steps are taken, not one more, in whole rounds or not; progress ends at 1."""
    state, told = small_state(), list[Progress]()
    ended = fit(state, softly_clipped(), Schedule(steps=47), on_progress=told.append, keep=ignored, stopped=never)
    assert (ended, state.step) == ("steps", 47)
    assert [each.done for each in told] == [40 / 47, 1.0]
    assert told[-1].seconds_left == 0


def test_training_learns(softly_clipped, small_state):
    """After 80 steps the error on watched audio is a quarter of that of the first weights, and the best is kept."""
    examples = softly_clipped()
    untrained = small_state()
    Watch(examples).look(untrained)
    state = small_state()
    fit(state, examples, Schedule(steps=80), on_progress=unheard, keep=ignored, stopped=never)
    assert state.best_esr < 0.25 * untrained.best_esr
    assert state.best_esr == min(point.esr for point in state.curve)
    assert [point.step for point in state.curve] == [40, 80]


def test_a_budget_ends_the_training_by_the_clock(softly_clipped, small_state):
    """A budget is used up and named as what ended it; seconds of an earlier run count towards it."""
    state = small_state()
    ended = fit(state, softly_clipped(), Schedule(budget_seconds=0.4), on_progress=unheard, keep=ignored, stopped=never)
    assert ended == "budget"
    assert state.seconds >= 0.4
    assert state.step > 0
    assert state.curve
    steps = state.step
    assert (
        fit(state, softly_clipped(), Schedule(budget_seconds=0.4), on_progress=unheard, keep=ignored, stopped=never)
        == "budget"
    )
    assert state.step == steps


@pytest.mark.parametrize(
    ("bad", "ending", "times"),
    [(51, contextlib.nullcontext(), 1), (10_000, pytest.raises(TrainingError, match="diverged after"), 7)],
)
def test_steps_that_give_no_number_lead_back_to_the_best_weights(
    monkeypatch, bad, ending, times, softly_clipped, small_state
):
    """After fifty of them training goes on from there and slower; when nothing helps it ends in an error."""
    apply, left = TrainingState.apply, [bad]

    def gives_none(state: TrainingState, gradients: list[torch.Tensor], rate: float) -> bool:
        if len(state.curve) < 3 or not left[0]:
            return apply(state, gradients, rate)
        left[0] -= 1
        return False

    monkeypatch.setattr(TrainingState, "apply", gives_none)
    state = small_state()
    with ending:
        fit(state, softly_clipped(), Schedule(steps=640), on_progress=unheard, keep=ignored, stopped=never)
    assert state.slowed == pytest.approx(0.7**times)
    assert (state.step == 640) == (times == 1)


def test_short_budgets_are_looked_at_half_as_often_and_large_steps_by_their_average(
    monkeypatch, softly_clipped, small_state
):
    """Looks that take a tenth of a minute away, and at weights that err more than their average, are not worth it."""
    told: list[bool] = []

    def look(_: Watch, state: TrainingState, *, only_average: bool = False) -> None:
        told.append(only_average)
        state.curve.append(CurvePoint(seconds=state.seconds, step=state.step, esr=1.0))

    monkeypatch.setattr(Watch, "look", look)
    assert (Schedule(budget_seconds=60.0).looks, Schedule(budget_seconds=300.0).looks) == (8, 16)
    schedule = Schedule(steps=640)
    fit(small_state(), softly_clipped(), schedule, on_progress=unheard, keep=ignored, stopped=never)
    assert told == 8 * [True] + 8 * [False]


def test_stopping_ends_between_two_rounds_with_a_look(softly_clipped, small_state):
    """A stop within a round is obeyed at its end, where a training can go on exactly, and the weights are scored."""
    state = small_state()
    ended = fit(
        state,
        softly_clipped(),
        Schedule(steps=200),
        on_progress=unheard,
        keep=ignored,
        stopped=lambda: state.step >= 13,
    )
    assert (ended, state.step) == ("interrupted", 40)
    assert [point.step for point in state.curve][-1:] == [40]
    assert math.isfinite(state.best_esr)


def test_short_audio_is_learnt_in_shorter_rows_and_too_short_is_refused(softly_clipped, small_state):
    """One segment after its warm-up is enough; a frame less is a TrainingError with both numbers."""
    needed = (WARM_UP_SEGMENTS + 1) * SEGMENT_FRAMES
    state = small_state()
    enough = softly_clipped(seconds=needed / 48_000)
    assert enough.learnt_frames == needed
    fit(state, enough, Schedule(steps=3), on_progress=unheard, keep=ignored, stopped=never)
    assert state.step == 3
    short = replace(enough, learnt=(enough.learnt[0].excerpt(0, needed - 1),))
    with pytest.raises(TrainingError, match=f"{needed - 1} frames; at least {needed}"):
        fit(small_state(), short, Schedule(steps=3), on_progress=unheard, keep=ignored, stopped=never)


def test_audio_that_cannot_be_learnt_is_said_to_diverge(softly_clipped, small_state):
    """NaN in the dry moves no weight, and after fifty such steps training gives up with a TrainingError."""
    examples = softly_clipped()
    examples.learnt[0].dry[::500] = np.nan
    state = small_state()
    before = {name: tensor.clone() for name, tensor in state.effect.state_dict().items()}
    with pytest.raises(TrainingError, match="diverged after 0 steps"):
        fit(state, examples, Schedule(steps=200), on_progress=unheard, keep=ignored, stopped=never)
    assert all(torch.equal(tensor, before[name]) for name, tensor in state.effect.state_dict().items())


def test_with_nothing_to_watch_the_average_is_kept(softly_clipped, small_state):
    """A short capture has no watched audio: the averaged weights are the result, and there is no curve."""
    state = small_state()
    fit(state, softly_clipped(watched=False), Schedule(steps=40), on_progress=unheard, keep=ignored, stopped=never)
    assert state.curve == []
    assert all(torch.equal(state.best[name], mean) for name, mean in state.average.state_dict().items())


def test_the_crews_gradients_are_those_of_one_worker(softly_clipped, small_state):
    """Shared out over threads, rows give the loss and the gradients they give together."""
    examples, state = softly_clipped(), small_state()
    passage = examples.rows(np.random.default_rng(0), count=8, frames=96)
    torch.set_num_threads(2)
    with Crew(state.effect, examples) as crew:
        loss, gradients = crew.step(crew.begin(passage, warm_up=32), frames=64)
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    knobs = torch.from_numpy(examples.positions[passage.knobs])
    with torch.no_grad():
        _, warm = state.effect(torch.from_numpy(passage.dry[:, :32]), knobs[:, :32], state.effect.initial_state(8))
    predicted, _ = state.effect(torch.from_numpy(passage.dry[:, 32:]), knobs[:, 32:], warm)
    settings = torch.from_numpy(passage.knobs[:, 32:])
    expected = Loss.of_rows(examples)(torch.from_numpy(passage.wet[:, 32:]), predicted, settings)
    assert loss == pytest.approx(float(expected.detach()), rel=1e-5)
    for found, each in zip(gradients, torch.autograd.grad(expected, list(state.effect.parameters())), strict=True):
        assert torch.allclose(found, each, rtol=1e-3, atol=1e-5)
