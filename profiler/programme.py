"""Programme: dry playing that a profile learns from, composed from a seed out of synthetic instruments."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.random import Generator
from scipy import signal

from profiler.audio import Samples
from profiler.instruments import Wave, drum_kit, electric_piano, organ, plucked_string, strings_pad, voice

__all__ = ["PASSAGES", "PLAYING", "passages", "playing", "programme"]

_E2 = 82.41
_SCALES = ((0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 5, 7, 9, 11), (0, 3, 5, 6, 7, 10), (0, 2, 4, 7, 9))
_CHORDS = ((0, 7, 12), (0, 7, 12, 16, 19, 24), (0, 7, 12, 15, 19, 24), (0, 4, 7, 10, 14), (0, 5, 10, 15), (0, 7, 16))
# Where pickups resonate, loaded by cable and tone knob.
_GUITAR_PICKUP_HZ, _BASS_PICKUP_HZ = (1500.0, 5000.0), (500.0, 2500.0)
_PASSAGE_SECONDS = (4.0, 8.0)
_GAIN_SECONDS = 3.0
# Of 17 recordings of playing half of all stretches of 100 ms are above -23 dB where peaks are at -3 dB; with these half
# are above -25 dB. When all passages wandered evenly over 20 dB it was -31 dB. Playing 20 dB below those recordings is
# learnt a little worse (Redeye Big Chump, light effect, ESR .037, now .047), and they themselves far better (.13, .07).
_QUIETEST_DB = -20.0
_WANDERING_SHARE = 0.5
_PEAK = 0.9


def programme(seed: int, *, sample_rate: int, frames: int) -> Samples:
    """Return mono programme of shape (frames,): passages of every kind in turn, each with its own dynamics.

    Spectrum and levels are those of recorded playing. Half of the passages stay at full level, and the level of the
    others wanders down to 20 dB lower, a new level every three seconds, as in ToneTwist AFx (Comunita et al. 2025).
    The same seed gives the same programme; passage k depends on seed and k alone.
    """
    out = np.zeros(frames)
    start = number = 0
    order: list[Callable[[Generator, int, int], Wave]] = []
    while start < frames:
        rng = np.random.default_rng([seed, number])
        if not order:
            order = [PASSAGES[index] for index in rng.permutation(len(PASSAGES))]
        length = min(int(rng.uniform(*_PASSAGE_SECONDS) * sample_rate), frames - start)
        out[start : start + length] = _passage(rng, order.pop(), sample_rate, length)
        start, number = start + length, number + 1
    return out.astype(np.float32)


def passages(seed: int, *, sample_rate: int, frames: int) -> Samples:
    """Return a passage of each kind of playing, of shape (kinds, frames). The same seed gives the same passages."""
    kinds = dict.fromkeys(PASSAGES)
    played = (
        _passage(np.random.default_rng([seed, number]), kind, sample_rate, frames) for number, kind in enumerate(kinds)
    )
    return np.stack([passage.astype(np.float32) for passage in played])


def _passage(rng: Generator, play: Callable[[Generator, int, int], Wave], sample_rate: int, frames: int) -> Wave:
    sound = play(rng, sample_rate, frames)
    sound = sound / (np.abs(sound).max() + 1e-9) * _PEAK
    points = int(np.ceil(frames / sample_rate / _GAIN_SECONDS)) + 1
    # Squared: high levels are commoner than low ones.
    gains = _QUIETEST_DB * rng.uniform(0, 1, points) ** 2 * (rng.random() < _WANDERING_SHARE)
    steps = np.minimum(np.arange(frames) / sample_rate / _GAIN_SECONDS, points - 1)
    level = np.interp(
        np.floor(steps) + np.clip((steps % 1) * 60, 0, 1), np.arange(points + 1), np.append(gains, gains[-1])
    )
    edge = np.minimum(1, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / (0.005 * sample_rate))
    return sound * 10 ** (level / 20) * edge


def _pickup(
    rng: Generator, sound: Wave, sample_rate: int, resonance_hz: tuple[float, float] = _GUITAR_PICKUP_HZ
) -> Wave:
    """Return a string as a magnetic pickup hears it: a resonant low-pass, and some hiss of its own."""
    resonance = min(np.exp(rng.uniform(*np.log(resonance_hz))), 0.4 * sample_rate)
    sos = signal.butter(2, resonance, fs=sample_rate, output="sos")
    peak = signal.lfilter(*signal.iirpeak(resonance, 1.5, fs=sample_rate), sound)
    hiss = rng.normal(0, 10 ** rng.uniform(-5, -3.5), len(sound))
    return np.asarray(signal.sosfilt(sos, sound) + 0.5 * peak + hiss)


def _mix_in(out: Wave, start: int, note: Wave) -> None:
    out[start : start + len(note)] += note[: max(len(out) - start, 0)]


def _lead(rng: Generator, sample_rate: int, frames: int) -> Wave:
    """A guitar's single notes."""
    root = _E2 * 2 ** (rng.integers(0, 24) / 12)
    return _pickup(rng, _line(rng, sample_rate, frames, root=root, highest=14), sample_rate)


def _bass(rng: Generator, sample_rate: int, frames: int) -> Wave:
    """A bass line, plucked soft or hard, from the low B of a five-string bass on."""
    root = _E2 / 2 * 2 ** (rng.integers(-5, 11) / 12)
    return _pickup(rng, _line(rng, sample_rate, frames, root=root, highest=7), sample_rate, _BASS_PICKUP_HZ)


def _line(rng: Generator, sample_rate: int, frames: int, *, root: float, highest: int) -> Wave:
    """Single notes up and down a scale: legato, staccato, bends, and rests."""
    out = np.zeros(frames)
    scale, degree, start = _SCALES[rng.integers(len(_SCALES))], 0, 0
    pace = rng.uniform(0.09, 0.5)
    while start < frames:
        degree = int(np.clip(degree + rng.integers(-3, 4), -3, highest))
        octave, step = divmod(degree, len(scale))
        hardness = rng.beta(2, 2)
        beats = rng.choice([0.5, 1, 1, 2, 4])
        length = int(min(pace * beats * rng.choice([0.4, 1.0, 1.0, 1.3, 1.3]), 4) * sample_rate) + 32
        note = plucked_string(
            rng,
            sample_rate=sample_rate,
            frames=min(length, frames - start),
            frequency=root * 2 ** (octave + scale[step] / 12),
            hardness=hardness,
            decay_seconds=rng.uniform(0.8, 6),
            damping=rng.uniform(0.05, 0.5),
            bend=rng.choice([0, 0, 0.2, 0.5, 2.0]),
        )
        _mix_in(out, start, _released(note, sample_rate) * (0.15 + hardness**1.5))
        start += int(pace * beats * sample_rate * rng.choice([1, 1, 1, 1, 1, 1.5]))
    return out


def _released(note: Wave, sample_rate: int) -> Wave:
    return note * np.minimum(1, np.arange(len(note))[::-1] / (0.006 * sample_rate))


def _strummed(rng: Generator, sample_rate: int, frames: int) -> Wave:
    """Chords, rung or arpeggiated, with down- and up-strokes of different force."""
    out = np.zeros(frames)
    pace, start = rng.uniform(0.2, 1.2), 0
    spread = rng.choice([0.008, 0.02, 0.12])
    while start < frames:
        root = _E2 * 2 ** (rng.integers(0, 13) / 12)
        chord = _CHORDS[rng.integers(len(_CHORDS))]
        for _ in range(rng.integers(1, 5)):
            force = rng.beta(2, 1.5)
            for number, interval in enumerate(chord[:: rng.choice([-1, 1])]):
                begin = start + int(number * spread * sample_rate)
                note = plucked_string(
                    rng,
                    sample_rate=sample_rate,
                    frames=max(min(int(pace * 2.2 * sample_rate), frames - begin), 32),
                    frequency=root * 2 ** (interval / 12) * rng.normal(1, 0.001),
                    hardness=force,
                    decay_seconds=rng.uniform(1, 5),
                    damping=rng.uniform(0.1, 0.5),
                )
                _mix_in(out, min(begin, frames - 1), _released(note, sample_rate) * (0.1 + force))
            start += int(pace * rng.choice([0.5, 1, 1]) * sample_rate)
    return _pickup(rng, out, sample_rate)


def _riff(rng: Generator, sample_rate: int, frames: int) -> Wave:
    """Palm-muted low strings and power chords, tight rests between them."""
    out = np.zeros(frames)
    pace, start = rng.uniform(0.08, 0.22), 0
    root = _E2 * 2 ** (rng.integers(-5, 8) / 12)
    while start < frames:
        muted = rng.random() < 0.65
        shift = rng.choice([0, 0, 0, 3, 5, 6, 7, 10])
        for interval in (0,) if muted and rng.random() < 0.5 else (0, 7, 12):
            note = plucked_string(
                rng,
                sample_rate=sample_rate,
                frames=max(min(int(pace * (1 if muted else rng.choice([2, 4])) * sample_rate), frames - start), 32),
                frequency=root * 2 ** ((shift + interval) / 12),
                hardness=rng.uniform(0.4, 1),
                decay_seconds=rng.uniform(0.1, 0.35) if muted else 4.0,
                damping=0.7 if muted else 0.25,
            )
            _mix_in(out, start, _released(note, sample_rate))
        start += int(pace * rng.choice([1, 1, 1, 2, 3]) * sample_rate)
    return _pickup(rng, out, sample_rate)


def _drums(rng: Generator, sample_rate: int, frames: int) -> Wave:
    return drum_kit(rng, sample_rate=sample_rate, frames=frames)


def _keys(rng: Generator, sample_rate: int, frames: int) -> Wave:
    """Chords and notes on an electric piano, an organ or strings."""
    out = np.zeros(frames)
    kind, pace, start = rng.integers(3), rng.uniform(0.25, 1.5), 0
    while start < frames:
        root = 110 * 2 ** (rng.integers(-15, 20) / 12)
        length = min(int(pace * rng.uniform(0.6, 1.6) * sample_rate) + 64, frames - start)
        for interval in rng.choice([0, 3, 4, 7, 10, 12, 14, 19], rng.integers(1, 5), replace=False):
            common = {"sample_rate": sample_rate, "frames": max(length, 64), "frequency": root * 2 ** (interval / 12)}
            force = rng.beta(2, 2)
            if kind == 0:
                note = electric_piano(rng, **common, hardness=force, decay_seconds=rng.uniform(1, 5))
            elif kind == 1:
                note = organ(rng, **common)
            else:
                note = strings_pad(rng, **common, brightness=force)
            _mix_in(out, start, _released(note, sample_rate) * (0.2 + force))
        start += int(pace * sample_rate)
    return out


def _speech(rng: Generator, sample_rate: int, frames: int) -> Wave:
    """Syllables and pauses, spoken low or high."""
    out = np.zeros(frames)
    start, pitch = 0, rng.uniform(90, 350)
    while start < frames:
        length = min(int(rng.uniform(0.06, 0.5) * sample_rate) + 64, frames - start)
        syllable = voice(rng, sample_rate=sample_rate, frames=max(length, 64), frequency=pitch * rng.uniform(0.8, 1.25))
        _mix_in(out, start, syllable / (np.abs(syllable).max() + 1e-9) * rng.uniform(0.2, 1))
        start += length + int(rng.choice([0, 0.05, 0.05, 0.4]) * sample_rate)
    return out


def _full_mix(rng: Generator, sample_rate: int, frames: int) -> Wave:
    """Several players at once."""
    out = np.zeros(frames)
    for play, chance in ((_drums, 0.9), (_bass, 0.9), (_keys, 0.7), (_strummed, 0.7), (_lead, 0.7)):
        if rng.random() < chance:
            sound = play(rng, sample_rate, frames)
            out += sound / (np.abs(sound).max() + 1e-9) * rng.uniform(0.3, 1)
    return out


PASSAGES = 3 * (_lead,) + 2 * (_strummed, _riff, _bass, _keys, _full_mix) + (_drums, _speech)
"""Kinds of passage, the common ones more than once."""

PLAYING: Mapping[str, Callable[[Generator, int, int], Wave]] = {
    "lead": _lead,
    "chords": _strummed,
    "riff": _riff,
    "bass": _bass,
    "drums": _drums,
    "keys": _keys,
    "speech": _speech,
    "mix": _full_mix,
}
"""The kinds of passage by name."""


def playing(kind: str, seed: int, *, sample_rate: int, frames: int) -> Samples:
    """Return mono playing of one kind, of shape (frames,), as a passage of programme has it."""
    rng = np.random.default_rng([seed, list(PLAYING).index(kind)])
    return _passage(rng, PLAYING[kind], sample_rate, frames).astype(np.float32)
