"""Timing: how recordings run against their dry: lateness, polarity, drift, wander, jumps, each with how sure it is."""

from profiler.timing.lateness import CLEAR, POLARITY_CLEAR, Lateness, measure_lateness
from profiler.timing.measure import Timing, measure_timing
from profiler.timing.through_gear import GearFilter
from profiler.timing.whereabouts import find_passage

__all__ = [
    "CLEAR",
    "POLARITY_CLEAR",
    "GearFilter",
    "Lateness",
    "Timing",
    "find_passage",
    "measure_lateness",
    "measure_timing",
]
