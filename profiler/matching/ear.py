"""An ear: hears a profile at many settings beside a passage of the wet, whatever its level, polarity and lateness."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from profiler.audio import Samples
from profiler.knob import Knob, KnobSettings, positions_of
from profiler.matching.player import Player
from profiler.profile import LoadedProfile
from profiler.recording import Recording

__all__ = ["Ear", "Passage", "Vector"]

Vector = NDArray[np.float64]

_LONGEST_LEAD_IN_SECONDS = 1.0
_REACH_SECONDS = 0.005  # lateness is known roughly, and an effect may move the sound by less than that itself
_NOTHING = 1e-30


@dataclass(frozen=True, kw_only=True)
class Passage:
    """Where both recordings hold the same, at a rate: the middle of it in the dry, and by how much the wet is late."""

    dry: Recording = field(repr=False)
    wet: Recording = field(repr=False)
    sample_rate: int
    middle: int
    lag: int


class Ear:
    """Hears one profile beside some seconds of a passage. Of the dry there are `reach` frames more on either side."""

    def __init__(self, loaded: LoadedProfile, passage: Passage, seconds: float) -> None:
        rate = passage.sample_rate
        # Settings between the steps of a knob lead to the nearest one.
        self.knobs: tuple[Knob, ...] = tuple(
            knob if knob.choices else replace(knob, step=None) for knob in loaded.profile.knobs
        )
        self._player = Player(loaded)
        frames = min(int(seconds * rate), passage.dry.frames)
        start = min(max(passage.middle - frames // 2, 0), max(passage.dry.frames - frames, 0))
        self.reach = int(_REACH_SECONDS * rate)
        self._lead_in = min(self._player.memory_frames, int(_LONGEST_LEAD_IN_SECONDS * rate))
        self._dry = passage.dry.read(start - self._lead_in - self.reach, self._lead_in + frames + 2 * self.reach)
        wet = passage.wet.read(start + passage.lag, frames).astype(np.float64)
        self.loudness = max(float(np.linalg.norm(wet)), _NOTHING)
        self.wet: Vector = wet / self.loudness

    def settings(self, at: Vector) -> KnobSettings:
        """Return the knobs' values at places from 0 to 1, of shape (knobs,)."""
        return {knob.id: knob.value_at(float(place)) for knob, place in zip(self.knobs, at, strict=True)}

    def heard(self, places: Vector) -> Vector:
        """Return what the profile plays at places (settings, knobs): (settings, reach + frames + reach)."""
        positions = np.stack([positions_of(self.knobs, self.settings(at)) for at in places])
        return self._player.play(self._dry, _as_samples(positions))[:, self._lead_in :]

    def roughly(self, mine: Vector) -> tuple[Vector, Vector]:
        """Return of each row played the lag at which it matches best, in whole frames, and the ESR there."""
        count = len(self.wet)
        size = fft.next_fast_len(mine.shape[1] + count, real=True)
        spectrum = np.conj(fft.rfft(self.wet, size))
        along = fft.irfft(spectrum * fft.rfft(mine, size), size)[:, : 2 * self.reach + 1]
        sums = np.pad(np.cumsum(mine**2, axis=1), ((0, 0), (1, 0)))
        energy = sums[:, count:] - sums[:, : sums.shape[1] - count]
        shares = along**2 / np.maximum(energy, _NOTHING)
        best = shares.argmax(axis=1)
        return self.reach - best.astype(np.float64), 1 - shares[np.arange(len(mine)), best]

    def left(self, mine: Vector, lag: float) -> Vector:
        """Return what is left of the wet, whose energy is 1, beside each row played so late at the best gain."""
        late = later(mine, lag)[:, self.reach : self.reach + len(self.wet)]
        return self.wet - (late * self.wet).sum(axis=1, keepdims=True) / _energy(late) * late

    def gain(self, mine: Vector, lag: float) -> float:
        """Return by how much one row (1, frames) played so late must be multiplied to be the wet."""
        late = later(mine, lag)[:, self.reach : self.reach + len(self.wet)]
        return float(self.loudness * (late[0] @ self.wet) / _energy(late)[0, 0])


def later(signals: Vector, frames: float) -> Vector:
    """Return signals later by any number of frames."""
    count = signals.shape[1]
    turns = np.exp(-2j * np.pi * frames * np.arange(count // 2 + 1) / count)
    return np.asarray(fft.irfft(fft.rfft(signals) * turns, count), np.float64)


def _energy(rows: Vector) -> Vector:
    return np.maximum(np.square(rows).sum(axis=1, keepdims=True), _NOTHING)


def _as_samples(positions: NDArray[np.float32]) -> Samples:
    return np.ascontiguousarray(positions, np.float32)
