"""A player of many settings at once: the same dry through a profile whose effects are built once."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from profiler.audio import Samples
from profiler.effects import Effect
from profiler.effects.kinds import build_stages
from profiler.effects.recurrent import RecurrentEffect
from profiler.effects.threads import on_one_thread
from profiler.profile import LoadedProfile

__all__ = ["Player"]

_FRAMES_AT_ONCE = 4_000_000  # of all settings together: some hundred bytes each


class Player:
    """Plays a profile at its own rate, without oversampling: what that takes away is hardly any energy."""

    def __init__(self, loaded: LoadedProfile) -> None:
        self._effects = build_stages(loaded)
        self.latency_frames = sum(effect.latency_frames for effect in self._effects)
        self.memory_frames = sum(effect.memory_frames for effect in self._effects)

    def play(self, dry: Samples, positions: Samples) -> NDArray[np.float64]:
        """Return wets (settings, frames) for dry (frames,) and knobs at rest, (settings, positions)."""
        most = max(_FRAMES_AT_ONCE // max(len(dry), 1), 1)
        parts = [self._played(dry, positions[start : start + most]) for start in range(0, len(positions), most)]
        return np.concatenate(parts)

    @on_one_thread()
    @torch.inference_mode()
    def _played(self, dry: Samples, positions: Samples) -> NDArray[np.float64]:
        knobs = torch.from_numpy(positions)[:, None]
        signal = torch.from_numpy(np.pad(dry, (0, self.latency_frames))).expand(len(positions), -1).contiguous()
        for effect in self._effects:
            signal = _through(effect, signal, knobs)
        return signal[:, self.latency_frames :].numpy().astype(np.float64)


def _through(effect: Effect, signal: Tensor, knobs: Tensor) -> Tensor:
    """Return what an effect makes of signals; one that may leave an offset plays silence too, which is taken off."""
    rows = len(signal)
    if isinstance(effect, RecurrentEffect):
        both = torch.cat([signal, torch.zeros_like(signal)])
        wet, _ = effect(both, knobs.repeat(2, 1, 1), effect.initial_state(2 * rows))
        return wet[:rows] - wet[rows:]
    return effect(signal, knobs, effect.initial_state(rows))[0]
