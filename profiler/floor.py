"""The noise floor of a session: what the gear's own noise leaves of any score, found where a take repeats itself."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from profiler.alignment import counted
from profiler.audio import Samples
from profiler.score import RunningScore
from profiler.session import Take
from profiler.session_folder import SessionFolder
from profiler.split import recorded_frames

__all__ = ["noise_floor"]

_PIECE_FRAMES = 1 << 18


def noise_floor(folder: SessionFolder) -> float | None:
    """Return the best ESR that any effect could reach: half the ESR between two takes of the same, or None.

    Both takes carry their own noise and an effect can follow neither, hence half. Replicate takes are used when there
    are any; else the passages that a stimulus plays twice. The median over all of them is returned.
    """
    replicates = [take for take in folder.session.takes if take.replicate_of is not None]
    pairs = [_replicates(folder, take) for take in replicates]
    if not pairs:
        pairs = [_passages(folder, take) for take in folder.session.takes]
    found = [floor for pair in pairs if (floor := _floor(pair)) is not None]
    return float(np.median(found)) if found else None


def _floor(pieces: Iterator[tuple[Samples, Samples]]) -> float | None:
    """Return half the ESR between two recordings of the same; None when there are none, or the first is silent."""
    running = RunningScore()
    for one, other in pieces:
        running.hear(one, other)
    return None if running.esr is None else running.esr / 2


def _replicates(folder: SessionFolder, take: Take) -> Iterator[tuple[Samples, Samples]]:
    """Go through the take that `take` repeats, and `take` itself, both aligned, piece by piece."""
    first = folder.session.take(take.replicate_of) if take.replicate_of is not None else None
    if first is None:
        return
    frames = min(take.frames, first.frames)
    for start in range(0, frames, _PIECE_FRAMES):
        stop = min(start + _PIECE_FRAMES, frames)
        both = np.ones(stop - start, np.bool_)
        for each in (first, take):
            both &= counted(replace(each, latency_frames=each.latency_frames + start), stop - start)
        yield folder.excerpt(first, start, stop)[1] * both, folder.excerpt(take, start, stop)[1] * both


def _passages(folder: SessionFolder, take: Take) -> Iterator[tuple[Samples, Samples]]:
    """Give the two recordings of the passage that a take's stimulus plays twice; nothing when it plays none twice."""
    stimulus = folder.session.dries[take.dry].stimulus
    again = stimulus.part("replicate") if stimulus and take.settings is not None else None
    programme = stimulus.part("programme") if stimulus else None
    if again is None or programme is None:
        return
    whole = again.stop - again.start
    skip = whole // 3  # what came before the two passages differs and may still ring
    frames = whole - folder.session.sample_rate // 100  # the second one ends in a fade
    frames = min(frames, recorded_frames(folder.session, take)[1] - again.start)
    if frames > skip:
        one, other = (folder.excerpt(take, part.start + skip, part.start + frames)[1] for part in (programme, again))
        yield one, other
