"""The noise floor of a session: what the gear's own noise leaves of any score, found where a take repeats itself."""

import numpy as np

from profiler.alignment import aligned, counted
from profiler.audio import Samples
from profiler.score import error_to_signal
from profiler.session import Take
from profiler.session_folder import SessionFolder

__all__ = ["floor_between", "noise_floor", "repeated_passage", "replicate_takes"]


def noise_floor(folder: SessionFolder) -> float | None:
    """Return the best ESR that any effect could reach: half the ESR between two takes of the same, or None.

    Both takes carry their own noise and an effect can follow neither, hence half. Replicate takes are used when there
    are any; else the passages that a stimulus plays twice. The median over all of them is returned.
    """
    pairs = [replicate_takes(folder, take) for take in folder.session.takes if take.replicate_of is not None]
    if not pairs:
        pairs = [repeated_passage(folder, take) for take in folder.session.takes]
    found = [floor for pair in pairs if pair and (floor := floor_between(*pair)) is not None]
    return float(np.median(found)) if found else None


def floor_between(one: Samples, other: Samples) -> float | None:
    """Return half the ESR between two recordings of the same, of one shape; None when the first is silent."""
    esr = error_to_signal(one, other)
    return None if esr is None else esr / 2


def replicate_takes(folder: SessionFolder, take: Take) -> tuple[Samples, Samples] | None:
    """Return the take that `take` repeats, and `take` itself, both aligned; None when it repeats none."""
    first = folder.session.take(take.replicate_of) if take.replicate_of is not None else None
    if first is None:
        return None
    frames = min(take.frames, first.frames)
    both = counted(first, frames) & counted(take, frames)
    one, other = (aligned(folder.wet_of(each).samples, each, frames) * both for each in (first, take))
    return one, other


def repeated_passage(folder: SessionFolder, take: Take) -> tuple[Samples, Samples] | None:
    """Return the two recordings of the passage that a take's stimulus plays twice; None when it plays none twice."""
    stimulus = folder.session.dries[take.dry].stimulus
    again = stimulus.part("replicate") if stimulus and take.settings is not None else None
    programme = stimulus.part("programme") if stimulus else None
    if again is None or programme is None:
        return None
    wet = folder.wet_of(take).samples[:, max(take.latency_frames, 0) :]
    whole = again.stop - again.start
    skip = whole // 3  # what came before the two passages differs and may still ring
    frames = whole - folder.session.sample_rate // 100  # the second one ends in a fade
    one = wet[:, programme.start + skip : programme.start + frames]
    return one, wet[:, again.start + skip : again.start + frames][:, : one.shape[1]]
