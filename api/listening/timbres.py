"""Where the sounds of a library lie beside each other: what differs among its profiles, each kind of difference alike.

All profiles of a library are listened to with the same playing, so whatever their descriptors differ by is theirs. The
space of sounds (`profiler.listening.sound_space`), in which recordings of any playing are placed, leaves out what
playing may change as well, and with that much of what tells gear apart.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["TIMBRE_WIDTH", "evenly_some", "timbres"]

TIMBRE_WIDTH = 12
"""How many numbers a timbre has. With 6 to 16, and sounds cut off at 2 to 5 spreads, tags are learnt about as well."""

_FURTHEST_SPREADS = 3.0
"""What is further from the middle lies there: one broken profile must not make all others alike."""

_LEVELLING = 0.5
"""How far directions in which much differs are levelled with the others: 0 not at all, 1 all are alike."""

_LENGTH = 1.5
"""The root mean square of how far timbres are from their middle: what the reaches of `tag_model` were chosen for."""

_Kind = TypeVar("_Kind", bound=np.generic)

_MOST_MEASURED = 4_096
_ROWS_A_DIRECTION = 4
_ROWS_AT_ONCE = 8_192


def timbres(descriptors: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return the timbres of all sounds of a library, (sounds, TIMBRE_WIDTH), of their descriptors (sounds, any).

    Principal components, of descriptors by their spread about the median, are levelled in part. Few sounds have few
    directions; what is left of the width is 0.
    """
    found = np.zeros((len(descriptors), TIMBRE_WIDTH), np.float32)
    some = evenly_some(descriptors, _MOST_MEASURED).astype(np.float64)
    width = min(TIMBRE_WIDTH, len(some) // _ROWS_A_DIRECTION)
    if not width:
        return found
    middle = np.median(some, axis=0)
    low, high = np.percentile(some, (16, 84), axis=0)
    spread = (high - low) / 2 + 0.05 * some.std(axis=0) + 1e-3
    measured = _spreads(some, middle, spread)
    centre = measured.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(measured, rowvar=False, bias=True))
    variances, directions = variances[::-1][:width], directions[:, ::-1][:, :width]
    levelled = directions * np.maximum(variances, 1e-9 * variances[0] + 1e-12) ** (-_LEVELLING / 2)
    length = np.sqrt(np.square((measured - centre) @ levelled).sum(axis=1).mean())
    levelled *= _LENGTH / max(float(length), 1e-6)
    for start in range(0, len(descriptors), _ROWS_AT_ONCE):
        part = descriptors[start : start + _ROWS_AT_ONCE].astype(np.float64)
        found[start : start + _ROWS_AT_ONCE, :width] = (_spreads(part, middle, spread) - centre) @ levelled
    return found


def evenly_some(rows: NDArray[_Kind], most: int) -> NDArray[_Kind]:
    """Return `most` rows or fewer, from all over."""
    return rows[:: -(-len(rows) // most)] if len(rows) > most else rows


def _spreads(
    rows: NDArray[np.float64], middle: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    far: NDArray[np.float64] = np.clip((rows - middle) / spread, -_FURTHEST_SPREADS, _FURTHEST_SPREADS)
    return far
