"""How files are called in the folder of a job, which the worker furnishes and the process that works reads."""

from profiler.profile_file import SUFFIX

__all__ = ["CHAIN", "PROFILE", "STORED", "candidate_name"]

PROFILE = f"profile{SUFFIX}"
"""The one profile that a render or an export is of."""

CHAIN = "chain.json"
"""The chain that a recording is played through; its profiles are called by their hashes."""

STORED = "checkpoint"
"""The checkpoint of a training that the storage had when the run began."""


def candidate_name(number: int) -> str:
    """Return what the profile of a match is called that its order names at this place, from 0 on."""
    return f"candidate-{number}{SUFFIX}"
