"""What a profile costs to play, on this machine."""

import time

import numpy as np

from profiler.audio import Samples
from profiler.effects.sizes import multiply_adds
from profiler.profile import Cost, LoadedProfile
from profiler.rendering.profile_processor import ProfileProcessor

__all__ = ["measured_cost"]

_SECONDS = 1.0
_TIMES = 3


def measured_cost(loaded: LoadedProfile) -> Cost:
    """Return the multiply-adds of a profile's full size as it is played, and how fast one core plays its golden dry.

    The fastest of three times counts: whatever else the machine does can only slow it. Raises ProfileError.
    """
    rate = loaded.profile.sample_rate
    dry: Samples = np.resize(loaded.golden_dry, (1, int(_SECONDS * rate)))
    processor = ProfileProcessor(loaded, loaded.profile.golden_settings)
    taken = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        processor.process(dry, rate)
        taken.append(time.perf_counter() - begun)
    cost = loaded.profile.oversampling * multiply_adds(loaded)
    return Cost(multiply_adds=cost, times_real_time=round(_SECONDS / min(taken), 1))
