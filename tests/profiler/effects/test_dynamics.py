"""The dynamics effect: the contract of effects, and the level that it hears."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.effects import DynamicsEffect
from profiler.effects.kinds import KINDS

FRAMES = 500


def lively(seed: int = 0, *, knob_positions: int = 2) -> DynamicsEffect:
    """Return an effect of large random weights, so that all it remembers matters."""
    torch.manual_seed(seed)
    effect = DynamicsEffect(knob_positions=knob_positions, input_scale=3.0)
    with torch.no_grad():
        for parameter in effect.parameters():
            parameter.mul_(2).add_(torch.randn_like(parameter) * 0.1)
    return effect.eval().requires_grad_(requires_grad=False)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, FRAMES), max_size=8).map(sorted), channels=st.sampled_from([1, 2]))
def test_blocks_of_any_size_sound_like_the_whole(cuts: list[int], channels: int):
    """Run block by block with its state carried along, the effect returns what it returns for the whole."""
    effect = lively()
    generator = torch.Generator().manual_seed(channels)
    dry, knobs = torch.randn(channels, FRAMES, generator=generator) * 0.2, torch.rand(1, 1, 2, generator=generator)
    whole, last = effect(dry, knobs, effect.initial_state(channels))
    state, blocks = effect.initial_state(channels), []
    for start, stop in zip([0, *cuts], [*cuts, FRAMES], strict=True):
        if start < stop:
            wet, state = effect(dry[:, start:stop], knobs, state)
            blocks.append(wet)
    assert torch.allclose(torch.cat(blocks, dim=1), whole, rtol=0, atol=1e-5)
    assert all(torch.allclose(one, other, atol=1e-5) for one, other in zip(state, last, strict=True))
    assert float(whole.std()) > 0.01


@pytest.mark.parametrize(("number", "frames"), [(0, 96), (1, 960), (2, 7200)])
def test_the_level_is_a_one_pole_average_of_the_power(number: int, frames: int):
    """Each level is what the plain recursion gives, over its own time, from -1 at -60 dB to 1 at 0 dB."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 0.3, 1000).astype(np.float32)
    effect = lively()
    (levels,), (power,) = effect.heard(torch.from_numpy(x)[:, None], effect.initial_state(1)[2:])
    keep, average, expected = np.exp(-1 / frames), 0.0, []
    for value in x.astype(np.float64):
        average = keep * average + (1 - keep) * value**2
        expected.append(np.log10(average + 1e-6) / 3 + 1)
    np.testing.assert_allclose(levels[:, 0, number], expected, atol=1e-5)
    assert float(power[0, number]) == pytest.approx(average, rel=1e-4)


def test_silence_and_full_scale_are_the_ends_of_the_level():
    """Silence is heard as -1; a second of full scale nears 1 on every time."""
    effect = lively()
    (silent,), _ = effect.heard(torch.zeros(100, 1), effect.initial_state(1)[2:])
    (loud,), _ = effect.heard(torch.ones(96_000, 1), effect.initial_state(1)[2:])
    assert torch.allclose(silent, torch.tensor(-1.0))
    assert torch.allclose(loud[-1], torch.tensor(1.0), atol=1e-3)


def test_knobs_between_two_settings_start_out_in_their_middle():
    """The straight path alone makes the logarithm of a gain at the middle position the mean of those at the ends."""
    effect = lively(knob_positions=1)
    with torch.no_grad():
        effect.shaper[2].weight.zero_()
    low, middle, high = (effect.conditioned(torch.tensor([[[at]]]))[0, 0, -3:].log() for at in (0.0, 0.5, 1.0))
    assert torch.allclose(middle, (low + high) / 2, atol=1e-5)
    assert float((high - low).abs().max()) > 0.01


@pytest.mark.parametrize("knobs", [0, 3])
def test_a_profile_rebuilds_it(knobs: int):
    """Its kind and config rebuild it, with or without knobs, and what is not learnt is not among its weights."""
    effect = lively(knob_positions=knobs)
    again = KINDS["dynamics"](**effect.config)
    again.load_state_dict(effect.state_dict())
    dry, at = torch.randn(1, 300) * 0.1, torch.rand(1, 1, knobs)
    assert torch.equal(effect(dry, at, effect.initial_state(1))[0], again(dry, at, again.initial_state(1))[0])
    assert {name.split(".")[0] for name in effect.state_dict()} == {"shaper", "straight", "lstm", "out"}
