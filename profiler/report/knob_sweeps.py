"""What each knob does to level and spectrum: for gear and learnt on the same playing, and for the learnt alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.evaluation import render_take
from profiler.knob import Knob, default_settings
from profiler.profile import LoadedProfile
from profiler.programme import programme
from profiler.rendering import ProfileProcessor
from profiler.report.playing import finite_mono
from profiler.report.svg import Series
from profiler.session import CaptureSession, Take
from profiler.session_folder import SessionFolder
from profiler.split import Span, recorded_frames

__all__ = ["KnobSweep", "Place", "Windows", "bands_hz", "by_position", "learnt_alone", "listened"]

_WINDOW_SECONDS = 0.17
_LISTENED_SECONDS = 60.0
_SHORTEST_SECONDS = 2.0
_MOST_TAKES = 40
_ALONE_SECONDS = 2.0
_ALONE_SEED = 5
_BANDS = 5
_MOST_CHOICES = 8
_FEWEST_WINDOWS = 4
_QUIETEST = 1e-6  # mean square of the dry below which a window tells nothing
_FAINTEST = 1e-4  # of the loudest window of the dry
_WEAKEST = 1e-5  # of the strongest band of the dry


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """Short pieces of playing at knobs that stand still: positions (windows, width), powers (windows, bands) each."""

    positions: Samples
    dry: Series
    gear: Series
    learnt: Series
    frequency_hz: Series


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A place of a knob: its word, where it lies from 0 to 1, and gain over the dry in dB, whole and by band."""

    word: str
    at: float
    gear_db: float | None
    learnt_db: float
    gear_bands_db: Series | None
    learnt_bands_db: Series


@dataclass(frozen=True, kw_only=True, eq=False)
class KnobSweep:
    """A knob's places with gear and learnt on the same playing (none where takes do not tell), and the learnt alone."""

    knob: Knob
    frequency_hz: Series
    measured: tuple[Place, ...]
    alone: tuple[Place, ...]


def listened(loaded: LoadedProfile, folder: SessionFolder) -> Windows:
    """Return what up to a minute, spread over a session's takes, show. Raises SessionError, AudioError."""
    session, knobs = folder.session, loaded.profile.knobs
    takes = [take for take in session.takes if take.replicate_of is None]
    takes = takes[:: max(-(-len(takes) // _MOST_TAKES), 1)]
    found: list[tuple[Samples, Series, Series, Series]] = []
    for take in takes:
        span = _span(session, take, max(_LISTENED_SECONDS / len(takes), _SHORTEST_SECONDS))
        if span.stop <= span.start:
            continue
        rendered = render_take(loaded, folder, span)
        motion = folder.track_of(take).motion(knobs)
        sounds = [finite_mono(each) for each in (rendered.dry, rendered.wet, rendered.predicted)]
        length = _window(session.sample_rate)
        for start in range(0, len(sounds[0]) - length + 1, length):
            places = motion.at(span.start + start, span.start + start + length)
            if (places == places[0]).all() and np.mean(sounds[0][start : start + length] ** 2) > _QUIETEST:
                powers = [_band_powers(each[start : start + length], session.sample_rate) for each in sounds]
                found.append((places[0], *powers))
    frequency = bands_hz(session.sample_rate)
    width = sum(knob.width for knob in knobs)
    if not found:
        none = np.zeros((0, len(frequency)))
        return Windows(
            positions=np.zeros((0, width), np.float32), dry=none, gear=none, learnt=none, frequency_hz=frequency
        )
    positions, dry, gear, learnt = (np.stack(each) for each in zip(*found, strict=True))
    return Windows(positions=positions, dry=dry, gear=gear, learnt=learnt, frequency_hz=frequency)


def _span(session: CaptureSession, take: Take, seconds: float) -> Span:
    """Return the stretch of a take that is listened to: its middle, or, where knobs move, what comes first."""
    begin, end = recorded_frames(session, take)
    length = min(int(seconds * session.sample_rate), end - begin)
    if take.settings is None:
        length = min(int(_LISTENED_SECONDS * session.sample_rate), end - begin)
        return Span(take=take.number, start=begin, stop=begin + length)
    start = begin + (end - begin - length) // 2
    return Span(take=take.number, start=start, stop=start + length)


def by_position(knobs: Sequence[Knob], windows: Windows) -> dict[str, tuple[Place, ...]]:
    """Return by knob id what gear and learnt do in each fifth of its way, or at each choice of a switch.

    Other knobs stand anywhere, but for both alike. A knob that was heard in one such place only has none.
    """
    found: dict[str, tuple[Place, ...]] = {}
    column = 0
    for knob in knobs:
        own = windows.positions[:, column : column + knob.width]
        column += knob.width
        index = own.argmax(axis=1) if knob.choices else np.minimum(own[:, 0] * _BANDS, _BANDS - 1).astype(int)
        count = len(knob.choices) or _BANDS
        places = [
            _place(windows, index == number, knob, number, count)
            for number in range(count)
            if (index == number).sum() >= _FEWEST_WINDOWS
        ]
        found[knob.id] = tuple(places) if len(places) > 1 else ()
    return found


def _place(windows: Windows, chosen: NDArray[np.bool_], knob: Knob, number: int, count: int) -> Place:
    dry, gear, learnt = (each[chosen] for each in (windows.dry, windows.gear, windows.learnt))
    if knob.choices:
        word = knob.choices[number]
    else:
        ends = (knob.spelt(knob.value_at((number + end) / count)) for end in (0, 1))
        word = " to ".join(ends)
    gear_db, gear_bands_db = _gain(gear, dry)
    learnt_db, learnt_bands_db = _gain(learnt, dry)
    return Place(
        word=word,
        at=(number + 0.5) / count,
        gear_db=gear_db,
        learnt_db=learnt_db,
        gear_bands_db=gear_bands_db,
        learnt_bands_db=learnt_bands_db,
    )


def learnt_alone(loaded: LoadedProfile, knob: Knob) -> tuple[Place, ...]:
    """Return what the profile does to some playing as one knob is turned and the others stand at their defaults."""
    rate = loaded.profile.sample_rate
    dry = programme(_ALONE_SEED, sample_rate=rate, frames=int(_ALONE_SECONDS * rate))
    dry_power = _powers(dry, rate)
    count = min(len(knob.choices), _MOST_CHOICES) or _BANDS
    found = []
    for number in range(count):
        at = (number + 0.5) / count if knob.choices else number / (count - 1)
        value = knob.choices[number] if knob.choices else knob.value_at(at)
        settings = {**default_settings(loaded.profile.knobs), knob.id: value}
        wet = finite_mono(ProfileProcessor(loaded, settings).process(dry[None], rate))
        gain, bands = _gain(_powers(wet, rate), dry_power)
        found.append(
            Place(
                word=knob.spelt(value),
                at=at,
                gear_db=None,
                learnt_db=gain,
                gear_bands_db=None,
                learnt_bands_db=bands,
            )
        )
    return tuple(found)


def _powers(samples: Samples, sample_rate: int) -> Series:
    length = _window(sample_rate)
    starts = range(0, len(samples) - length + 1, length)
    return np.stack([_band_powers(samples[start : start + length], sample_rate) for start in starts])


def _gain(wet: Series, dry: Series) -> tuple[float, Series]:
    """Return by how many dB powers (windows, bands) are above those of the dry, whole and by band, over the windows.

    Every window counts alike, however loud: else the loudest note would be all that is told. NaN stands where the dry
    has nothing.
    """
    loud = dry.sum(axis=1) >= _FAINTEST * dry.sum(axis=1).max(initial=0)
    wet, dry = wet[loud], dry[loud]
    gains = 10 * np.log10(np.maximum(wet, 1e-20) / np.maximum(dry, 1e-20))
    told = dry > _WEAKEST * dry.max(axis=1, initial=0, keepdims=True)
    counts = told.sum(axis=0)
    bands = np.where(told, gains, 0).sum(axis=0) / np.maximum(counts, 1)
    whole = 10 * np.log10(np.maximum(wet.sum(axis=1), 1e-20) / np.maximum(dry.sum(axis=1), 1e-20))
    return float(whole.mean()), np.where(counts > 0, bands, np.nan)


def _window(sample_rate: int) -> int:
    return int(_WINDOW_SECONDS * sample_rate)


def bands_hz(sample_rate: int) -> Series:
    """Return the middles of the third-octave bands that spectra by knob are told in."""
    centres = 1000 * 2.0 ** (np.arange(-12, 13) / 3)
    return centres[centres < 0.4 * sample_rate]


def _band_powers(samples: Samples, sample_rate: int) -> Series:
    """Return mean squares by third of an octave, of shape (bands,)."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    centres = bands_hz(sample_rate)
    edges = np.concatenate([centres * 2 ** (-1 / 6), centres[-1:] * 2 ** (1 / 6)])
    places = np.searchsorted(np.fft.rfftfreq(len(samples), 1 / sample_rate), edges)
    summed = np.concatenate([[0.0], np.cumsum(power)])
    return np.diff(summed[np.minimum(places, len(power))]) / len(samples) ** 2
