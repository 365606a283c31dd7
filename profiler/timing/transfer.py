"""Transfer: averaged spectra from dry to wet, and the delay in them that the gear's own filtering does not explain."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from profiler.spectra import windowed_spectra

__all__ = ["UNKNOWN_FRAMES", "WINDOW", "Spectrum", "Transfer", "fine_lateness"]

WINDOW = 4096
"""Frames of a window; shorter signals have no transfer."""

UNKNOWN_FRAMES = 8.0
"""What filters of real gear were seen to add before their part was taken out."""

_PILE = 0.7  # windows that overlap by half tell as much as this share of them apart
_NEAR = 32
_UP = 64
_LEAST_COHERENT = 0.1
_LEAST_COHERENT_BINS = 64
_NEIGHBOURS = 15  # bins; a delay of `_NEAR` frames turns the phase by a third of a radian to either side
_SEPARATE = 3  # of Hann-weighted neighbours every third tells something of its own
# Noise seems coherent above x / windows in one bin of e^x, in runs as long as the neighbourhood. A few such bins far
# above the playing would be taken for its treble.
_SIGNIFICANT = 15.0
# What distortion makes of a steady note's loud partials lies on its weak ones, follows them as coherently as the sound
# itself, and looks like treble that the gear lifts. Nothing is believed from there on up where the dry is 30 dB below
# its loudest and the gear seems half a neper louder than almost anywhere above that. Of ten dull takes through an amp
# and a speaker two came out wrong by 3 and 5 frames, and sure to one, when it was.
_WEAK, _LIFTED, _ALMOST = 1e-3, 0.5, 0.98
_CLEAR_RATIO = 10.0
_LEAST_OF_OCTAVE = 0.05
_STEEPEST = -3.0  # nepers an octave, as of four poles and more
_POLE = math.log(2)  # nepers an octave that each pole of a low-pass takes away
# How surely gear goes on, above the band that is known, as it does at the top of it: a constant and a part of the slope
# there, in nepers an octave. Gear that is flat mostly stays flat. These and the next three were fitted to half of the
# playing at hand, through gear of twelve kinds; the other half came out as well.
_SLOPE_SPREAD = (0.5, 0.6)
_ZEROS = 0.3  # at half the sampling rate for each pole: digital low-passes have one, analogue ones none
_ZERO_SPREAD = (0.1, 0.5)
_MISLED = 10.0  # distortion keeps the phase wrong in all windows alike, so that this many times the noise is assumed
_PHASE_ERROR = 0.05
_STANDARD_ERRORS = 3.0
_LEAST_UNSURE = 0.1
_DISTORTED = 0.4

Spectrum = NDArray[np.float64]
"""Of shape (bins,), or samples of shape (frames,) in double precision."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Transfer:
    """Averaged spectra of dry and wet, each of shape (bins,), and how many independent windows they hold."""

    cross: NDArray[np.complex128]
    dry_power: Spectrum
    wet_power: Spectrum
    windows: float

    @property
    def coherence(self) -> Spectrum:
        """Return the share of the wet, bin by bin, that follows the dry linearly."""
        together = self.dry_power * self.wet_power
        return np.clip(np.abs(self.cross) ** 2 / (together + 1e-30), 0, 0.9999)

    @property
    def log_level(self) -> Spectrum:
        """Return by how much the gear makes each bin louder, in nepers."""
        return np.log(np.abs(self.cross) / (self.dry_power + 1e-30) + 1e-12)

    @classmethod
    def of(cls, dry: Spectrum, wet: Spectrum) -> "Transfer":
        """Return the transfer from one signal to another of the same length, of shape (frames,)."""
        one, other = (windowed_spectra(each, WINDOW) for each in (dry, wet))
        return cls(
            cross=np.mean(np.conj(one) * other, axis=0),
            dry_power=np.mean(np.abs(one) ** 2, axis=0),
            wet_power=np.mean(np.abs(other) ** 2, axis=0),
            windows=max(_PILE * len(one), 1.0),
        )

    def __add__(self, other: "Transfer") -> "Transfer":
        """Return the average over what both were averaged over."""
        total = self.windows + other.windows
        one, two = self.windows / total, other.windows / total
        return Transfer(
            cross=one * self.cross + two * other.cross,
            dry_power=one * self.dry_power + two * other.dry_power,
            wet_power=one * self.wet_power + two * other.wet_power,
            windows=total,
        )

    def smoothed(self) -> "Transfer":
        """Return the average over neighbouring bins, in which what is loud counts more and noise less.

        Bins between the partials of a note hold noise alone, and those of them that seem to follow the dry by chance
        make the wet look louder than it is.
        """
        kernel = signal.windows.hann(_NEIGHBOURS + 2)[1:-1]
        kernel /= kernel.sum()
        cross, dry, wet = (
            np.convolve(np.pad(each, _NEIGHBOURS // 2, "reflect"), kernel, "valid")
            for each in (self.cross, self.dry_power, self.wet_power)
        )
        windows = self.windows * _NEIGHBOURS / _SEPARATE
        return Transfer(cross=cross, dry_power=dry.real, wet_power=wet.real, windows=windows)


def fine_lateness(transfer: Transfer) -> tuple[float, float]:
    """Return by how many frames more than its filtering explains a wet is late, within `_NEAR`, and how unsure that is.

    The filtering is taken to be minimum-phase. Its level above the band that is known bends the phase within it, and
    there is guessed: it goes on with the slope it has, give or take. Delay, slope and the zeros of digital filters are
    then fitted to the phase together, the guess being their prior (a linear model with Gaussian priors: Gelman et al.,
    Bayesian Data Analysis, section 14.8). So the guess is mended where the phase tells, and what it leaves open is
    counted as unsure. `benchmarks/latency_truth.py` measures how true that is.
    """
    smooth = transfer.smoothed()
    coherence = smooth.coherence
    known = coherence > _SIGNIFICANT / smooth.windows
    known[:3] = False
    known[_mixed_from(smooth, known) :] = False
    if np.sum(known & (coherence > _LEAST_COHERENT)) < _LEAST_COHERENT_BINS:
        return 0.0, UNKNOWN_FRAMES
    bins = np.flatnonzero(known)
    known[int(np.quantile(bins, 0.99)) + 1 :] = False
    continued = _Continued.beyond(smooth, known)
    ratio = smooth.windows * coherence / (1 - coherence)
    turned = np.exp(1j * (np.angle(smooth.cross) - _phase_of(continued.level)))
    left = np.where(known, ratio / (_CLEAR_RATIO + ratio), 0) * turned
    match = fft.irfft(left, WINDOW * _UP)
    near = np.concatenate([match[-_NEAR * _UP :], match[: _NEAR * _UP + 1]])
    frames = (int(np.argmax(np.abs(near))) - _NEAR * _UP) / _UP
    left = left * np.exp(1j * _angular() * frames)
    phase = np.angle(left * np.sign(np.sum(left.real)))
    rest, error = _fitted(phase[known], continued, coherence, known)
    distorted = 1 - float(np.mean(coherence[known]))
    unsure = math.hypot(_STANDARD_ERRORS * error, _LEAST_UNSURE + _DISTORTED * distorted)
    return frames + rest, min(unsure, UNKNOWN_FRAMES)


def _mixed_from(smooth: Transfer, known: NDArray[np.bool_]) -> int:
    """Return the bin from which on distortion of the dry's loud partials may outweigh the weak ones in the wet."""
    weak = smooth.dry_power < _WEAK * smooth.dry_power.max()
    if not (known & ~weak).any():
        return len(known)
    usual = float(np.quantile(smooth.log_level[known & ~weak], _ALMOST))
    lifted = np.flatnonzero(known & weak & (smooth.log_level > usual + _LIFTED))
    return int(lifted[0]) if len(lifted) else len(known)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Continued:
    """A log level carried on above the known band, with what more slope and more zeros there would add to it.

    All are of shape (bins,). The spreads say by how much slope and zeros may be off.
    """

    level: Spectrum
    slope: Spectrum
    zeros: Spectrum
    slope_spread: float
    zeros_spread: float

    @classmethod
    def beyond(cls, transfer: Transfer, known: NDArray[np.bool_]) -> "_Continued":
        """Bridge the gaps in the known band and go on above it as its highest octave goes."""
        bins = np.arange(len(known))
        top = int(np.flatnonzero(known).max())
        octave = known & (bins > top / 2)
        if octave.sum() < _LEAST_OF_OCTAVE * top:  # a few bins that follow by chance have no slope
            octave = known
        octaves = np.log2(np.maximum(bins, 1) / top)
        level, weights = transfer.log_level, transfer.coherence[octave]
        # The other coefficient is not the level at the top, once the slope is limited.
        steepness = float(np.polyfit(octaves[octave], level[octave], 1, w=np.sqrt(weights))[0])
        steepness = float(np.clip(steepness, _STEEPEST, 0))
        at_top = float(np.average(level[octave] - steepness * octaves[octave], weights=weights))
        above = bins > top
        slope = np.where(above, octaves, 0)
        zeros = np.log(np.cos(np.minimum(_angular() / 2, 0.4995 * np.pi)))
        zeros = np.where(above, zeros - zeros[top], 0)
        carried_on = at_top + steepness * slope - _ZEROS * steepness / _POLE * zeros
        return cls(
            level=np.where(above, carried_on, np.interp(bins, bins[known], level[known])),
            slope=slope,
            zeros=zeros,
            slope_spread=_SLOPE_SPREAD[0] - _SLOPE_SPREAD[1] * steepness,
            zeros_spread=_ZERO_SPREAD[0] - _ZERO_SPREAD[1] * steepness,
        )


def _fitted(
    phase: Spectrum, continued: _Continued, coherence: Spectrum, known: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the delay, in frames, that a phase in radians over the known bins tells, and its standard error."""
    shapes = np.column_stack([-_angular(), _phase_of(continued.slope), _phase_of(continued.zeros)])[known]
    variance = _MISLED * (1 / coherence[known] - 1) + _PHASE_ERROR**2
    weighted = shapes / variance[:, None]
    prior = np.diag([0.0, continued.slope_spread**-2, continued.zeros_spread**-2])
    covariance = np.linalg.inv(shapes.T @ weighted + prior)
    delay = float((covariance @ (weighted.T @ phase))[0])
    return delay, math.sqrt(covariance[0, 0])


def _angular() -> Spectrum:
    """Return the angular frequency of each bin, in radians a frame."""
    return np.linspace(0, np.pi, WINDOW // 2 + 1)


def _phase_of(log_level: Spectrum) -> Spectrum:
    """Return the phase of the minimum-phase filter that has a log level, from its cepstrum (Oppenheim & Schafer)."""
    half = len(log_level) - 1
    odd = fft.irfft(log_level, 2 * half)
    odd[[0, half]] = 0
    odd[half + 1 :] *= -1
    phase: Spectrum = fft.rfft(odd).imag
    return phase
