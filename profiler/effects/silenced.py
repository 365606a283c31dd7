"""Silence for silence: an effect that may leave an offset plays beside a twin that hears nothing, which is taken off.

A recurrent network at rest gives a small constant that depends on its knobs: a demo's compressor -64 dBFS at an end of
them. The twin's knobs are the same, so the offset is gone at every setting and while knobs move, and silence is exactly
that. All channels share one twin. Convolutional effects have no offset: it is taken off as they are baked.
"""

import torch
from torch import Tensor

from profiler.effects.effect import Effect, State
from profiler.effects.recurrent import RecurrentEffect

__all__ = ["Silenced", "silenced"]


class Silenced:
    """An effect less what it makes of silence, for the work of one more channel."""

    def __init__(self, effect: Effect) -> None:
        self._effect = effect
        self.knob_positions = effect.knob_positions
        self.latency_frames, self.memory_frames = effect.latency_frames, effect.memory_frames
        self.multiply_adds = 2 * effect.multiply_adds  # of one channel and the twin

    def initial_state(self, channels: int) -> State:
        """Return the states of the channels and of their twin, at rest."""
        return self._effect.initial_state(channels + 1)

    def __call__(self, dry: Tensor, knobs: Tensor, state: State) -> tuple[Tensor, State]:
        """Return wet and state, for dry (channels, frames) and knobs (1, frames or 1, width)."""
        wet, after = self._effect(torch.cat([dry, torch.zeros_like(dry[:1])]), knobs, state)
        return wet[:-1] - wet[-1:], after


def silenced(effect: Effect) -> Effect | Silenced:
    """Return the effect as it is played: silent when nothing is."""
    return Silenced(effect) if isinstance(effect, RecurrentEffect) else effect
