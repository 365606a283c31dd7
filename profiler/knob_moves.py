"""What a moving knob leaves beside the sound: clicks, zipper noise, and thumps in silence."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from profiler.audio import Samples
from profiler.automation import ROUNDING_SECONDS, Automation, Turn, rounded
from profiler.inharmonic import parted
from profiler.knob import Knob, KnobSettings, default_settings
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.profile import LoadedProfile
from profiler.rendering import ProfileProcessor

__all__ = ["KnobMove", "knob_moves", "move_residue_db"]

_TONE_HZ, _TONE_DB = 220.0, -12.0
_BEFORE_SECONDS, _MOVE_SECONDS, _AFTER_SECONDS = 0.6, 0.05, 0.35
_PLACES = 129  # still sounds between which the reference fades: of 40 dB of drive they are 0.3 dB apart
_SLOW_HZ = (60.0, 110.0)  # a glide that comes a little late is no click
_WINDOW_SECONDS = 0.01

Play: TypeAlias = Callable[[Samples, KnobTrack], Samples]
"""Renders dry of shape (1, frames) along a knob track, and returns as much wet."""


@dataclass(frozen=True, kw_only=True)
class KnobMove:
    """What a move of a knob over its whole range in 50 ms leaves in silence and beside a tone, in dBFS."""

    knob: str
    silence_db: float
    tone_db: float


def knob_moves(loaded: LoadedProfile) -> tuple[KnobMove, ...]:
    """Measure the moves of every knob of a profile, the others at their defaults. Switches are left out: they flip."""
    rate, knobs = loaded.profile.sample_rate, loaded.profile.knobs

    def play(dry: Samples, track: KnobTrack) -> Samples:
        begin, *later = track.breakpoints
        turns = [
            Turn(seconds=point.frame / rate, knob=knob, value=value, glide_seconds=point.ramp_frames / rate)
            for point in later
            for knob, value in point.settings.items()
        ]
        automation = Automation(turns=tuple(turns))
        return ProfileProcessor(loaded, begin.settings, automation=automation).process(dry, rate)

    time = np.arange(int((_BEFORE_SECONDS + _MOVE_SECONDS + _AFTER_SECONDS) * rate)) / rate
    tone = (10 ** (_TONE_DB / 20) * np.sin(2 * math.pi * _TONE_HZ * time)).astype(np.float32)[None]
    rounding = round(ROUNDING_SECONDS * rate)
    moves = []
    for knob in (each for each in knobs if not each.choices):
        silence_db, tone_db = (
            round(move_residue_db(play, dry, knob, default_settings(knobs), rate, rounding=rounding), 1)
            for dry in (0 * tone, tone)
        )
        moves.append(KnobMove(knob=knob.id, silence_db=silence_db, tone_db=tone_db))
    return tuple(moves)


def move_residue_db(
    play: Play, dry: Samples, knob: Knob, settings: KnobSettings, sample_rate: int, *, rounding: int = 1
) -> float:
    """Return the RMS level in dBFS, in the worst 10 ms, of what a move leaves beside the sound; -200 for nothing.

    The reference is a fade through the sounds that the knob gives while it stands at the places it passes, on its way
    whose corners are rounded over `rounding` frames where the player does so. What differs from that, but for slow
    changes of the harmonics of 220 Hz, is neither the one sound nor the other.
    """
    frames = dry.shape[1]
    begin, length = int(_BEFORE_SECONDS * sample_rate), int(_MOVE_SECONDS * sample_rate)
    ends = [{**settings, knob.id: knob.value_at(end)} for end in (0.0, 1.0)]
    moving = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings=ends[0]),
            Breakpoint(frame=begin, settings=ends[1], ramp_frames=length),
        )
    )
    straight = np.clip((np.arange(1 - rounding, frames) - begin) / length, 0, 1)
    place = rounded(straight, rounding) * (_PLACES - 1)
    reference = np.zeros(frames)
    for number in range(_PLACES):
        share = np.clip(1 - np.abs(place - number), 0, None)
        stop = int(np.flatnonzero(share)[-1]) + 1
        still = KnobTrack.still({**settings, knob.id: knob.value_at(number / (_PLACES - 1))})
        reference[:stop] += share[:stop] * play(dry[:, :stop], still)[0]
    difference = play(dry, moving)[0] - reference
    phase = 2 * math.pi * _TONE_HZ * np.arange(frames) / sample_rate
    residue = parted(difference, phase, sample_rate, slow_hz=_SLOW_HZ)[0] if dry.any() else difference
    window = int(_WINDOW_SECONDS * sample_rate)
    power = np.convolve(residue**2, np.ones(window) / window, "valid").max()
    return 10 * math.log10(max(float(power), 1e-20))
