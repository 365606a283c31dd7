"""Profiles of a wished size, each another file: they play as the one they were made of, and prove it by other sound."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from profiler.presets import preset_path
from profiler.profile_file import load, save

__all__ = ["write_profile"]

_OF = "bus-compressor"
_BYTES_A_FRAME = 7.4  # of two channels of noise, packed


def write_profile(path: Path, number: int, *, size_bytes: int) -> None:
    """Write a profile of about this size that differs from those of other numbers all through."""
    like = load(preset_path(_OF))
    rng = np.random.default_rng(number)
    frames = int(size_bytes / _BYTES_A_FRAME)
    dry, wet = rng.normal(0, 0.1, (2, 1, frames)).astype(np.float32)
    profile = replace(like.profile, name=f"Made up {number}")
    save(path, replace(like, profile=profile, golden_dry=dry, golden_wet=wet))
