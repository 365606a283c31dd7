"""Chains: processors one after the other and beside each other, their levels, and impulse responses among them."""

from profiler.chain.impulse_response import ImpulseResponse
from profiler.chain.levelled import LEVELS, Levelled
from profiler.chain.parallel import Parallel
from profiler.chain.series import Chain

__all__ = ["LEVELS", "Chain", "ImpulseResponse", "Levelled", "Parallel"]
