"""What watches a training: how it scores, and what it prefers."""

import math

import numpy as np
import pytest
import torch

from profiler.training.examples import Passage
from profiler.training.watch import Watch, standing_where_calm

pytestmark = pytest.mark.usefixtures("one_thread")


def test_knobs_that_hardly_move_stand_still_where_they_are_watched():
    """A slow turn stands an eighth of a second at a time where it was in the middle; jumps and fast turns stay."""
    positions = np.linspace(0, 1, 501, dtype=np.float32)[:, None]
    frames = np.arange(24_000)
    slow, fast, jump = frames // 1500, frames // 50, 400 * (frames > 7000)
    knobs = np.stack([slow, fast, jump]).astype(np.int32)
    silence = np.zeros(knobs.shape, np.float32)
    found = standing_where_calm(Passage(dry=silence, wet=silence, knobs=knobs, counts=silence == 0), positions).knobs
    assert found[0].tolist() == np.repeat([2, 6, 10, 14], 6000).tolist()
    assert np.array_equal(found[1:], knobs[1:])
    assert knobs[0, 0] == 0


def test_the_watch_never_prefers_weights_that_give_nan(softly_clipped, small_state):
    """Weights broken by NaN score infinity, and the best so far stay."""
    examples, state = softly_clipped(), small_state()
    watch = Watch(examples)
    watch.look(state)
    good, esr = state.best, state.best_esr
    for effect in (state.effect, state.average):
        with torch.no_grad():
            effect.out.weight.fill_(math.nan)
    watch.look(state)
    assert state.best is good
    assert state.best_esr == esr


def test_the_watch_scores_an_esr(softly_clipped, small_state):
    """What the watch calls an error is the ESR by hand, after an eighth of each row."""
    examples, state = softly_clipped(), small_state()
    Watch(examples).look(state)
    (watched,) = examples.watched
    knobs = torch.from_numpy(examples.positions[watched.knobs])[None]
    with torch.no_grad():
        predicted, _ = state.effect(torch.from_numpy(watched.dry)[None], knobs, state.effect.initial_state(1))
    error = (predicted[0].numpy() - watched.wet)[1200:]
    assert state.best_esr == pytest.approx(float(np.sum(error**2) / np.sum(watched.wet[1200:] ** 2)), rel=1e-4)
