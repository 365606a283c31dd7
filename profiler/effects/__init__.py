"""Effects: the networks that map dry to wet, found by their kind."""

from profiler.effects.convolutional import ConvolutionalEffect
from profiler.effects.dynamics import DynamicsEffect
from profiler.effects.effect import Effect, State
from profiler.effects.kinds import build_effect
from profiler.effects.recurrent import RecurrentEffect

__all__ = ["ConvolutionalEffect", "DynamicsEffect", "Effect", "RecurrentEffect", "State", "build_effect"]
