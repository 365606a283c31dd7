"""The space of sounds: descriptors laid out so that what effects do counts much, and playing little.

Differences between passages of playing through one effect at one setting are made as large in all directions (Hatch et
al. 2006, within-class covariance normalization), and of these directions those are kept along which effects and
settings differ most (linear discriminant analysis, Rao 1948). `benchmarks/sound_space.py` learnt it from the profiles
that ship; a distance of 1 is how far one sound is, on average, from itself with other playing.
"""

import importlib.resources
import io
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["WIDTH", "placed"]

WIDTH = 24
"""How many numbers a place has."""


def placed(descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the places of sounds, (sounds, WIDTH), for descriptors (sounds, COUNT)."""
    middle, directions = _learnt()
    return ((descriptors - middle) @ directions).astype(np.float32)


@cache
def _learnt() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the middle of all descriptors, (COUNT,), and the directions, (COUNT, WIDTH)."""
    file = importlib.resources.files("profiler.listening") / "sound_space.npz"
    with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as kept:
        return kept["middle"], kept["directions"]
