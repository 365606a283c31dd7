"""Sizes: each plays as if it were alone, costs what is said, and none is taken for another."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from profiler.effects import ConvolutionalEffect, DynamicsEffect, RecurrentEffect
from profiler.effects.kinds import build_stages
from profiler.effects.network_shape import A2, LIGHT
from profiler.effects.sizes import LIGHT_MULTIPLY_ADDS, multiply_adds, sized
from profiler.errors import ProfileError
from profiler.profile import LoadedProfile, Size, Stage
from profiler.rendering import ProfileProcessor, measured_cost

RATE = 48_000
Make = Callable[..., LoadedProfile]


def recurrent(loaded: LoadedProfile) -> LoadedProfile:
    """Return the profile with a recurrent effect for all it had."""
    effect = RecurrentEffect(knob_positions=4)
    weights = {"0." + name: tensor.numpy() for name, tensor in effect.state_dict().items()}
    stage = Stage(kind=effect.kind, config=effect.config, prefix="0.")
    return replace(loaded, weights=weights, profile=replace(loaded.profile, stages=(stage,)))


def test_each_size_plays_as_if_alone(both_sizes: LoadedProfile, convolutional: Make):
    """Unless asked for the light one a profile plays the full one, and each is what it is without the other."""
    dry = both_sizes.golden_dry
    for size, alone in ((Size.FULL, convolutional()), (Size.LIGHT, convolutional(**LIGHT.config))):
        found = sized(both_sizes, size)
        assert found.profile.light is None
        wet = ProfileProcessor(alone, {"drive_db": 30}).process(dry, RATE)
        assert np.array_equal(ProfileProcessor(found, {"drive_db": 30}).process(dry, RATE), wet)
    assert np.array_equal(ProfileProcessor(both_sizes).process(dry, RATE), both_sizes.golden_wet)
    light = ProfileProcessor(sized(both_sizes, Size.LIGHT)).process(dry, RATE)
    assert np.abs(light - both_sizes.golden_wet).max() > 0.1 * np.abs(both_sizes.golden_wet).max()


def test_costs_are_counted(both_sizes: LoadedProfile):
    """A2 takes 11,712 multiply-adds a frame, a light effect at most 6,000; an LSTM one for each weight of a gate."""
    assert multiply_adds(both_sizes) == multiply_adds(sized(both_sizes, Size.FULL)) == 11_712
    assert multiply_adds(sized(both_sizes, Size.LIGHT)) == 5320 <= LIGHT_MULTIPLY_ADDS
    convolution = ConvolutionalEffect(knob_positions=0, **A2.config)
    every_tap = {part.name: 0 for part in A2.parts}
    for part in A2.parts:
        every_tap[part.name] += part.stop - part.start
    unused = 8 * 8  # the last layer's residual goes nowhere
    taps = sum(every_tap[name] for name in ("entry", "convolution", "mix", "residual", "head")) - unused
    assert convolution.multiply_adds == taps
    lstm = RecurrentEffect(knob_positions=2, hidden=5, features=3)
    gates = sum(each.numel() for name, each in lstm.lstm.named_parameters() if name.startswith("weight"))
    assert lstm.multiply_adds == gates + 3 * 5 + 5 + 5
    dynamics = DynamicsEffect(knob_positions=2, hidden=5, features=3)
    gates = sum(each.numel() for name, each in dynamics.lstm.named_parameters() if name.startswith("weight"))
    assert dynamics.multiply_adds == gates + 3 * 5 + 5 + 5 + 1 + 3


def test_a_cost_is_measured(both_sizes: LoadedProfile):
    """Multiply-adds are counted and a speed is found, each of the size that was asked for."""
    for size, expected in ((Size.FULL, 11_712), (Size.LIGHT, 5320)):
        cost = measured_cost(sized(both_sizes, size))
        assert cost.multiply_adds == expected
        assert cost.times_real_time > 0


def test_an_only_effect_is_light_if_it_costs_no_more(convolutional: Make):
    """A recurrent effect is both sizes; one of the A2 shape is not light, and that is told with what to do."""
    cheap, dear = recurrent(convolutional()), convolutional()
    assert sized(cheap, Size.LIGHT) is sized(cheap, Size.FULL) is cheap
    assert sized(dear, Size.FULL) is dear
    with pytest.raises(
        ProfileError, match=r"has no light effect, only one of 11712 .* at most 6000\. Use the full size"
    ):
        sized(dear, Size.LIGHT)


def test_a_light_effect_from_a_stranger_is_checked_as_any(both_sizes: LoadedProfile):
    """Tensors that are missing, left over or shared, stages too many and absurd sizes are ProfileErrors."""
    light = both_sizes.profile.light
    assert light is not None
    (stage,) = light.stages

    def altered(*stages: Stage, **weights: np.ndarray) -> LoadedProfile:
        profile = replace(both_sizes.profile, light=replace(light, stages=stages))
        return replace(both_sizes, profile=profile, weights={**both_sizes.weights, **weights})

    with pytest.raises(ProfileError, match="each with tensors of its own"):
        build_stages(altered(replace(stage, prefix="0.")))
    with pytest.raises(ProfileError, match="has 18 stages; it may have 1 to 16"):
        build_stages(altered(*(replace(stage, prefix=f"light.{number}.") for number in range(17))))
    spare, short = (np.zeros(2, np.float32) for _ in range(2))
    for size, wrong, says in (
        (Size.LIGHT, altered(), "has 0 stages"),
        (Size.FULL, altered(replace(stage, prefix="heavy.")), r"tensors that no stage uses: \['light"),
        (Size.LIGHT, altered(stage, **{"light.0.spare": spare}), r"no stage uses: \['light\.0\.spare'\]"),
        (Size.LIGHT, altered(stage, **{"light.0.weights": short}), r"'light\.0\.weights' must have shape"),
        (Size.LIGHT, altered(replace(stage, config={**stage.config, "channels": 65})), "up to 64 channels"),
        (Size.LIGHT, altered(replace(stage, kind="magic")), "of kind 'magic'"),
    ):
        with pytest.raises(ProfileError, match=says):
            build_stages(sized(wrong, size))
