"""Sizes: a profile's full effect, or its light one, as a profile of its own."""

from dataclasses import replace

from profiler.effects.kinds import build_stages
from profiler.effects.silenced import silenced
from profiler.errors import ProfileError
from profiler.profile import LoadedProfile, Size

__all__ = ["LIGHT_MULTIPLY_ADDS", "multiply_adds", "sized"]

LIGHT_MULTIPLY_ADDS = 6000
"""What a frame of the light size may cost at most."""


def multiply_adds(loaded: LoadedProfile) -> int:
    """Return how many multiply-adds a frame of the full size takes. Raises ProfileError as `build_stages` does."""
    return sum(silenced(effect).multiply_adds for effect in build_stages(loaded))


def sized(loaded: LoadedProfile, size: Size) -> LoadedProfile:
    """Return the profile with this size as all there is of it; the golden wet stays that of the full one.

    The light one is played at its own rate, unless told otherwise. An only effect that costs no more than a light one
    may is both sizes. Raises ProfileError where none is so light.
    """
    profile, light = loaded.profile, loaded.profile.light
    if light is None:
        if size is Size.FULL or (cost := multiply_adds(loaded)) <= LIGHT_MULTIPLY_ADDS:
            return loaded
        raise ProfileError(
            f"Profile {profile.name!r} has no light effect, only one of {cost} multiply-adds a frame; a light one "
            f"takes at most {LIGHT_MULTIPLY_ADDS}. Use the full size, or train the profile again without --no-light."
        )
    prefixes = tuple(stage.prefix for stage in light.stages)
    weights = {
        name: tensor for name, tensor in loaded.weights.items() if name.startswith(prefixes) == (size is Size.LIGHT)
    }
    if size is Size.LIGHT:
        profile = replace(profile, stages=light.stages, cost=light.cost, score=light.score, oversampling=1)
    return replace(loaded, profile=replace(profile, light=None), weights=weights)
