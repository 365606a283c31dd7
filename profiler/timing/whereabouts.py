"""Whereabouts: a passage of the dry that the wet holds, and where in the wet it is."""

from dataclasses import replace

import numpy as np
from scipy import fft

from profiler.recording import Recording
from profiler.timing.lateness import CLEAR, Match, correlation, matched, peak_of
from profiler.timing.transfer import Spectrum

__all__ = ["find_passage", "loudest_passages"]

_ANCHOR_SECONDS = 8.0
_ANCHORS = 3
_PROBES = 96
_NEAR_SECONDS = 1.0
_SEARCH_FRAMES = 1 << 21


def find_passage(dry: Recording, wet: Recording, sample_rate: int) -> tuple[int, Match]:
    """Return the middle of a passage of the dry that the wet holds, and its match: the clearest of those tried.

    The loudest passage of each third of the dry is looked for within a second of where it should be, then everywhere.
    """
    length = min(int(_ANCHOR_SECONDS * sample_rate), dry.frames)
    starts = loudest_passages(dry, length)
    reach = int(_NEAR_SECONDS * sample_rate)
    best = (0, Match(frames=0, polarity=1, clearness=0.0))
    for everywhere in (False, True):
        for start in starts:
            passage = dry.read(start, length).astype(np.float64)
            if everywhere:
                match = _searched(passage, wet, start=start)
            else:
                near = wet.read(start - reach, length + 2 * reach).astype(np.float64)
                match = matched(passage, near, reach=reach, offset=reach, sample_rate=sample_rate)
            if match.clearness > best[1].clearness:
                best = (start + length // 2, match)
            if match.clearness >= CLEAR:
                return start + length // 2, match
    return best


def loudest_passages(dry: Recording, length: int) -> list[int]:
    """Return where the loudest passages of the dry begin, loudest first, one in each part of it."""
    last = dry.frames - length
    if last <= 0:
        return [0]
    starts = np.unique(np.linspace(0, last, min(_PROBES, 1 + 4 * last // length)).astype(int))
    energy = [float(np.sum(np.square(dry.read(int(start), length), dtype=np.float64))) for start in starts]
    parts = np.array_split(np.arange(len(starts)), min(_ANCHORS, len(starts)))
    loudest = [max(part, key=lambda number: energy[number]) for part in parts]
    return [int(starts[number]) for number in sorted(loudest, key=lambda number: -energy[number])]


def _searched(passage: Spectrum, wet: Recording, *, start: int) -> Match:
    """Look for a passage, which begins at dry frame `start`, in the whole wet, block by block."""
    size = min(_SEARCH_FRAMES, fft.next_fast_len(wet.frames + 2 * len(passage), real=True))
    step = size - len(passage)
    spectrum = fft.rfft(passage, size)
    best = Match(frames=0, polarity=1, clearness=0.0)
    for begin in range(-len(passage), wet.frames, step):
        found = correlation(spectrum, fft.rfft(wet.read(begin, size).astype(np.float64), size), size)[:step]
        match = peak_of(found)
        if match.clearness > best.clearness:
            best = replace(match, frames=begin + match.frames - start)
    return best
