"""Oversampling: plays an effect between the samples as well, and so cancels aliasing.

An effect that is played at its own rate on dry shifted by a fraction of a frame gives its wet shifted as much, but for
aliases: what belongs above half the sampling rate turns by another angle. The mean over evenly spaced shifts, each
undone, is therefore what the effect would give at so many times the rate, its lower images cancelled, while each shift
is played by the very effect that was learnt: nothing has to be learnt anew, and it works for effects of every kind.
"""

import math
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from profiler.effects.effect import Effect, State
from profiler.effects.silenced import Silenced
from profiler.errors import ProfileError

__all__ = ["FACTORS", "Oversampled", "checked_factor", "oversampled"]

FACTORS = (1, 2, 4, 8)
"""At how many times its rate an effect may be played."""

_HALF_FRAMES = 32  # of the shifts, which are flat up to 22 kHz at a rate of 48
_KAISER = 8.0

Played: TypeAlias = "Effect | Silenced | Oversampled"


def oversampled(effect: Effect | Silenced, factor: int) -> Played:
    """Return the effect as it is played at so many times its rate."""
    return effect if factor == 1 else Oversampled(effect, factor)


def checked_factor(factor: int) -> int:
    """Return the factor. Raises ProfileError for one that no effect is played at."""
    if factor not in FACTORS:
        raise ProfileError(f"Oversampling is {factor!r}; it must be one of {', '.join(map(str, FACTORS))}.")
    return factor


class Oversampled:
    """An effect at `factor` times its rate, for that many times the work. It comes 64 frames later."""

    def __init__(self, effect: Effect | Silenced, factor: int) -> None:
        self._effect, self._factor = effect, factor
        self.latency_frames = effect.latency_frames + 2 * _HALF_FRAMES
        self.memory_frames = effect.memory_frames + 4 * _HALF_FRAMES
        shifts = np.arange(factor) / factor
        self._forth = torch.stack([_shift(-each) for each in shifts])[:, None]
        self._back = torch.stack([_shift(each) for each in shifts])[None] / factor

    def initial_state(self, channels: int) -> State:
        """Return the dry and the wets that the shifts still hear, where the knobs stood, and the effect's own state."""
        past = torch.zeros(channels, 2 * _HALF_FRAMES)
        wets = torch.zeros(channels, self._factor, 2 * _HALF_FRAMES)
        turned = torch.full((1, _HALF_FRAMES, self._effect.knob_positions), math.nan)
        return past, wets, turned, *self._effect.initial_state(channels * self._factor)

    def __call__(self, dry: Tensor, knobs: Tensor, state: State) -> tuple[Tensor, State]:
        """Return wet and state, for dry (channels, frames) and knobs (1, frames or 1, width)."""
        past, wets, turned, *inner = state
        channels, frames = dry.shape
        if frames == 0:
            return dry, state
        heard = torch.cat([past, dry], dim=1)
        shifted = functional.conv1d(heard[:, None], self._forth).transpose(0, 1).reshape(-1, frames)
        late, turned = _late(knobs, turned, frames)
        wet, after = self._effect(shifted, late, tuple(inner))
        told = torch.cat([wets, wet.reshape(self._factor, channels, frames).transpose(0, 1)], dim=2)
        kept = heard[:, -2 * _HALF_FRAMES :], told[..., -2 * _HALF_FRAMES :], turned
        return functional.conv1d(told, self._back)[:, 0], (*kept, *after)


def _shift(frames: float) -> Tensor:
    """Return the filter that delays by 32 frames and a fraction: a windowed sinc, (taps,)."""
    at = np.arange(2 * _HALF_FRAMES + 1) - _HALF_FRAMES - frames
    inside = np.sqrt(np.clip(1 - (at / (_HALF_FRAMES + 1)) ** 2, 0, None))
    taps = np.sinc(at) * np.i0(_KAISER * inside)
    return torch.from_numpy((taps / taps.sum()).astype(np.float32))


def _late(knobs: Tensor, turned: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Return the knobs as late as the shifted dry, and where they stood last; what is not known yet is as at first."""
    turned = torch.where(turned.isnan(), knobs[:, :1], turned)
    if knobs.shape[1] == 1 and torch.equal(turned, knobs.expand_as(turned)):
        return knobs, turned
    all_of_them = torch.cat([turned, knobs.expand(-1, frames, -1)], dim=1)
    return all_of_them[:, :frames], all_of_them[:, -_HALF_FRAMES:]
