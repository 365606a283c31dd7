"""Sounds to listen to: short excerpts inside the page, with the gains that make them equally loud."""

import base64
import io
from dataclasses import dataclass

import numpy as np
import soundfile

from profiler.audio import Samples
from profiler.listening.loudness import loudness_of

__all__ = ["Player", "Sound", "player"]

_PEAK = 0.9
_LOUDEST_LUFS = -16.0
_MOST_AMPLIFIED_DB = 60.0
_QUIETEST_LUFS = -70.0


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A sound as base64 of a FLAC file, and what it is played with: at equal loudness, and as loud as it is."""

    flac: str
    equal_gain: float
    true_gain: float


@dataclass(frozen=True, kw_only=True)
class Player:
    """Dry, gear and learnt of one excerpt. Their difference is gear less learnt, as loud as it is beside the gear.

    `amplify_db` is what makes the difference as loud as the gear, at most 60 dB.
    """

    seconds: float
    dry: Sound
    gear: Sound
    learnt: Sound
    amplify_db: float


def player(dry: Samples, gear: Samples, learnt: Samples, sample_rate: int) -> Player:
    """Return what plays three sounds of shape (frames,), finite and of the same length.

    Gear and learnt are stored with one gain, so that what is between them in level stays. Loudness is ITU-R BS.1770's;
    what is too short or too quiet to have any counts as loud as its power.
    """
    peaks = [_peak(dry), max(_peak(gear), _peak(learnt))]
    stored = [dry * (_PEAK / peaks[0]), gear * (_PEAK / peaks[1]), learnt * (_PEAK / peaks[1])]
    loudness = [loudness_of(each, sample_rate) for each in stored]
    # As loud as the one with the highest peaks for its loudness can be without clipping.
    rooms = [
        loud - 20 * float(np.log10(_peak(each)))
        for each, loud in zip(stored, loudness, strict=True)
        if loud > _QUIETEST_LUFS
    ]
    target = min([_LOUDEST_LUFS, *rooms])
    equal = [10 ** ((target - loud) / 20) if loud > _QUIETEST_LUFS else 1.0 for loud in loudness]
    true = [peaks[0] / max(peaks), peaks[1] / max(peaks), peaks[1] / max(peaks)]
    sounds = [
        Sound(flac=_flac(each, sample_rate), equal_gain=round(even, 5), true_gain=round(as_is, 5))
        for each, even, as_is in zip(stored, equal, true, strict=True)
    ]
    apart = loudness[1] - loudness_of(stored[1] - stored[2], sample_rate)
    return Player(
        seconds=round(len(gear) / sample_rate, 3),
        dry=sounds[0],
        gear=sounds[1],
        learnt=sounds[2],
        amplify_db=round(float(np.clip(apart, 0, _MOST_AMPLIFIED_DB))),
    )


def _peak(samples: Samples) -> float:
    return max(float(np.abs(samples).max(initial=0)), 1e-6)


def _flac(samples: Samples, sample_rate: int) -> str:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), sample_rate, format="FLAC", subtype="PCM_16")
    return base64.b64encode(buffer.getvalue()).decode()
