"""Set-up: from a whisper up to the level at which gear is played, so that neither ears nor gear come to harm."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from capture.interface import Returned, play_and_record
from profiler.audio import Samples
from profiler.checks.levels import decibels
from profiler.checks.rest import Rest, find_hum
from profiler.clipping import clipped_spans
from profiler.errors import GearError
from profiler.programme import programme
from profiler.session import Wiring

__all__ = ["Level", "find_level"]

_STEPS_DB = (-60.0, -48.0, -36.0, -24.0, -18.0, -12.0, -6.0, 0.0)
_SECONDS = 1.5
_AROUND_SECONDS = 0.5  # enough to hear hum in
_SEED = 400_000
_HOT_DB = -3.0
"""A return that peaks higher than this leaves too little room for louder settings."""

_HEARD_OVER_NOISE_DB = 6.0
_SILENT_DB = -100.0
_HUM_BELOW_DB = 20.0
_STRAIGHT_ESR = 1e-3
_HEARD_BY_DB = -24.0
"""From here on the gear must answer: louder into gear that does not, and somebody plugs it in."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """One step: the peak that was sent and the one that came back in dBFS, and the return's level at rest before it."""

    send_db: float
    return_db: float
    rest_db: float


def find_level(
    wiring: Wiring, sample_rate: int, *, most_db: float = 0.0, on_level: Callable[[Level], None] = lambda _: None
) -> Level:
    """Return the loudest step, up to `most_db`, at which the return is clean, with what was measured there.

    It begins at -60 dB and plays a second and a half a step, louder each time, no further than until the return is hot.
    `on_level` hears each step. Raises GearError in words when the return is silent, clips even at a whisper, hums, or
    is nothing but what was sent.
    """
    dry = programme(_SEED, sample_rate=sample_rate, frames=int(_SECONDS * sample_rate))
    dry = (dry / max(float(np.abs(dry).max()), 1e-9)).astype(np.float32)
    best: Level | None = None
    for step in (each for each in _STEPS_DB if each <= most_db):
        found = play_and_record(replace(wiring, send_db=step), dry, sample_rate, around_seconds=_AROUND_SECONDS)
        level = _level(found, step)
        on_level(level)
        clips = bool(clipped_spans([found.wet[None]]))
        if clips and best is None:
            raise GearError(
                "The return clips although next to nothing is sent. Turn down the interface's input gain, or the "
                "gear's output, and begin again."
            )
        if clips:
            break
        if step >= _HEARD_BY_DB:
            _check_heard(found, level, sample_rate)
            _check_bleed(found, dry)
        if level.return_db > _HOT_DB:
            best = best or level
            break
        best = level
    if best is None:
        raise GearError(f"The quietest step is {_STEPS_DB[0]:.0f} dB; asked for no more than {most_db:g} dB.")
    return best


def _level(found: Returned, step: float) -> Level:
    return Level(
        send_db=step,
        return_db=decibels(float(np.abs(found.wet).max(initial=0.0)) ** 2),
        rest_db=decibels(float(np.abs(found.before).max(initial=0.0)) ** 2),
    )


def _check_heard(found: Returned, level: Level, sample_rate: int) -> None:
    """Raise GearError when a step that should be heard did not come back, or hum is nearly as loud as what did."""
    if level.return_db < _SILENT_DB:
        raise GearError(
            f"The return is silent, with {level.send_db:.0f} dBFS sent. Is the gear on and its volume up, are both "
            "cables in, and are --send and --return the right channels? On a Mac, may this program use the microphone?"
        )
    hum = find_hum(found.before, Rest(spans=((0, len(found.before)),), is_digital=True), sample_rate)
    if hum is not None and hum.level_db > level.return_db - _HUM_BELOW_DB:
        raise GearError(
            f"The return hums at {hum.hz} Hz, only {level.return_db - hum.level_db:.0f} dB below the sound. Power the "
            "gear and the interface from one socket, lift one ground with a DI box, move cables away from mains leads."
        )
    if level.return_db < level.rest_db + _HEARD_OVER_NOISE_DB:
        raise GearError(
            "What returns is noise, no louder with sound than without. Is the gear on and its volume up, and are "
            "--send and --return the right channels?"
        )


def _check_bleed(found: Returned, dry: Samples) -> None:
    """Raise GearError when what returns is the dry itself, only later and louder or less loud."""
    wet = found.wet.astype(np.float64)
    size = len(wet) + len(dry)
    match = np.fft.irfft(np.fft.rfft(wet, size) * np.conj(np.fft.rfft(dry, size)), size)[: len(wet) - len(dry)]
    lag = int(np.argmax(np.abs(match)))
    part = wet[lag : lag + len(dry)]
    gain = float(part @ dry) / float(dry @ dry)
    if float(np.sum((part - gain * dry) ** 2)) < _STRAIGHT_ESR * float(part @ part):
        raise GearError(
            "What returns is what was sent, unchanged: the gear is bypassed or off, or the interface monitors its "
            "input directly. Switch the gear on and direct monitoring off. To record it all the same, give --send-db."
        )
