"""The convolutional effect keeps the contract of effects, and any of its settings is a plain network."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.effects import ConvolutionalEffect, build_effect
from profiler.effects.convolution import run_in_torch
from profiler.effects.network_shape import A2, LIGHT
from profiler.errors import ProfileError
from profiler.profile import Stage

FRAMES = 600
SMALL = {"channels": 4, "taps": [6, 6, 3], "dilations": [1, 7, 30], "head_taps": 8}


def lively(*, knob_positions: int = 2, seed: int = 0, **sizes: object) -> ConvolutionalEffect:
    """Return an effect of random weights whose knobs do something."""
    torch.manual_seed(seed)
    effect = ConvolutionalEffect(
        knob_positions=knob_positions, **{**SMALL, "input_scale": 4.0, "output_scale": 20.0, **sizes}
    )
    with torch.no_grad():
        if knob_positions:
            effect.shaper[-1].weight.normal_(0, 0.3)
            effect.shaper[-1].bias.normal_(0, 0.3)
    return effect.eval().requires_grad_(requires_grad=False)


def dry_and_knobs(*, channels: int, moving: bool, width: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noise (channels, frames) and positions (1, 1 or frames, width)."""
    generator = torch.Generator().manual_seed(channels)
    dry = torch.randn(channels, FRAMES, generator=generator) * 0.3
    return dry, torch.rand(1, FRAMES if moving else 1, width, generator=generator)


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(0, FRAMES), max_size=8).map(sorted),
    channels=st.sampled_from([1, 2]),
    moving=st.booleans(),
    seed=st.integers(0, 5),
)
def test_blocks_of_any_size_sound_like_the_whole(cuts: list[int], channels: int, moving: bool, seed: int):  # noqa: FBT001
    """Run block by block with its state carried along, the effect returns what it returns for the whole."""
    effect = lively(seed=seed)
    dry, knobs = dry_and_knobs(channels=channels, moving=moving)
    whole, _ = effect(dry, knobs, effect.initial_state(channels))
    state, blocks = effect.initial_state(channels), []
    for start, stop in zip([0, *cuts], [*cuts, FRAMES], strict=True):
        wet, state = effect(dry[:, start:stop], knobs[:, start:stop] if moving else knobs, state)
        blocks.append(wet)
    assert torch.allclose(torch.cat(blocks, dim=1), whole, rtol=0, atol=1e-5)
    assert float(whole.std()) > 0.01


def test_moving_knobs_turn_frame_by_frame():
    """At every frame of a movement the wet is that of a network held at the knobs of that frame, its past aside."""
    effect = lively(taps=[1], dilations=[1], head_taps=1)  # no past
    dry, knobs = dry_and_knobs(channels=1, moving=True)
    moving, _ = effect(dry, knobs, effect.initial_state(1))
    for frame in (0, 1, 299, 599):
        held, _ = effect(dry, knobs[:, frame : frame + 1], effect.initial_state(1))
        assert float((held[0, frame] - moving[0, frame]).abs()) < 1e-5


def test_a_moving_knob_that_stands_still_is_a_still_knob():
    """Knobs that move in one piece of a block and rest in the next give what the rests give alone."""
    effect = lively()
    dry = torch.randn(1, 5000, generator=torch.Generator().manual_seed(0)) * 0.3
    knobs = torch.full((1, 5000, 2), 0.25)
    knobs[:, 2500:2600] = torch.linspace(0.25, 0.75, 100)[None, :, None]
    knobs[:, 2600:] = 0.75
    moving, _ = effect(dry, knobs, effect.initial_state(1))
    before, _ = effect(dry, knobs[:, :1], effect.initial_state(1))
    after, _ = effect(dry, knobs[:, -1:], effect.initial_state(1))
    settled = 2600 + effect.memory_frames
    assert torch.allclose(moving[:, :2500], before[:, :2500], rtol=0, atol=1e-5)
    assert torch.allclose(moving[:, settled:], after[:, settled:], rtol=0, atol=1e-5)
    assert float((before - after).abs().max()) > 1e-2


@pytest.mark.parametrize("moving", [False, True])
def test_stereo_is_two_monos(moving: bool):  # noqa: FBT001
    """Each channel of a stereo signal sounds as it does alone."""
    effect = lively()
    dry, knobs = dry_and_knobs(channels=2, moving=moving)
    stereo, _ = effect(dry, knobs, effect.initial_state(2))
    for channel in (0, 1):
        mono, _ = effect(dry[channel : channel + 1], knobs, effect.initial_state(1))
        assert torch.allclose(stereo[channel], mono[0], rtol=0, atol=1e-6)
    assert float((stereo[0] - stereo[1]).abs().max()) > 0.01


def test_knobs_of_each_row_count_for_that_row():
    """In training every row has knobs of its own; a row's knobs change that row alone, along a table too."""
    effect = lively()
    dry, _ = dry_and_knobs(channels=2, moving=False)
    table = torch.tensor([[0.1, 0.9], [0.8, 0.2]])
    both, _ = effect(dry, table[:, None], effect.initial_state(2))
    along, _ = effect.along(dry, table, torch.tensor([[0], [1]]).expand(2, FRAMES), effect.initial_state(2))
    assert torch.allclose(along, both, rtol=0, atol=1e-6)
    for row in (0, 1):
        alone, _ = effect(dry[row : row + 1], table[row][None, None], effect.initial_state(1))
        assert torch.allclose(both[row], alone[0], rtol=0, atol=1e-6)


def test_what_is_learnt_is_what_is_played():
    """Training's pass over a window gives the wet that playing gives after the same past, to rounding."""
    effect = lively()
    dry, knobs = dry_and_knobs(channels=2, moving=False)
    played, _ = effect(dry, knobs, effect.initial_state(2))
    learnt = effect.learn(dry, effect.conditioned(knobs[:, 0]).expand(2, -1))
    assert learnt.shape == (2, FRAMES - effect.memory_frames)
    assert torch.allclose(learnt, played[:, effect.memory_frames :], rtol=0, atol=1e-5)


def test_any_setting_is_a_plain_network():
    """The baked weights, run as a network that knows no knobs, give the effect at that setting."""
    effect = lively()
    dry, knobs = dry_and_knobs(channels=1, moving=False)
    played, _ = effect(dry, knobs, effect.initial_state(1))
    baked = effect.bake(effect.conditioned(knobs[:, 0]))
    plain = run_in_torch(effect.shape, dry, baked)
    assert torch.allclose(plain, played[:, effect.memory_frames :], rtol=0, atol=1e-5)


def test_features_do_what_they_say():
    """A scale and a shift bend one channel before its activation; the gains multiply dry and wet."""
    effect = lively(taps=[1], dilations=[1], head_taps=1, channels=1)
    plain = effect.bake(torch.tensor([[1.0, 0.0, 1.0, 1.0]]))[0]
    parts = {part.name: part.start for part in effect.shape.parts}
    for features, name, expected in (
        ([3.0, 0.0, 1.0, 1.0], "convolution", 3 * plain[parts["convolution"]]),
        ([3.0, 0.5, 1.0, 1.0], "bias", 3 * plain[parts["bias"]] + 0.5),
        ([3.0, 0.0, 2.0, 1.0], "mix", 6 * plain[parts["mix"]]),
        ([1.0, 0.0, 2.0, 1.0], "entry", 2 * plain[parts["entry"]]),
        ([1.0, 0.0, 1.0, 5.0], "head", 5 * plain[parts["head"]]),
        ([3.0, 4.0, 5.0, 6.0], "residual", plain[parts["residual"]]),
    ):
        baked = effect.bake(torch.tensor([features]))[0]
        assert float(baked[parts[name]]) == pytest.approx(float(expected), rel=1e-6)


def test_gradients_reach_the_knobs():
    """Training moves the weights and all of the shaper."""
    effect = ConvolutionalEffect(knob_positions=2, **SMALL)
    with torch.no_grad():
        effect.shaper[-1].weight.normal_(0, 0.1)
    dry, knobs = dry_and_knobs(channels=1, moving=False)
    loss = effect.learn(dry, effect.conditioned(knobs[:, 0])).square().mean()
    for name, gradient in zip(
        dict(effect.named_parameters()), torch.autograd.grad(loss, list(effect.parameters())), strict=True
    ):
        assert gradient.abs().max() > 0, name


def test_silence_gives_silence():
    """At any setting, from the first frame on, while knobs jump and glide, and in training."""
    effect = lively(output_scale=1.0)
    with torch.no_grad():
        effect.weights.add_(0.1)  # biases that add up
    silence = torch.zeros(1, 1500)
    for at in (0.0, 0.3, 1.0):
        wet, _ = effect(silence, torch.full((1, 1, 2), at), effect.initial_state(1))
        assert float(wet.abs().max()) < 1e-6
    jump = torch.cat([torch.full((1, 500, 2), 0.2), torch.full((1, 1000, 2), 0.9)], dim=1)
    glide = torch.linspace(0.1, 0.8, 1500)[None, :, None].expand(1, 1500, 2)
    for moving in (jump, glide):
        wet, _ = effect(silence, moving, effect.initial_state(1))
        assert float(wet.abs().max()) < 1e-6
    state = effect.initial_state(1)
    for at in (0.2, 0.9, 0.4):  # jumps between blocks
        wet, state = effect(silence[:, :40], torch.full((1, 1, 2), at), state)
        assert float(wet.abs().max()) < 1e-6
    learnt = effect.learn(silence, effect.conditioned(torch.tensor([[0.7, 0.1]])))
    assert float(learnt.abs().max()) < 1e-6


def test_gear_without_knobs_works():
    """No knobs are positions of width 0; the effect plays all the same."""
    effect = lively(knob_positions=0)
    dry, _ = dry_and_knobs(channels=1, moving=False)
    wet, _ = effect(dry, torch.zeros(1, 1, 0), effect.initial_state(1))
    assert wet.shape == dry.shape
    assert float(wet.std()) > 0.01


def test_config_rebuilds_the_effect():
    """From its kind and config, and its weights, an effect comes back as it was."""
    effect = lively(slope=0.2, shaper=7)
    again = build_effect(Stage(kind=effect.kind, config=effect.config, prefix=""))
    again.load_state_dict(effect.state_dict())
    assert again.config == effect.config
    dry, knobs = dry_and_knobs(channels=1, moving=False)
    one, other = (each(dry, knobs, each.initial_state(1))[0] for each in (effect, again))
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    "change",
    [
        {"knob_positions": -1},
        {"knob_positions": 257},
        {"knob_positions": "2"},
        {"shaper": 0},
        {"shaper": 257},
        {"channels": 0},
        {"channels": 65},
        {"channels": 1.5},
        {"taps": []},
        {"taps": [6, 6]},
        {"taps": [6, 6, 65]},
        {"taps": [6, 6, 0]},
        {"taps": "666"},
        {"dilations": [1, 7, 10**9]},
        {"taps": [64] * 3, "dilations": [1, 1, 4000]},
        {"head_taps": 0},
        {"slope": math.nan},
        {"slope": 2.0},
        {"input_scale": 0.0},
        {"output_scale": math.inf},
        {"layers": 2},
    ],
)
def test_a_config_that_no_profile_has_is_refused(change: dict[str, object]):
    """Sizes out of bounds, of the wrong type or of another name are a ProfileError, before anything is allocated."""
    config = {**lively().config, **change}
    with pytest.raises(ProfileError, match="convolutional stage cannot be built"):
        build_effect(Stage(kind="convolutional", config=config, prefix=""))


def test_the_shapes_are_those_of_neural_amp_modeler():
    """A2 has the weights and the history that its players expect, less the head's scale; the half costs half."""
    assert A2.weight_count == 12_146 - 1
    assert A2.history + 1 == 6_347
    assert A2.layers == 23
    assert LIGHT.multiply_adds < 6_000 < A2.multiply_adds < 12_000


def test_sparse_knobs_act_on_a_straight_line():
    """Half-way between two places every scale and shift is half-way, and the gains are their geometric middle."""
    effect = lively(sparse=[1])
    with torch.no_grad():
        effect.line.weight.normal_(0, 0.3)
    low, middle, high = (effect.conditioned(torch.tensor([[0.4, at]]))[0] for at in (0.0, 0.5, 1.0))
    assert torch.allclose(middle[:-2], (low + high)[:-2] / 2, atol=1e-6)
    assert torch.allclose(middle[-2:], (low * high)[-2:].sqrt(), rtol=1e-5)
    assert float((high - low).abs().min()) > 0
    for sparse in ([2], [-1], [0.5]):
        with pytest.raises(ProfileError, match="sparse is"):
            build_effect(Stage(kind="convolutional", config={**effect.config, "sparse": sparse}, prefix=""))


def test_restraint_leaves_the_gains():
    """What pulls on a sparse knob's line shrinks all of it but the gains."""
    effect = lively(sparse=[0])
    with torch.no_grad():
        effect.line.weight.fill_(1.0)
    effect.restrain(0.25)
    assert effect.line.weight[:-2].unique().tolist() == [0.75]
    assert effect.line.weight[-2:].unique().tolist() == [1.0]


def test_restraint_shrinks_what_multiplies():
    """Weights that an activation's flat side hides do not grow for ever; biases, head and gains stay as they are."""
    effect = lively()
    before = {name: tensor.clone() for name, tensor in effect.state_dict().items()}
    effect.restrain(0.25)
    for part in effect.shape.parts:
        was, now = (weights[part.start : part.stop] for weights in (before["weights"], effect.weights))
        shrunk = part.name in ("convolution", "mix", "residual")
        assert torch.allclose(now, was * (0.975 if shrunk else 1.0))
    last = effect.shaper[-1].weight
    assert torch.allclose(last[:-2], before["shaper.4.weight"][:-2] * 0.975)
    assert torch.equal(last[-2:], before["shaper.4.weight"][-2:])
