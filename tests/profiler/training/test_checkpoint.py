"""Checkpoints: a training goes on from one exactly, and from no other."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from profiler.effects import ConvolutionalEffect, Effect, RecurrentEffect
from profiler.errors import StorageError, TrainingError
from profiler.profile import CurvePoint
from profiler.training.checkpoint import checkpoint_path, read_checkpoint, write_checkpoint
from profiler.training.state import TrainingState


def recurrent() -> Effect:
    """Return a small recurrent effect."""
    return RecurrentEffect(knob_positions=1, hidden=3, features=2, shaper=4)


def convolutional() -> Effect:
    """Return a small convolutional effect, whose optimizer keeps bases and whose gradients have a history."""
    return ConvolutionalEffect(knob_positions=1, channels=2, taps=[3, 3], dilations=[1, 2], shaper=4)


def state_after(steps: int, *, seed: int = 0, effect: Callable[[], Effect] = recurrent) -> TrainingState:
    """Return the state of a small training some steps on, whose gradients are random."""
    torch.manual_seed(seed)
    state = TrainingState.fresh(effect(), seed=seed)
    go_on(state, steps)
    return state


def go_on(state: TrainingState, steps: int) -> None:
    """Take steps down gradients that the state's own generator draws."""
    for _ in range(steps):
        gradients = [
            torch.from_numpy(state.rng.normal(size=tuple(each.shape)).astype(np.float32))
            for each in state.effect.parameters()
        ]
        assert state.apply(gradients, 1.0)


def tensors(state: TrainingState) -> dict[str, torch.Tensor]:
    """Return every tensor that the state holds."""
    return dict(state.checkpoint("x").tensors)


@pytest.mark.parametrize("effect", [recurrent, convolutional])
def test_a_restored_training_goes_on_as_if_it_had_never_stopped(tmp_path: Path, effect: Callable[[], Effect]):
    """Weights, average, optimizer and generator come back to the last bit, so the next steps are the same."""
    path = tmp_path / "checkpoint"
    stopped = state_after(13, effect=effect)
    stopped.curve, stopped.best_esr, stopped.seconds = [CurvePoint(seconds=1.5, step=5, esr=0.25)], 0.25, 2.125
    write_checkpoint(path, stopped.checkpoint("mine"))
    resumed = TrainingState.restored(read_checkpoint(path, fingerprint="mine"))
    assert (resumed.effect.kind, resumed.effect.config) == (stopped.effect.kind, stopped.effect.config)
    assert (resumed.step, resumed.seconds, resumed.best_esr) == (13, 2.125, 0.25)
    assert resumed.curve == stopped.curve
    for each in (stopped, resumed):
        go_on(each, 5)
    expected, found = tensors(stopped), tensors(resumed)
    assert expected.keys() == found.keys()
    assert {name.partition(".")[0] for name in found} == {"effect", "average", "best", "optimizer"}
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert stopped.rng.bit_generator.state == resumed.rng.bit_generator.state


def test_a_training_without_a_score_yet_is_restored(tmp_path: Path):
    """An error that is still infinite survives JSON."""
    write_checkpoint(tmp_path / "checkpoint", state_after(0).checkpoint("mine"))
    resumed = TrainingState.restored(read_checkpoint(tmp_path / "checkpoint", fingerprint="mine"))
    assert (resumed.best_esr, resumed.step) == (math.inf, 0)


def test_gradients_are_clipped_and_nan_is_not_followed():
    """A gradient of any size moves the weights alike; NaN moves nothing and is reported."""
    small, large = state_after(0), state_after(0)
    for state, size in ((small, 1.0), (large, 1e6)):
        assert state.apply([torch.full_like(each, size) for each in state.effect.parameters()], 0.01)
    for one, other in zip(small.effect.parameters(), large.effect.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    before = tensors(small)
    assert not small.apply([torch.full_like(each, math.nan) for each in small.effect.parameters()], 0.01)
    after = tensors(small)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert small.step == 1


def test_the_average_follows_the_weights():
    """Early on the average is near the weights, and pulled towards them by every step."""
    state = state_after(1)
    last = dict(state.effect.state_dict())
    for name, mean in state.average.state_dict().items():
        first = state.best[name]
        assert torch.allclose(mean, first + (last[name] - first) * (1 - 2 / 11), atol=1e-6)


def test_another_trainings_checkpoint_is_refused(tmp_path: Path):
    """The message says what may differ and how to start again."""
    write_checkpoint(tmp_path / "checkpoint", state_after(1).checkpoint("other"))
    with pytest.raises(TrainingError, match=r"another session, split, seed.*without --resume"):
        read_checkpoint(tmp_path / "checkpoint", fingerprint="mine")
    with pytest.raises(TrainingError, match="no stopped training"):
        read_checkpoint(tmp_path / "none", fingerprint="mine")


@pytest.mark.parametrize("damage", ["empty", "half", "text", "no values", "folded"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, damage: str):
    """Whatever happened to the file, the error is a TrainingError that says it is damaged."""
    path = tmp_path / "checkpoint"
    write_checkpoint(path, state_after(2).checkpoint("mine"))
    whole = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "half": whole[: len(whole) // 2],
            "text": b"this is not a checkpoint at all, but long enough to be one",
            "no values": whole.replace(b'"values"', b'"valves"'),
            "folded": whole[:200] + whole[300:],
        }[damage]
    )
    with pytest.raises(TrainingError, match="is damaged"):
        read_checkpoint(path, fingerprint="mine")


def test_a_checkpoint_replaces_the_one_before_whole(tmp_path: Path):
    """Writing again leaves one file, and one that cannot be written leaves the old one."""
    path = tmp_path / "checkpoint"
    for steps in (1, 2):
        write_checkpoint(path, state_after(steps).checkpoint("mine"))
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint"]
    assert read_checkpoint(path, fingerprint="mine").values["step"] == 2
    with pytest.raises(StorageError):
        write_checkpoint(path / "below", state_after(1).checkpoint("mine"))


def test_the_checkpoint_lies_hidden_beside_its_profile():
    """Each profile has a checkpoint of its own, which no listing of profiles shows."""
    assert checkpoint_path(Path("a/b.tonecast")) == Path("a/.b.tonecast.checkpoint")
