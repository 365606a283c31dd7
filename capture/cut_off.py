"""Cut off: where a return falls silent for good although the dry plays on."""

import numpy as np

from profiler.audio import Samples

__all__ = ["cut_off_frame"]

_SILENT = 1e-3
"""Of a return's own peak: noise of what is still connected may go on, and is no sound."""

_PLAYING = 0.1
"""Of the dry's peak. What is quieter than that, a gate may hold back."""

_APART_SECONDS = 0.5  # longer than any round trip


def cut_off_frame(dry: Samples, wet: Samples, sample_rate: int) -> int | None:
    """Return the frame from which on a wet is silent while its dry plays on for half a second and more, or None.

    Both are of shape (frames,). None too for a wet that is silent from the start.
    """
    heard = np.flatnonzero(np.abs(wet) > _SILENT * float(np.abs(wet).max(initial=0.0)))
    played = np.flatnonzero(np.abs(dry) > _PLAYING * float(np.abs(dry).max(initial=0.0)))
    if not len(heard) or not len(played) or played[-1] - heard[-1] < _APART_SECONDS * sample_rate:
        return None
    return int(heard[-1]) + 1
