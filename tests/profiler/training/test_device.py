"""Where training runs: the choice of a device, and on a GPU the same steps as on the processor."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from profiler.effects import ConvolutionalEffect, RecurrentEffect
from profiler.effects.convolution import play, run_in_torch
from profiler.effects.convolution_cuda import learn_silenced
from profiler.effects.network_shape import A2, LIGHT, NetworkShape
from profiler.errors import TrainingError
from profiler.session_folder import SessionFolder
from profiler.training import Schedule, TrainingPlan, train, training_device, windows
from profiler.training.checkpoint import checkpoint_path
from profiler.training.device import PROCESSOR, placed
from profiler.training.examples import Examples, Passage
from profiler.training.replay import Replay
from profiler.training.state import TrainingState
from profiler.training.watch import Watch
from profiler.training.windows import Windows

GPU = torch.device("cuda")
on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
SHAPES = {"A2": A2, "light": LIGHT, "odd": NetworkShape(channels=11, taps=(6, 1), dilations=(700, 1), head_taps=1)}


def examples_of_a_drive(*, settings: int = 3) -> Examples:
    """Return three seconds at each of some settings of a drive, and a second of each to watch."""
    rng = np.random.default_rng(0)
    parts = []
    for number in range(settings):
        dry = (0.2 * rng.standard_normal(192_000)).astype(np.float32)
        wet = np.tanh((1 + number) * dry).astype(np.float32)
        knobs = np.full(len(dry), number, np.int32)
        parts.append(Passage(dry=dry, wet=wet, knobs=knobs, counts=np.ones(len(dry), np.bool_)))
    positions = np.linspace(0, 1, settings, dtype=np.float32)[:, None]
    learnt, watched = (tuple(each.excerpt(*span) for each in parts) for span in ((0, 144_000), (144_000, 192_000)))
    return Examples(learnt=learnt, watched=watched, positions=positions)


def fresh(device: torch.device, *, sparse: Sequence[int] = ()) -> TrainingState:
    """Return the state of an effect with a knob, which is the same on every device."""
    torch.manual_seed(1)
    return TrainingState.fresh(
        placed(ConvolutionalEffect(knob_positions=1, **LIGHT.config, sparse=sparse), device), seed=2
    )


def far(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return the difference beside what is expected, of tensors on any devices."""
    return float((one.cpu() - other.cpu()).norm() / other.cpu().norm().clamp_min(1e-12))


def test_a_device_that_is_not_there_is_refused_in_words(monkeypatch: pytest.MonkeyPatch):
    """A misspelt one is told which there are; where there is no GPU, auto is the processor and cuda says why not."""
    with pytest.raises(TrainingError, match=r"no device 'gpu'.*auto, cpu, cuda"):
        training_device("gpu")
    assert training_device("cpu") == PROCESSOR
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert training_device("auto") == PROCESSOR
    with pytest.raises(TrainingError, match=r"GPU was asked for, and .* Train with --device cpu, or auto"):
        training_device("cuda")


def test_a_gpu_that_fails_is_passed_over(monkeypatch: pytest.MonkeyPatch):
    """One that torch lists and cannot run anything on is no reason not to train."""

    def fails(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nmore")

    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Quadro 4000")
    monkeypatch.setattr(torch, "ones", fails)
    assert training_device("auto") == PROCESSOR
    with pytest.raises(TrainingError, match=r"the Quadro 4000 does not work: CUDA error: no kernel image .* device\."):
        training_device("cuda")


def test_recurrent_effects_stay_on_the_processor():
    """They would be slower elsewhere."""
    effect = RecurrentEffect(knob_positions=1)
    assert placed(effect, torch.device("meta")) is effect
    assert effect.device == PROCESSOR


@pytest.mark.parametrize("device", [PROCESSOR, pytest.param(GPU, marks=on_gpu)], ids=["cpu", "gpu"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_a_gpu_learns_by_is_the_same_network(shape: NetworkShape, device: torch.device):
    """Wet and the gradient of every row's weights are those of torch's own convolutions less their silence."""
    generator = torch.Generator().manual_seed(0)
    dry = 0.3 * torch.randn(3, shape.history + 170, generator=generator, dtype=torch.double)
    weights = torch.randn(3, shape.weight_count, generator=generator, dtype=torch.double) / (3 * shape.channels**0.5)
    weights.requires_grad_()
    expected = run_in_torch(shape, dry, weights) - run_in_torch(shape, 0 * dry[:, : shape.history + 1], weights)
    own = weights.detach().to(device).requires_grad_()
    got = learn_silenced(shape, dry.to(device), own)
    assert far(got.detach(), expected.detach()) < 1e-12
    target = torch.cos(torch.arange(expected.numel(), dtype=torch.double)).reshape(expected.shape)
    (right,) = torch.autograd.grad((expected * target).sum(), weights)
    (gradient,) = torch.autograd.grad((got * target.to(device)).sum(), own)
    assert far(gradient, right) < 1e-12


def test_a_full_gpu_is_told_in_words(monkeypatch: pytest.MonkeyPatch):
    """The way out is in the message."""

    def fails(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Replay, "_record", fails)
    with pytest.raises(TrainingError, match=r"too little memory free\. .* --device cpu"):
        Replay(lambda: ())()


@on_gpu
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_gpu_plays_the_same_network(shape: NetworkShape):
    """The wet and the state after it are those of the processor."""
    generator = torch.Generator().manual_seed(0)
    dry = 0.3 * torch.randn(3, 5000, generator=generator)
    weights = torch.randn(3, shape.weight_count, generator=generator) / (3 * shape.channels**0.5)
    found = []
    for device in (PROCESSOR, GPU):
        state = torch.zeros(3, shape.state_size, device=device)
        found.append((play(shape, dry.to(device), weights.to(device), state), state))
    assert all(far(got, expected) < 1e-5 for expected, got in zip(*found, strict=True))


@on_gpu
@pytest.mark.parametrize("sparse", [(), (0,)])
def test_steps_on_a_gpu_are_those_of_the_processor(monkeypatch: pytest.MonkeyPatch, sparse: Sequence[int]):
    """The same windows give the same losses and weights, step after step, though a GPU's steps are recorded ones."""
    monkeypatch.setattr(windows, "_GPU_ROWS", windows.ROWS)
    examples = examples_of_a_drive()
    losses, states = [], []
    for device in (PROCESSOR, GPU):
        state = fresh(device, sparse=sparse)
        with Windows(state.effect, examples) as lessons:
            told = []
            for _ in range(2):
                for loss, gradients in lessons.round(state.rng):
                    told.append(loss)
                    assert state.apply(gradients, 0.1)
        Watch(examples).look(state)
        losses.append(told)
        states.append(state)
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert sum(losses[0][-8:]) < 0.95 * sum(losses[0][:8])
    assert states[1].best_esr == pytest.approx(states[0].best_esr, rel=0.02)
    assert states[1].effect.device.type == "cuda"
    assert all(each.device == PROCESSOR for each in states[1].best.values())


@on_gpu
def test_moving_knobs_are_heard_alike():
    """A take through which the knob moves is scored the same on both devices."""
    examples = examples_of_a_drive()
    whole = examples.watched[0]
    wander = replace(whole, knobs=(np.arange(whole.frames) // 300 % 3).astype(np.int32))
    found = []
    for device in (PROCESSOR, GPU):
        state = fresh(device)
        Watch(replace(examples, watched=(wander,))).look(state)
        found.append(state.best_esr)
    assert found[1] == pytest.approx(found[0], rel=1e-3)


@on_gpu
def test_a_training_on_a_gpu_goes_on_without_it(captured: Path, tmp_path: Path):
    """A profile comes of it that learnt; stopped half-way, it goes on on the processor."""
    folder, out = SessionFolder.open(captured), tmp_path / "p.tonecast"
    plan = TrainingPlan(schedule=Schedule(steps=400), light=False, device=GPU)
    loaded = train(folder, plan, out)
    assert loaded.profile.provenance.device == torch.cuda.get_device_name()
    assert loaded.profile.provenance.curve[-1].esr < 0.2
    asked = iter([False] * 15)
    stopped = train(folder, plan, out, stopped=lambda: next(asked, True))
    assert 0 < stopped.profile.provenance.steps < 400
    assert checkpoint_path(out).is_file()
    resumed = train(folder, replace(plan, device=PROCESSOR), out, resume=True)
    assert resumed.profile.provenance.steps > stopped.profile.provenance.steps
    assert resumed.profile.provenance.device == "cpu"
