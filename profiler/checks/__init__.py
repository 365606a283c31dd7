"""Checks: what recordings show before training, and the best score that any training could reach on them."""

from profiler.checks.check_session import check_session
from profiler.checks.check_take import check_recording
from profiler.checks.forecast import noise_power
from profiler.checks.result import Cause, Grade, KnobCheck, Limit, SessionCheck, TakeCheck

__all__ = [
    "Cause",
    "Grade",
    "KnobCheck",
    "Limit",
    "SessionCheck",
    "TakeCheck",
    "check_recording",
    "check_session",
    "noise_power",
]
