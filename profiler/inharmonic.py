"""Sound that is no harmonic of what was played: aliasing, above all, found in the answers to sweeps.

A sweep's phase is known at every frame, so each harmonic can be brought down to rest and is what then varies slowly.
What is left of the answer without those below half the sampling rate is aliasing, intermodulation with it, and noise.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from profiler.tones import sweep_phase

__all__ = ["inharmonic_share", "parted"]

_LOWEST_HZ, _HIGHEST_HZ = 1000.0, 5000.0  # of the sweep: the upper half of what is played, where aliases are heard
_AUDIBLE_HZ, _SHARE_OF_RATE = 20_000.0, 0.45
_SLOW_HZ = (100.0, 200.0)  # filters of some milliseconds vary a swept harmonic by up to the one
_EDGE_SECONDS = 0.03  # how far the difference between the two reaches

Wave = NDArray[np.floating[Any]]


def inharmonic_share(wet: Wave, still: NDArray[np.bool_], sample_rate: int) -> float | None:
    """Return the energy of what is inharmonic in the answer to `tones.sweeps`, over that of the harmonics.

    Both arrays are of shape (frames,), as long as the sweeps; `still` says where no knob moves, and only there and 30
    ms away from where one does, energies are counted: while the sweeps go from 1 to 5 kHz, the inharmonic up to 20 kHz.
    None where there is no sound, or no time without moves. An answer without anything inharmonic measures about -90 dB.
    """
    halves = zip(np.split(wet.astype(np.float64), 2), np.split(still, 2), strict=True)
    rest, harmonics = np.sum([_energies(*half, sample_rate) for half in halves], axis=0)
    return float(rest / harmonics) if harmonics > 0 else None


def _energies(wet: Wave, still: NDArray[np.bool_], sample_rate: int) -> tuple[float, float]:
    phase = sweep_phase(sample_rate=sample_rate, frames=len(wet))
    frequency = np.gradient(phase) * sample_rate / (2 * math.pi)
    edge = int(_EDGE_SECONDS * sample_rate)
    start, stop = np.searchsorted(frequency, (_LOWEST_HZ, min(_HIGHEST_HZ, 0.9 * frequency[-1])))
    around = slice(max(start - edge, 0), stop + edge)
    rest, harmonics = parted(wet[around], phase[around], sample_rate)
    counted = np.convolve(~still[around], np.ones(2 * edge + 1), "same") < 0.5
    counted[:edge] = counted[-edge:] = False
    return float(np.sum(rest[counted] ** 2)), float(np.sum(harmonics[counted] ** 2))


def parted(wet: Wave, phase: Wave, sample_rate: int, *, slow_hz: tuple[float, float] = _SLOW_HZ) -> tuple[Wave, Wave]:
    """Return what is inharmonic, up to 20 kHz, and the harmonics of the phase, in radians; each of shape (frames,).

    A harmonic may vary by up to the first of `slow_hz`; what varies by more than the second is inharmonic.
    """
    frequency = np.gradient(phase) * sample_rate / (2 * math.pi)
    offset = _slow(wet, sample_rate, slow_hz).real
    harmonics = np.zeros_like(wet)
    for number in range(1, int(sample_rate / 2 / frequency.min()) + 1):
        turning = np.exp(1j * number * phase)
        # Beyond half the sampling rate the same slow part is the alias's, so that no harmonic ends with a jump.
        harmonic = 2 * (_slow(wet * turning.conj(), sample_rate, slow_hz) * turning).real
        harmonics += np.where(number * frequency < sample_rate / 2, harmonic, 0)
    rest = fft.rfft(wet - offset - harmonics)
    rest[fft.rfftfreq(len(wet), 1 / sample_rate) > min(_AUDIBLE_HZ, _SHARE_OF_RATE * sample_rate)] = 0
    return fft.irfft(rest, len(wet)), harmonics


def _slow(
    wave: NDArray[np.complex128] | Wave, sample_rate: int, slow_hz: tuple[float, float]
) -> NDArray[np.complex128]:
    """Return what varies more slowly than the first of two frequencies, and less and less up to the other."""
    hertz = np.abs(fft.fftfreq(len(wave), 1 / sample_rate))
    share = np.clip((slow_hz[1] - hertz) / (slow_hz[1] - slow_hz[0]), 0, 1)
    return fft.ifft(fft.fft(wave) * np.sin(np.pi / 2 * share) ** 2)
