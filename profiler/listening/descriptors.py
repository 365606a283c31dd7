"""Descriptors: what a sound is like, as a fixed row of numbers, whatever its level and its sampling rate.

They are what studies of timbre and of effects found to tell sounds apart: levels of mel bands, how they spread and how
fast they move (Peeters et al. 2011, "The Timbre Toolbox"; modulation after McDermott & Simoncelli 2011); how far peaks
of the spectrum stand out of what lies between them, which intermodulation fills (spectral contrast, Jiang et al. 2002);
crest, skewness and kurtosis of the waveform, which clipping changes (Stein et al. 2010, "Automatic detection of audio
effects in guitar and bass recordings"); and how each band follows the level, which tells what grows with playing.
Playing shapes all of them too: `profiler.listening.sound_space` has what is left of them when that is taken out.
"""

import itertools
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft, signal, sparse

from profiler.audio import Audio
from profiler.errors import AudioError

__all__ = ["COUNT", "DESCRIPTORS_VERSION", "SHORTEST_SECONDS", "Descriptors", "described"]

DESCRIPTORS_VERSION = 1
"""Descriptors of different versions cannot be compared."""

SHORTEST_SECONDS = 0.5
"""Of sound above silence: less than that has no spread and no modulation to speak of."""

_RATE = 32_000
_LENGTH, _HOP = 2048, 512
_BANDS, _OCTAVES = 40, 8
_LOWEST_HZ, _HIGHEST_HZ = 40.0, 15_000.0
_HEARD_DB = 35.0
_SILENCE = 1e-10
_FAINTEST, _FAINTEST_BAND = 1e-10, 1e-8  # beside the loudest: below that a recording has its own noise
_MODULATIONS_HZ = ((1.0, 3.0), (3.0, 7.0), (7.0, 15.0), (15.0, 30.0))
_CONTRAST_SHARE = 0.15
_FRAME = 1024
_LEVELS = (5, 25, 50, 75, 95)
_LEAST_SWING = 1.0  # from peak to peak, in RMS: a sine has 2.8, and only what stands off zero has less

COUNT = 3 * _BANDS + 2 * _OCTAVES + len(_MODULATIONS_HZ) * _OCTAVES // 2 + 3 * _OCTAVES // 2 + 7 + len(_LEVELS) + 1

Descriptors = NDArray[np.float32]
"""Of shape (COUNT,)."""

_Array = NDArray[np.float64]


def described(audio: Audio) -> Descriptors:
    """Return the descriptors of audio, its channels mixed to one.

    Raises AudioError for audio that is not finite, or of which less than half a second is above silence.
    """
    mono = audio.mono()
    if not np.isfinite(mono).all():
        raise AudioError("The recording holds NaN or infinity, so nothing can be heard in it. Export it again.")
    sound = soxr.resample(mono, audio.sample_rate, _RATE).astype(np.float64)
    spectra = _spectra(sound)
    power = spectra.sum(axis=1)
    loudest = float(np.percentile(power, 95)) if len(power) else 0.0
    heard = power > max(loudest * 10 ** (-_HEARD_DB / 10), _SILENCE)
    if np.count_nonzero(heard) * _HOP < SHORTEST_SECONDS * _RATE:
        raise AudioError(
            f"Less than {SHORTEST_SECONDS:g} s of the recording is above silence. Send a few seconds of playing."
        )
    sound, spectra, level = sound / np.sqrt(loudest), spectra / loudest, _db(power / loudest)
    mel = _db(spectra @ _bands().T, _FAINTEST_BAND)
    parts = (
        _levels_of_bands(mel[heard], level[heard]),
        _contrast(spectra[heard]),
        _modulation(mel),
        _waveform(sound),
        np.percentile(level[heard], _LEVELS),
        [float(np.mean(np.abs(np.diff(level[heard]))))],
    )
    return np.concatenate([np.ravel(part) for part in parts]).astype(np.float32)


def _spectra(sound: _Array) -> _Array:
    """Return power spectra, of shape (windows, bins)."""
    if len(sound) < _LENGTH:
        return np.zeros((0, _LENGTH // 2 + 1))
    cut = np.lib.stride_tricks.sliding_window_view(sound, _LENGTH)[::_HOP]
    window = signal.windows.hann(_LENGTH, sym=False)
    spectra = fft.rfft(cut * (window / np.sqrt(np.sum(window**2) * _LENGTH / 2)))
    power: _Array = spectra.real**2 + spectra.imag**2
    return power


def _levels_of_bands(mel: _Array, level: _Array) -> _Array:
    """Return each band's level, its spread, and by how many dB it rises where the whole rises by one."""
    middle = level - level.mean()
    rise = middle @ (mel - mel.mean(axis=0)) / (middle @ middle + len(level))
    return np.concatenate([mel.mean(axis=0), mel.std(axis=0), 10 * rise])


def _contrast(spectra: _Array) -> _Array:
    """Return for each octave how far peaks stand above the middle, and above what lies between."""
    found = []
    for low, high in _octaves():
        part = _db(np.sort(spectra[:, low:high], axis=1))
        few = max(int(_CONTRAST_SHARE * part.shape[1]), 1)
        peak, valley = part[:, -few:].mean(), part[:, :few].mean()
        found += [peak - part.mean(), peak - valley]
    return np.asarray(found)


def _modulation(mel: _Array) -> _Array:
    """Return how much pairs of octaves move at slow, middling and fast rates, in dB beside all that they move."""
    groups = np.maximum(mel, -60.0).reshape(len(mel), _OCTAVES // 2, -1).mean(axis=2)
    rates = np.fft.rfftfreq(len(groups), _HOP / _RATE)
    power = np.abs(np.fft.rfft(groups - groups.mean(axis=0), axis=0)) ** 2
    total = power.sum(axis=0) + len(groups)
    shares = [power[(rates >= low) & (rates < high)].sum(axis=0) / total for low, high in _MODULATIONS_HZ]
    return _db(np.asarray(shares) + 1e-4)


def _waveform(sound: _Array) -> _Array:
    """Return crest, skewness and kurtosis of the whole, how lopsided its peaks are, and crests of parts of the band."""
    cut = sound[: len(sound) - len(sound) % _FRAME].reshape(-1, _FRAME)
    own = np.sqrt(np.mean(cut**2, axis=1))
    cut = cut[own > 10 ** (-_HEARD_DB / 20) * np.percentile(own, 95)]
    rms = np.sqrt(np.mean(cut**2, axis=1))
    up, down = cut.max(axis=1) / rms, -cut.min(axis=1) / rms
    crests = 20 * np.log10(np.abs(cut).max(axis=1) / rms)
    scaled = cut / rms[:, None]
    squares = scaled * scaled
    crossings = np.mean(np.diff(np.signbit(cut), axis=1), axis=1)
    whole = [
        crests.mean(),
        crests.std(),
        10 * np.mean(squares * scaled),
        10 * np.log10(np.mean(squares * squares)),
        10 * np.mean((up - down) / np.maximum(up + down, _LEAST_SWING)),
        10 * np.log10(np.mean(np.abs(scaled)) ** 2),
        10 * np.log10(crossings.mean() + 1e-3),
    ]
    return np.concatenate([whole, _band_crests(sound)])


def _band_crests(sound: _Array) -> _Array:
    """Return crest, kurtosis and lopsidedness of the sound in two octaves each."""
    found: list[float] = []
    for sos in _crest_filters():
        band = signal.sosfilt(sos, sound)
        cut = band[: len(band) - len(band) % _FRAME].reshape(-1, _FRAME)
        rms = np.sqrt(np.mean(cut**2, axis=1)) + 1e-6
        found.append(float(np.mean(20 * np.log10(np.abs(cut).max(axis=1) / rms + 1e-3))))
        scaled = cut / rms[:, None]
        squares = scaled * scaled  # powers of arrays take many times as long
        found.append(float(10 * np.log10(np.mean(np.minimum(squares * squares, 1e3)) + 1e-3)))
        found.append(float(10 * np.mean(squares * scaled)))
    return np.asarray(found)


def _db(power: _Array, faintest: float = _FAINTEST) -> _Array:
    return 10 * np.log10(np.maximum(power, faintest))


@cache
def _bands() -> sparse.csr_array:
    """Return triangles that are even on O'Shaughnessy's mel scale, each of unit sum, of shape (bands, bins)."""
    low_mel, high_mel = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    mel = np.linspace(low_mel, high_mel, _BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins = np.linspace(0, _RATE / 2, _LENGTH // 2 + 1)
    low, middle, high = (edges[first : first + _BANDS, None] for first in range(3))
    triangles = np.maximum(np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)), 0)
    return sparse.csr_array(triangles)


@cache
def _crest_filters() -> tuple[_Array, ...]:
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _OCTAVES // 2 + 1)
    return tuple(
        signal.butter(2, (low, high), "bandpass", fs=_RATE, output="sos") for low, high in itertools.pairwise(edges)
    )


@cache
def _octaves() -> tuple[tuple[int, int], ...]:
    edges = np.geomspace(60.0, _HIGHEST_HZ, _OCTAVES + 1) / (_RATE / 2) * (_LENGTH // 2)
    whole = [round(edge) for edge in edges]
    return tuple((low, max(high, low + 4)) for low, high in itertools.pairwise(whole))
