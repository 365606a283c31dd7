"""Bleed: the dry itself in the wet, ahead of what comes through the gear, as direct monitoring adds it."""

from dataclasses import dataclass

import numpy as np

from profiler.checks.linear_fit import LinearFit

__all__ = ["Bleed", "find_bleed"]

_EARLIEST_SECONDS = 0.05
_APART_SECONDS = 0.0006
_NEAR, _WIDE = 12, 72
_SHARP = 8.0
_LEAST = 0.01


@dataclass(frozen=True, kw_only=True)
class Bleed:
    """By how many frames the dry comes ahead of the gear, and how loud it is against it."""

    frames_ahead: int
    level_db: float


def find_bleed(fit: LinearFit, sample_rate: int) -> Bleed | None:
    """Return the sharp arrival that lies up to 0.05 s before the main one in the linear fit's response, or None.

    Later arrivals are the gear's own echoes. An arrival counts as sharp when it stands eight times above the response
    on both sides of it; gear that swells in does not.
    """
    size = np.abs(fit.response)
    main = int(np.argmax(size))
    begin = max(main - int(_EARLIEST_SECONDS * sample_rate), _WIDE)
    end = main - max(int(_APART_SECONDS * sample_rate), 2 * _NEAR)
    if end <= begin:
        return None
    at = begin + int(np.argmax(size[begin:end]))
    around = [size[at - _WIDE : at - _NEAR], size[at + _NEAR + 1 : min(at + _WIDE + 1, main - _NEAR)]]
    highest = max((float(np.sqrt(np.mean(part**2))) for part in around if len(part)), default=0.0)
    if size[at] < max(_LEAST * size[main], _SHARP * highest, _SHARP * float(np.median(size[begin:end]))):
        return None
    return Bleed(frames_ahead=main - at, level_db=20 * float(np.log10(size[at] / size[main])))
