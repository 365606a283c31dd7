"""Synthetic instruments: dry sound with the dynamics of playing, made from a seed.

Each function returns mono float64 of the frames asked for. They need not fool a listener: they must take gear
through the levels, spectra, attacks, decays and note clusters that real playing takes it through.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import signal

__all__ = ["Wave", "drum_kit", "electric_piano", "organ", "plucked_string", "strings_pad", "voice"]

Wave = NDArray[np.float64]

# Where a pluck's spectrum begins to fall, in partials. Eight recorded guitars have 2 dB less at 500 Hz to 1 kHz than an
# octave below, and 11 dB less at 2 to 4 kHz; so have these within 3 dB. With a flat pluck they had 2 and 1 dB more.
_FALLING_FROM = (1.0, 4.0)


def plucked_string(  # noqa: PLR0913 - a pluck has this many sides
    rng: Generator,
    *,
    sample_rate: int,
    frames: int,
    frequency: float,
    hardness: float,
    decay_seconds: float,
    damping: float = 0.3,
    bend: float = 0.0,
) -> Wave:
    """Return one pluck: a delay line with a loss filter (Karplus & Strong 1983; Jaffe & Smith 1983).

    `hardness` in [0, 1] opens the pick's spectrum, `damping` in [0, 1] dulls the ring as it goes on, and `bend`
    is the depth of a vibrato or bend in semitones. The partials fall by 6 dB an octave from one of the first four on,
    as the velocity of a plucked string does.
    """
    period = sample_rate / frequency
    length = max(int(period - damping / 2), 2)
    offset = period - damping / 2 - length  # what the whole-frame delay leaves to the interpolator
    pick = rng.uniform(-1, 1, length)
    cutoff = 0.02 + 0.6 * hardness**1.5
    velocity = 1 - np.exp(-2 * np.pi * rng.uniform(*_FALLING_FROM) / length)
    for share in (cutoff, velocity):
        pick = signal.lfilter([share], [1, share - 1], np.concatenate([pick, pick]))[length:]
    position = int(length * rng.uniform(0.08, 0.4))
    pick = pick - 0.85 * np.roll(pick, position)  # nodes where the pick touches the string
    gain = 0.001 ** (period / sample_rate / decay_seconds)
    out = np.empty(frames + length)
    ring = np.concatenate([[0.0, 0.0], pick / (np.abs(pick).max() + 1e-9)])
    taps = gain * np.convolve([1 - offset, offset], [1 - damping / 2, damping / 2])
    for start in range(0, frames, length):
        out[start : start + length] = ring[2:]
        ring = np.concatenate([ring[-2:], np.convolve(ring, taps)[2 : length + 2]])
    return _bent(rng, out[:frames], sample_rate, bend)


def _bent(rng: Generator, note: Wave, sample_rate: int, semitones: float) -> Wave:
    if semitones == 0:
        return note
    time = np.arange(len(note)) / sample_rate
    rate = rng.uniform(0.5, 6.5)
    swing = semitones / 12 * np.log(2) / (2 * np.pi * rate) * sample_rate
    reading = np.arange(len(note)) + swing * (1 - np.cos(2 * np.pi * rate * time)) * np.minimum(time / 0.3, 1)
    return np.interp(reading, np.arange(len(note)), note, right=0.0)


def electric_piano(
    rng: Generator, *, sample_rate: int, frames: int, frequency: float, hardness: float, decay_seconds: float
) -> Wave:
    """Return one note of a tine piano: a decaying carrier whose phase a tine modulates (Chowning 1973)."""
    time = np.arange(frames) / sample_rate
    fade = np.exp(-time * 6.9 / decay_seconds) * np.minimum(time / 0.002, 1)
    tine = np.sin(2 * np.pi * frequency * 14 * time) * np.exp(-time * 30) * hardness * 0.6
    bark = np.sin(2 * np.pi * frequency * time) * (0.2 + 1.5 * hardness) * np.exp(-time * 4)
    return fade * np.sin(2 * np.pi * frequency * time + bark + tine + rng.uniform(0, 6.28))


def organ(rng: Generator, *, sample_rate: int, frames: int, frequency: float) -> Wave:
    """Return one held note of a drawbar organ with a slow rotor, its drawbars at random."""
    time = np.arange(frames) / sample_rate
    rotor = 1 + 0.15 * np.sin(2 * np.pi * rng.uniform(0.7, 6.8) * time)
    ratios = np.asarray([0.5, 1.5, 1, 2, 3, 4, 5, 6, 8])
    bars = rng.uniform(0, 1, 9) ** 2
    note = np.zeros(frames)
    for ratio, bar in zip(ratios[ratios * frequency < sample_rate * 0.4], bars, strict=False):
        note += bar * np.sin(2 * np.pi * frequency * ratio * time + rng.uniform(0, 6.28))
    click = rng.normal(0, 0.3, frames) * np.exp(-time * 400)
    return (note + click) * rotor * np.minimum(1, np.minimum(time, time[::-1]) / 0.008)


def strings_pad(rng: Generator, *, sample_rate: int, frames: int, frequency: float, brightness: float) -> Wave:
    """Return one bowed note: a few detuned sawtooths through a low-pass, swelling in and out."""
    time = np.arange(frames) / sample_rate
    vibrato = 0.004 * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * time + rng.uniform(0, 6.28))
    note = sum(
        signal.sawtooth(2 * np.pi * frequency * detune * (time + vibrato / 30) + rng.uniform(0, 6.28))
        for detune in rng.normal(1, 0.002, 3)
    )
    sos = signal.butter(2, min(300 + 6000 * brightness, sample_rate * 0.45), fs=sample_rate, output="sos")
    swell = np.minimum(1, np.minimum(time / rng.uniform(0.02, 0.5), (time[-1] - time) / 0.1))
    return np.asarray(signal.sosfilt(sos, note) * swell)


def voice(rng: Generator, *, sample_rate: int, frames: int, frequency: float) -> Wave:
    """Return one syllable: glottal pulses and breath through three wandering formants (Klatt 1980, much reduced)."""
    time = np.arange(frames) / sample_rate
    glide = frequency * np.exp(rng.normal(0, 0.15) * time / (time[-1] + 0.1))
    phase = np.cumsum(glide) / sample_rate
    source = np.maximum(np.sin(2 * np.pi * phase), 0) ** rng.uniform(2, 8) - 0.15
    source = source * rng.choice([1.0, 1.0, 0.05]) + rng.normal(0, 1, frames) * rng.choice([0.01, 0.03, 0.4])
    out = 1.5 * signal.lfilter(*signal.iirpeak(frequency, 1, fs=sample_rate), source)
    for low, high, level in ((280, 850, 1.0), (850, 2400, 0.6), (2300, 3500, 0.3)):
        centre = rng.uniform(low, high)
        out += level * signal.lfilter(*signal.iirpeak(centre, rng.uniform(3, 9), fs=sample_rate), source)
    return out * np.sin(np.pi * np.minimum(time / (time[-1] + 1e-9), 1)) ** 0.5


def drum_kit(rng: Generator, *, sample_rate: int, frames: int) -> Wave:
    """Return a bar-less groove of kick, snare, toms, hats and cymbals, each hit at its own strength."""
    out = np.zeros(frames)
    beat = 60 / rng.uniform(70, 170) / 2
    for number in range(int(frames / sample_rate / beat)):
        start = int((number * beat + rng.normal(0, 0.004)) * sample_rate)
        for chance, hit in ((0.45, _kick), (0.35, _snare), (0.8, _hat), (0.12, _tom), (0.05, _cymbal)):
            if rng.random() < chance:
                sound = hit(rng, sample_rate) * rng.uniform(0.15, 1)
                begin, end = max(start, 0), min(max(start, 0) + len(sound), frames)
                out[begin:end] += sound[: end - begin]
    return out


def _kick(rng: Generator, sample_rate: int) -> Wave:
    time = np.arange(int(0.35 * sample_rate)) / sample_rate
    pitch = rng.uniform(40, 65) * (1 + 4 * np.exp(-time * 45))
    click = rng.normal(0, 0.4, len(time)) * np.exp(-time * 500)
    return np.sin(2 * np.pi * np.cumsum(pitch) / sample_rate) * np.exp(-time * rng.uniform(8, 18)) + click


def _tom(rng: Generator, sample_rate: int) -> Wave:
    time = np.arange(int(0.5 * sample_rate)) / sample_rate
    pitch = rng.uniform(80, 220) * (1 + 0.4 * np.exp(-time * 20))
    return np.sin(2 * np.pi * np.cumsum(pitch) / sample_rate) * np.exp(-time * rng.uniform(6, 12))


def _snare(rng: Generator, sample_rate: int) -> Wave:
    time = np.arange(int(0.3 * sample_rate)) / sample_rate
    rattle = 0.4 * _hiss(rng, len(time), sample_rate, (400, 5000)) * np.exp(-time * rng.uniform(14, 35))
    shell = np.sin(2 * np.pi * rng.uniform(160, 250) * time) * np.exp(-time * 25)
    return 0.6 * shell + rattle


def _hat(rng: Generator, sample_rate: int) -> Wave:
    time = np.arange(int(0.3 * sample_rate)) / sample_rate
    hiss = 0.15 * _hiss(rng, len(time), sample_rate, (3000, 9000))
    return hiss * np.exp(-time * rng.choice([12.0, 60.0, 90.0]))


def _cymbal(rng: Generator, sample_rate: int) -> Wave:
    time = np.arange(int(1.5 * sample_rate)) / sample_rate
    return 0.15 * _hiss(rng, len(time), sample_rate, (1500, 8000)) * np.exp(-time * 3)


def _hiss(rng: Generator, frames: int, sample_rate: int, band_hz: tuple[float, float]) -> Wave:
    """Return noise of a band with gentle flanks, at an RMS level of about 1."""
    low, high = (min(edge, ceiling * sample_rate) for edge, ceiling in zip(band_hz, (0.2, 0.45), strict=True))
    noise = signal.sosfilt(
        signal.butter(1, (low, high), "bandpass", fs=sample_rate, output="sos"), rng.normal(size=frames)
    )
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))
