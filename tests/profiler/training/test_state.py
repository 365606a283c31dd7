"""The state of a training: how it finds its way back when steps have led it away."""

import math

import pytest
import torch

from profiler.progress import unheard
from profiler.training.loop import Schedule, fit
from profiler.training.state import TrainingState
from profiler.training.watch import Watch

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("factor", [3.0, math.nan])
def test_training_that_slipped_goes_on_from_the_best_weights_and_slower(factor, softly_clipped, small_state):
    """Weights that err far more than before are given up, and the rate falls; those that err a little more are not."""
    examples, state = softly_clipped(), small_state()
    fit(state, examples, Schedule(steps=100), on_progress=unheard, keep=lambda _: None, stopped=lambda: False)
    watch, best = Watch(examples), state.best
    watch.look(state)
    assert state.slowed == 1
    for effect in (state.effect, state.average):
        with torch.no_grad():
            effect.out.weight.mul_(factor)
    watch.look(state)
    assert state.slowed < 1
    for effect in (state.effect, state.average):
        assert all(torch.equal(tensor, best[name]) for name, tensor in effect.state_dict().items())


def losses_of(state: TrainingState, losses: list[float]) -> list[int]:
    """Return where a state finds itself led astray by these losses."""
    return [number for number, loss in enumerate(losses) if state.is_led_astray(loss)]


def test_several_hard_batches_lead_back_to_the_average_and_slower(small_state):
    """Where eight in a row are far above the usual, the steps led there; then the usual ones count again."""
    state = small_state()
    with torch.no_grad():
        state.effect.out.weight.mul_(3.0)
    assert losses_of(state, 40 * [1.0] + 8 * [4.0] + 40 * [1.0]) == [47]
    assert state.slowed == pytest.approx(0.7)
    for name, mean in state.average.state_dict().items():
        assert torch.equal(state.effect.state_dict()[name], mean)


@pytest.mark.parametrize(
    "losses",
    [40 * [1.0] + 7 * [80.0] + 40 * [1.0], [*range(1, 90)], 20 * [1.0] + 8 * [9.0], 40 * [1.0, 9.0], 90 * [0.0]],
    ids=["seven", "rising", "early", "mixed", "silent"],
)
def test_hard_batches_alone_are_no_reason_to_go_back(small_state, losses):
    """Seven in a row, or a loss that climbs slowly, or some among the first thirty, or every other one."""
    state = small_state()
    weights = {name: tensor.clone() for name, tensor in state.effect.state_dict().items()}
    with torch.no_grad():
        for mean in state.average.parameters():
            mean.mul_(0.5)
    assert losses_of(state, losses) == []
    assert state.slowed == 1
    assert all(torch.equal(tensor, weights[name]) for name, tensor in state.effect.state_dict().items())


def test_the_losses_are_kept_with_the_rest(small_state):
    """A training that goes on from a checkpoint knows what was usual."""
    state = small_state()
    losses_of(state, [float(number) for number in range(100)])
    restored = TrainingState.restored(state.checkpoint("f"))
    assert restored.losses == state.losses == [float(number) for number in range(36, 100)]
