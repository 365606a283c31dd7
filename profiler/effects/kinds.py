"""Kinds: the registry that turns a profile's stage into an effect, trusting nothing the stage says."""

import torch

from profiler.effects.convolutional import ConvolutionalEffect
from profiler.effects.dynamics import DynamicsEffect
from profiler.effects.effect import Effect
from profiler.effects.recurrent import RecurrentEffect
from profiler.errors import ProfileError
from profiler.knob import positions_width
from profiler.profile import LoadedProfile, Stage

__all__ = ["KINDS", "build_effect", "build_stages"]

_MOST_STAGES = 16

KINDS: dict[str, type[Effect]] = {each.kind: each for each in (RecurrentEffect, DynamicsEffect, ConvolutionalEffect)}


def build_effect(stage: Stage) -> Effect:
    """Return the stage's effect with fresh weights. Raises ProfileError for an unknown kind or an unfit config."""
    if stage.kind not in KINDS:
        known = ", ".join(KINDS)
        raise ProfileError(f"The profile has a stage of kind {stage.kind!r}; this Tonecast plays {known}. Update it.")
    try:
        return KINDS[stage.kind](**stage.config)
    except (TypeError, ValueError) as error:
        raise ProfileError(f"The profile's {stage.kind} stage cannot be built: {error}") from error


def build_stages(loaded: LoadedProfile) -> list[Effect]:
    """Return a profile's effects in order, weights in place, ready to render. Those of its light size are passed over.

    Raises ProfileError when a tensor is missing, left over or of another shape than the config says.
    """
    light = loaded.profile.light.stages if loaded.profile.light else ()
    stages = (*loaded.profile.stages, *light)
    if not loaded.profile.stages or len(stages) > _MOST_STAGES or len({each.prefix for each in stages}) < len(stages):
        raise ProfileError(
            f"Profile {loaded.profile.name!r} has {len(stages)} stages; it may have 1 to {_MOST_STAGES}, each with "
            "tensors of its own."
        )
    effects: list[Effect] = []
    used: set[str] = set()
    for stage in loaded.profile.stages:
        effect = build_effect(stage)
        if effect.knob_positions != (width := positions_width(loaded.profile.knobs)):
            taken = effect.knob_positions
            raise ProfileError(f"The profile's knobs have {width} positions; its {stage.kind} stage takes {taken}.")
        expected = {stage.prefix + name: tensor for name, tensor in effect.state_dict().items()}
        for name, tensor in expected.items():
            found = loaded.weights.get(name)
            if found is None or found.shape != tuple(tensor.shape):
                shape = "nothing" if found is None else f"shape {found.shape}"
                raise ProfileError(
                    f"The profile's tensor {name!r} must have shape {tuple(tensor.shape)}; found {shape}."
                )
        effect.load_state_dict(
            {name: torch.from_numpy(loaded.weights[stage.prefix + name].copy()) for name in effect.state_dict()}
        )
        effects.append(effect.eval().requires_grad_(requires_grad=False))
        used |= expected.keys()
    left = sorted(
        name for name in loaded.weights.keys() - used if not name.startswith(tuple(each.prefix for each in light))
    )
    if left:
        raise ProfileError(f"The profile holds tensors that no stage uses: {left[:5]}.")
    return effects
