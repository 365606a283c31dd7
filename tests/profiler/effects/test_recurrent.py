"""The recurrent effect keeps the contract of effects."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.effects import Effect, RecurrentEffect, build_effect
from profiler.effects.kinds import KINDS, build_stages
from profiler.errors import ProfileError
from profiler.profile import LoadedProfile, Profile, Provenance, Stage
from profiler.session import Gear

FRAMES = 600


def lively(*, knob_positions: int = 2, seed: int = 0, **sizes: int) -> RecurrentEffect:
    """Return an effect of random weights, larger than those training starts from, so that its state matters."""
    torch.manual_seed(seed)
    effect = RecurrentEffect(knob_positions=knob_positions, input_scale=4.0, output_scale=0.5, **sizes)
    with torch.no_grad():
        for parameter in effect.parameters():
            parameter.mul_(2)
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
    whole, last = effect(dry, knobs, effect.initial_state(channels))
    state, blocks = effect.initial_state(channels), []
    for start, stop in zip([0, *cuts], [*cuts, FRAMES], strict=True):
        if start == stop:
            continue
        wet, state = effect(dry[:, start:stop], knobs[:, start:stop] if moving else knobs, state)
        blocks.append(wet)
    assert torch.allclose(torch.cat(blocks, dim=1), whole, rtol=0, atol=1e-5)
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(state, last, strict=True))
    assert float(whole.std()) > 0.01


def test_state_is_what_joins_blocks():
    """Without the state of the block before it a block sounds otherwise, so the property above says something."""
    effect = lively()
    dry, knobs = dry_and_knobs(channels=1, moving=False)
    whole, _ = effect(dry, knobs, effect.initial_state(1))
    alone, _ = effect(dry[:, 300:], knobs, effect.initial_state(1))
    assert float((alone - whole[:, 300:]).abs().max()) > 1e-3


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
    """In training every row has knobs of its own; a row's knobs change that row alone."""
    effect = lively()
    dry, _ = dry_and_knobs(channels=2, moving=False)
    knobs = torch.tensor([[[0.1, 0.9]], [[0.8, 0.2]]])
    both, _ = effect(dry, knobs, effect.initial_state(2))
    for row in (0, 1):
        alone, _ = effect(dry[row : row + 1], knobs[row : row + 1], effect.initial_state(1))
        assert torch.allclose(both[row], alone[0], rtol=0, atol=1e-6)


def test_a_moving_knob_that_stands_still_is_a_still_knob():
    """Per-frame positions that never change give what the one position gives."""
    effect = lively()
    dry, knobs = dry_and_knobs(channels=1, moving=False)
    still, _ = effect(dry, knobs, effect.initial_state(1))
    held, _ = effect(dry, knobs.expand(1, FRAMES, 2), effect.initial_state(1))
    assert torch.allclose(still, held, rtol=0, atol=1e-6)


def test_a_knob_is_heard_from_its_frame_on():
    """Positions that change at frame 200 leave all frames before it as they were, and change that frame."""
    effect = lively()
    dry, knobs = dry_and_knobs(channels=1, moving=False)
    moved = knobs.expand(1, FRAMES, 2).clone()
    moved[:, 200:] = 1 - moved[:, 200:]
    before, _ = effect(dry, knobs, effect.initial_state(1))
    after, _ = effect(dry, moved, effect.initial_state(1))
    assert torch.allclose(before[:, :200], after[:, :200], rtol=0, atol=1e-6)
    assert float((before[:, 200] - after[:, 200]).abs()) > 1e-5


def test_gear_without_knobs_works():
    """No knobs are positions of width 0; the effect plays all the same."""
    effect = lively(knob_positions=0)
    dry, _ = dry_and_knobs(channels=1, moving=False)
    wet, _ = effect(dry, torch.zeros(1, 1, 0), effect.initial_state(1))
    assert wet.shape == dry.shape
    assert float(wet.std()) > 0.01


def test_the_wet_follows_the_gears_levels():
    """Dry at another level with the input scale turned the other way is the same sound, and the output scale a gain."""
    dry, knobs = dry_and_knobs(channels=1, moving=False)
    plain, quiet = lively(), lively()
    quiet.input_scale, quiet.output_scale = plain.input_scale * 100, plain.output_scale * 3
    one, _ = plain(dry, knobs, plain.initial_state(1))
    other, _ = quiet(dry / 100, knobs, quiet.initial_state(1))
    assert torch.allclose(3 * one, other, rtol=1e-3, atol=1e-5)


def test_config_rebuilds_the_effect():
    """From its kind and config, and its weights, an effect comes back as it was."""
    effect = lively(hidden=5, features=3, shaper=7)
    again = build_effect(Stage(kind=effect.kind, config=effect.config, prefix=""))
    again.load_state_dict(effect.state_dict())
    assert again.config == effect.config
    dry, knobs = dry_and_knobs(channels=1, moving=False)
    one, other = (each(dry, knobs, each.initial_state(1))[0] for each in (effect, again))
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    "config",
    [
        {"knob_positions": -1},
        {"knob_positions": 257},
        {"knob_positions": 1, "hidden": 0},
        {"knob_positions": 1, "hidden": 10**9},
        {"knob_positions": 1, "features": 65},
        {"knob_positions": 1, "shaper": 257},
        {"knob_positions": 1.5},
        {"knob_positions": "2"},
        {"knob_positions": 1, "input_scale": 0.0},
        {"knob_positions": 1, "output_scale": float("nan")},
        {"knob_positions": 1, "output_scale": float("inf")},
        {"knob_positions": 1, "output_scale": "loud"},
        {"knob_positions": 1, "layers": 2},
        {},
    ],
)
def test_a_config_that_no_profile_has_is_refused(config: dict[str, object]):
    """Sizes out of bounds, of the wrong type or of another name are a ProfileError, before anything is allocated."""
    with pytest.raises(ProfileError, match="recurrent stage cannot be built"):
        build_effect(Stage(kind="recurrent", config=config, prefix=""))


def test_an_unknown_kind_is_refused():
    """A stage from a newer program names its kind and what this one plays."""
    with pytest.raises(ProfileError, match=r"'wavenet'.*recurrent"):
        build_effect(Stage(kind="wavenet", config={}, prefix=""))


def test_every_kind_is_an_effect_under_its_own_name():
    """The registry finds each class by the kind it declares."""
    assert KINDS["recurrent"] is RecurrentEffect
    assert all(issubclass(each, Effect) and each.kind == kind for kind, each in KINDS.items())


def loaded(effect: RecurrentEffect, weights: dict[str, np.ndarray], *, prefixes: tuple[str, ...]) -> LoadedProfile:
    """Return a profile with one stage a prefix, all of the effect's config."""
    nothing_learnt = Provenance(
        learnt=(), hold_outs=(), seed=0, steps=0, seconds=0, audio_seconds=0, limited_by="steps", curve=(), versions={}
    )
    profile = Profile(
        name="x",
        gear=Gear(name="x", kind="plugin"),
        knobs=(),
        sample_rate=48_000,
        stages=tuple(Stage(kind=effect.kind, config=effect.config, prefix=prefix) for prefix in prefixes),
        latency_frames=0,
        golden_settings={},
        provenance=nothing_learnt,
    )
    silence = np.zeros((1, 1), np.float32)
    return LoadedProfile(profile=profile, weights=weights, golden_dry=silence, golden_wet=silence)


def test_two_stages_are_built_in_order_from_their_own_tensors():
    """A profile of two stages finds each one's weights by its prefix."""
    first, second = lively(knob_positions=0, seed=1), lively(knob_positions=0, seed=2)
    weights = {"0." + name: tensor.numpy() for name, tensor in first.state_dict().items()}
    weights |= {"1." + name: tensor.numpy() for name, tensor in second.state_dict().items()}
    built = build_stages(loaded(first, weights, prefixes=("0.", "1.")))
    assert torch.equal(built[0].state_dict()["out.weight"], first.out.weight)
    assert torch.equal(built[1].state_dict()["out.weight"], second.out.weight)


def test_tensors_must_be_those_that_the_stages_name():
    """A tensor that is missing, of another shape or left over, and a profile without stages, are refused."""
    effect = lively(knob_positions=0)
    weights = {"0." + name: tensor.numpy() for name, tensor in effect.state_dict().items()}
    short = {name: tensor for name, tensor in weights.items() if name != "0.out.bias"}
    with pytest.raises(ProfileError, match=r"0\.out\.bias.*found nothing"):
        build_stages(loaded(effect, short, prefixes=("0.",)))
    with pytest.raises(ProfileError, match=r"0\.out\.weight.*found shape \(2, 2\)"):
        build_stages(loaded(effect, weights | {"0.out.weight": np.zeros((2, 2), np.float32)}, prefixes=("0.",)))
    with pytest.raises(ProfileError, match="no stage uses"):
        build_stages(loaded(effect, weights | {"9.extra": np.zeros(1, np.float32)}, prefixes=("0.",)))
    with pytest.raises(ProfileError, match="has 0 stages"):
        build_stages(loaded(effect, {}, prefixes=()))


def test_sparse_knobs_act_on_a_straight_line():
    """Midway between two places of a sparse knob every logarithm of a gain is the mean; other knobs may bend."""
    torch.manual_seed(3)
    effect = RecurrentEffect(knob_positions=2, sparse=[0])
    with torch.no_grad():
        effect.line.weight.copy_(torch.randn_like(effect.line.weight))
        effect.shaper[0].weight.mul_(5)

    def gains(gain: float, tone: float) -> torch.Tensor:
        return effect.conditioned(torch.tensor([[[float(gain), float(tone)]]]))[0, 0, -3:].log().detach()

    for tone in (0.0, 0.3, 1.0):
        assert torch.allclose(gains(0.5, tone), (gains(0, tone) + gains(1, tone)) / 2, atol=1e-5)
    assert float((gains(0, 0.5) - (gains(0, 0) + gains(0, 1)) / 2).abs().max()) > 0.01
    assert RecurrentEffect(**effect.config).line.weight.shape == effect.line.weight.shape


def test_sparse_knobs_are_restrained_in_all_but_the_gains():
    """A step draws what is no gain towards nothing by its rate, and leaves the gains alone."""
    effect = RecurrentEffect(knob_positions=1, sparse=[0])
    torch.nn.init.ones_(effect.line.weight)
    effect.restrain(0.25)
    assert torch.allclose(effect.line.weight[:-3], torch.tensor(0.75))
    assert torch.allclose(effect.line.weight[-3:], torch.tensor(1.0))


@pytest.mark.parametrize("sparse", [[2], [-1], ["0"], [0.0], [0, 1, 5]])
def test_sparse_positions_must_be_there(sparse):
    """A stranger's config that names positions that do not exist is refused."""
    with pytest.raises(ValueError, match="sparse"):
        RecurrentEffect(knob_positions=2, sparse=sparse)
