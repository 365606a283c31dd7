"""The convolution: the engine and torch give the same, forwards, backwards and in blocks of any size."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.effects import convolution
from profiler.effects.convolution import SIMD_VARIABLE, learn, play, play_in_torch, run_in_torch, silent_state
from profiler.effects.network_shape import A2, LIGHT, NetworkShape

try:
    from profiler import _engine as engine
except ImportError:
    engine = None

pytestmark = pytest.mark.usefixtures("_engine_is_there")


@pytest.fixture(scope="module", autouse=True)
def _engine_is_there(missing: Callable[[str, str], None]) -> None:
    if engine is None:
        missing("engine", "the engine was not built: there was no compiler")


SHAPES = {
    "A2": A2,
    "light": LIGHT,
    "narrow": NetworkShape(channels=3, taps=A2.taps, dilations=A2.dilations),
    "wide": NetworkShape(channels=16, taps=(6, 3), dilations=(2, 100), head_taps=4),
    "odd": NetworkShape(channels=11, taps=(6, 1), dilations=(700, 1), head_taps=1, slope=0.3),
    "one": NetworkShape(channels=1, taps=(2,), dilations=(1,), head_taps=1),
}


@pytest.fixture(params=engine.simd_names())
def simd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Hold the engine to one of the instruction sets that this machine can run."""
    monkeypatch.setenv(SIMD_VARIABLE, request.param)
    return request.param


def drawn(shape: NetworkShape, *, rows: int, frames: int, weight_rows: int | None = None) -> tuple[torch.Tensor, ...]:
    """Return dry with its history, and weights, that make activations of both signs in every layer."""
    generator = torch.Generator().manual_seed(0)
    dry = 0.3 * torch.randn(rows, shape.history + frames, generator=generator)
    weights = torch.randn(weight_rows or rows, shape.weight_count, generator=generator) / (3 * shape.channels**0.5)
    return dry, weights


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return the largest difference beside the largest value."""
    return float((one - other).abs().max() / other.abs().max())


@lru_cache
def in_torch(name: str, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return wet and gradients of three rows by torch alone."""
    return gradients_by(run_in_torch, SHAPES[name], frames)


def gradients_by(
    run: Callable[..., torch.Tensor], shape: NetworkShape, frames: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return wet, and the gradient of a weighted sum of it, for three rows."""
    dry, weights = drawn(shape, rows=3, frames=frames)
    leaf = weights.requires_grad_()
    wet = run(shape, dry, leaf)
    target = torch.cos(torch.arange(wet.numel())).reshape(wet.shape)
    (gradient,) = torch.autograd.grad((wet * target).sum(), leaf)
    return wet.detach(), gradient


@pytest.mark.parametrize("frames", [1, 1700])
@pytest.mark.parametrize("name", SHAPES)
def test_the_engine_gives_what_torch_gives(name: str, frames: int, simd: str):
    """Wet within 1e-5, the gradient of each row's weights within 1e-3 of it, for every instruction set."""
    wet, gradient = gradients_by(learn, SHAPES[name], frames)
    expected_wet, expected_gradient = in_torch(name, frames)
    assert wet.shape == (3, frames)
    assert distance(wet, expected_wet) < 1e-5
    # Where a pre-activation is zero to rounding, the slope taken there is chance, in torch as well: one such frame
    # costs a row up to a hundredth, and one row in twenty has one.
    off = sorted(
        float((own - expected).norm() / expected.norm())
        for own, expected in zip(gradient, expected_gradient, strict=True)
    )
    assert off[1] < 1e-3
    assert off[2] < 2e-2


def test_every_gradient_is_right_on_its_own(simd: str):
    """No tensor of the network hides behind a larger one: each one's gradient is within 1e-3 of torch's."""
    dry, weights = drawn(A2, rows=1, frames=2000)
    one, other = weights.clone().requires_grad_(), weights.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(learn(A2, dry, one).square().sum(), one)
    (expected,) = torch.autograd.grad(run_in_torch(A2, dry, other).square().sum(), other)
    unused = {("residual", A2.layers - 1), ("residual_bias", A2.layers - 1)}
    for part in A2.parts:
        own, right = gradient[0, part.start : part.stop], expected[0, part.start : part.stop]
        if (part.name, part.layer) in unused:
            assert not own.any()
        else:
            assert float((own - right).norm() / right.norm()) < 1e-3, part


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("horizon", [0, 1, 480, 5000])
def test_a_horizon_is_where_gradients_end(simd: str, shape: NetworkShape, horizon: int):
    """With a horizon the wet is the same, and the gradient is that of torch with all before it detached."""
    dry, weights = drawn(shape, rows=2, frames=500)
    one, other = weights.clone().requires_grad_(), weights.clone().requires_grad_()
    whole = learn(shape, dry, one)
    wet = learn(shape, dry, one, horizon)
    assert torch.equal(wet, whole)
    (gradient,) = torch.autograd.grad(wet.square().sum(), one)
    (expected,) = torch.autograd.grad(run_in_torch(shape, dry, other, horizon).square().sum(), other)
    assert distance(gradient, expected) < 1e-4
    if shape is A2:
        (full,) = torch.autograd.grad(whole.square().sum(), one)
        assert (distance(gradient, full) > 1e-3) == (horizon < 1000)


def test_rows_share_weights(simd: str):
    """One row of weights serves all rows of audio, and every row's gradient comes back."""
    dry, weights = drawn(LIGHT, rows=4, frames=300, weight_rows=1)
    network = engine.Network(8, list(zip(LIGHT.taps, LIGHT.dilations, strict=True)), 16, LIGHT.slope, simd, 2)
    wet, passed = network.forward(dry.numpy(), weights.numpy())
    expected = run_in_torch(LIGHT, dry, weights.expand(4, -1))
    assert distance(torch.from_numpy(wet), expected) < 1e-5
    assert passed.backward(np.ones_like(wet)).shape == (4, LIGHT.weight_count)
    with pytest.raises(ValueError, match="gone back through"):
        passed.backward(np.ones_like(wet))


def test_threads_change_nothing():
    """Rows shared out over threads, and memory used again, give the same to the last bit."""
    dry, weights = (each.numpy() for each in drawn(LIGHT, rows=5, frames=700))
    layers = list(zip(LIGHT.taps, LIGHT.dilations, strict=True))
    found = []
    for threads in (1, 2, 3):
        network = engine.Network(8, layers, 16, LIGHT.slope, "", threads)
        for _ in range(2):
            wet, passed = network.forward(dry, weights)
            found.append((wet, passed.backward(np.cos(wet))))
    assert all(np.array_equal(wet, found[0][0]) and np.array_equal(gradient, found[0][1]) for wet, gradient in found)


def test_what_does_not_fit_is_refused():
    """Shapes that do not belong together are a ValueError, not a crash."""
    network = engine.Network(2, [(3, 2)], 4, 0.01)
    dry, weights = np.zeros((2, 50), np.float32), np.zeros((2, network.weight_count), np.float32)
    state = np.zeros((2, network.state_size), np.float32)
    for bad in (
        lambda: network.forward(dry[:, : network.history].copy(), weights),
        lambda: network.forward(dry, weights[:, 1:].copy()),
        lambda: network.forward(dry, np.zeros((3, network.weight_count), np.float32)),
        lambda: network.play(dry, weights, state[:, 1:].copy()),
        lambda: network.play(dry, weights, state, np.zeros((2, 1, 2, 2, 49), np.float32)),
        lambda: network.forward(dry, weights)[1].backward(dry),
        lambda: engine.Network(0, [(3, 2)], 4, 0.01),
        lambda: engine.Network(2, [], 4, 0.01),
        lambda: engine.Network(2, [(3, 0)], 4, 0.01),
        lambda: engine.Network(2, [(3, 2)], 4, 0.01, "abacus"),
    ):
        with pytest.raises(ValueError, match=r"\w+"):
            bad()


@pytest.mark.parametrize("name", SHAPES)
def test_blocks_of_any_size_give_what_the_whole_gives(name: str, simd: str):
    """Played in blocks from one frame up, with and without moving film, the wet is that of one go, and torch's."""
    shape = SHAPES[name]
    frames = 1700
    dry, weights = drawn(shape, rows=2, frames=frames - shape.history if frames > shape.history else 1)
    dry, weights = dry[:, :frames], weights[:1]
    generator = torch.Generator().manual_seed(1)
    moving = 1 + 0.3 * torch.randn(2, shape.layers, 2, shape.channels, dry.shape[1], generator=generator)
    for film in (None, moving):
        state = torch.zeros(2, shape.state_size)
        expected = play_in_torch(shape, dry, weights, state.clone(), film)
        whole_state = state.clone()
        whole = play(shape, dry, weights, whole_state, film)
        assert distance(whole, expected) < 2e-5
        cuts = [at for at in (1, 2, 50, 97, 800, 801) if at < dry.shape[1]]
        pieces = []
        for start, stop in zip((0, *cuts), (*cuts, dry.shape[1]), strict=True):
            part = None if film is None else film[..., start:stop]
            pieces.append(play(shape, dry[:, start:stop], weights, state, part))
        assert torch.equal(torch.cat(pieces, dim=1), whole)
        assert torch.equal(state, whole_state)


def test_each_row_may_play_with_weights_of_its_own(simd: str):
    """Two rows at two settings give what each gives alone."""
    dry, weights = drawn(LIGHT, rows=2, frames=100)
    state = torch.zeros(2, LIGHT.state_size)
    both = play(LIGHT, dry, weights, state)
    for row in range(2):
        alone = play(LIGHT, dry[row : row + 1], weights[row : row + 1], torch.zeros(1, LIGHT.state_size))
        assert torch.equal(both[row], alone[0])


def test_silence_leaves_a_state_that_stays(simd: str):
    """After the silent state, silence gives the same number frame after frame."""
    _, weights = drawn(LIGHT, rows=1, frames=1)
    state = silent_state(LIGHT, weights)
    wet = play(LIGHT, torch.zeros(1, 500), weights, state)
    assert distance(wet, wet[:, :1].expand_as(wet)) < 1e-5


def test_without_the_engine_torch_does_it(monkeypatch: pytest.MonkeyPatch):
    """Where there is no engine, or when it is told to, torch alone learns and plays the same."""
    dry, weights = drawn(LIGHT, rows=2, frames=200)
    expected = learn(LIGHT, dry, weights)
    monkeypatch.setenv(SIMD_VARIABLE, "torch")
    assert convolution.engine_name() == "torch"
    assert distance(learn(LIGHT, dry, weights), expected) < 1e-5
    monkeypatch.delenv(SIMD_VARIABLE)
    monkeypatch.setattr(convolution, "_engine", None)
    assert convolution.engine_name() == "torch"
    assert distance(learn(LIGHT, dry, weights), expected) < 1e-5


@settings(deadline=None, max_examples=25)
@given(
    channels=st.integers(1, 9),
    layers=st.lists(st.tuples(st.integers(1, 7), st.integers(1, 60)), min_size=1, max_size=4),
    head_taps=st.integers(1, 9),
    frames=st.integers(1, 900),
)
def test_any_shape_learns_as_in_torch(channels: int, layers: list[tuple[int, int]], head_taps: int, frames: int):
    """Whatever the taps, dilations and lengths, both passes agree with torch."""
    taps, dilations = (tuple(each) for each in zip(*layers, strict=True))
    # A straight activation has no place where the slope is chance.
    shape = NetworkShape(channels=channels, taps=taps, dilations=dilations, head_taps=head_taps, slope=1.0)
    dry, weights = drawn(shape, rows=2, frames=frames)
    one, other = weights.clone().requires_grad_(), weights.clone().requires_grad_()
    wet, expected = learn(shape, dry, one), run_in_torch(shape, dry, other)
    assert distance(wet.detach(), expected.detach()) < 1e-5
    (gradient,) = torch.autograd.grad(wet.square().sum(), one)
    (right,) = torch.autograd.grad(expected.square().sum(), other)
    assert float((gradient - right).norm()) <= 1e-3 * float(right.norm())
