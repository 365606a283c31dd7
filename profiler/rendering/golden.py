"""The golden pair: a dry signal, and what a profile makes of it as it is played, for any player to check itself by."""

from dataclasses import replace

from profiler.profile import LoadedProfile
from profiler.rendering.profile_processor import ProfileProcessor

__all__ = ["with_golden"]


def with_golden(loaded: LoadedProfile) -> LoadedProfile:
    """Return the profile with its golden wet as its full size is played now. Raises ProfileError."""
    processor = ProfileProcessor(loaded, loaded.profile.golden_settings)
    return replace(loaded, golden_wet=processor.process(loaded.golden_dry, loaded.profile.sample_rate))
