"""The ship gate: what a profile does at settings that nobody may ever listen to before it is handed on.

Scores are told at the settings that were recorded. Between and beyond them a network may leave an offset in silence, or
play a moment far louder than its gear ever did; both are looked for all over the knobs, and written into the profile.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from profiler.audio import Samples
from profiler.effects.sizes import sized
from profiler.finding import Finding
from profiler.knob import Knob, KnobSettings, default_settings
from profiler.profile import LoadedProfile, Size
from profiler.programme import programme
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.rendering import ProfileProcessor
from profiler.session import described
from profiler.session_folder import SessionFolder

__all__ = ["gated"]

_MOST_OFFSET_DB = -80.0
_MOST_ABOVE_DB = 15.0
_SECONDS, _SILENT_SECONDS = 2.0, 0.5
_CORNERS, _OTHERS = 16, 12
_PIECE_SECONDS = 60.0
_SEED = 20_250


@dataclass(frozen=True, kw_only=True)
class _Worst:
    """The largest of something, in dB, and the settings at which it was found."""

    decibels: float
    settings: KnobSettings


def gated(loaded: LoadedProfile, folder: SessionFolder, *, on_progress: ProgressCallback = unheard) -> LoadedProfile:
    """Return the profile with findings on what it leaves in silence and how loud it plays, all over its knobs.

    Silence must be silent to -80 dBFS. Synthesised playing, as loud as the loudest dry of the session, must come out at
    most 15 dB above the loudest wet: knobs together may well go beyond what each did alone, but not by so much. Both
    sizes are looked at, at the ends of the knobs' ranges and between. Raises SessionError.
    """
    dry_peak, wet_peak = _peaks(folder)
    sizes = [loaded, *([sized(loaded, Size.LIGHT)] if loaded.profile.light else [])]
    findings: list[Finding] = []
    for number, each in enumerate(sizes):
        settings = list(_settings(each.profile.knobs))
        offset, loudest = _looked_over(each, settings, dry_peak)
        findings += _findings(each, offset, loudest, wet_peak, "The light size" if number else "It")
        on_progress(Progress(step="gate", done=(number + 1) / len(sizes)))
    provenance = loaded.profile.provenance
    told = replace(provenance, findings=(*provenance.findings, *findings))
    return replace(loaded, profile=replace(loaded.profile, provenance=told))


def _settings(knobs: tuple[Knob, ...]) -> Iterator[KnobSettings]:
    """Yield the defaults, ends of the knobs' ranges, and places all over them: always the same ones."""
    yield default_settings(knobs)
    if not knobs:
        return
    rng = np.random.default_rng(_SEED)
    corners = list(itertools.product((0.0, 1.0), repeat=len(knobs))) if 2 ** len(knobs) <= _CORNERS else None
    corners = corners or [tuple(float(end) for end in rng.integers(0, 2, len(knobs))) for _ in range(_CORNERS)]
    for places in (*corners, *rng.random((_OTHERS, len(knobs)))):
        yield {knob.id: knob.value_at(float(place)) for knob, place in zip(knobs, places, strict=True)}


def _looked_over(loaded: LoadedProfile, settings: list[KnobSettings], peak: float) -> tuple[_Worst, _Worst]:
    """Return the largest offset in silence, and the loudest peak of the playing that follows it."""
    rate = loaded.profile.sample_rate
    playing = programme(_SEED, sample_rate=rate, frames=int(_SECONDS * rate))
    playing = playing / max(float(np.abs(playing).max()), 1e-9) * peak
    silence = np.zeros(int(_SILENT_SECONDS * rate), np.float32)
    dry: Samples = np.concatenate([silence, playing]).astype(np.float32)[None]
    offsets, peaks = [], []
    for each in settings:
        wet = ProfileProcessor(loaded, each).process(dry, rate)[0]
        rest, sound = wet[len(silence) // 2 : len(silence)], wet[len(silence) :]
        offsets.append(_Worst(decibels=_db(abs(float(rest.mean()))), settings=each))
        peaks.append(_Worst(decibels=_db(float(np.abs(sound).max())), settings=each))
    return max(offsets, key=lambda worst: worst.decibels), max(peaks, key=lambda worst: worst.decibels)


def _findings(loaded: LoadedProfile, offset: _Worst, loudest: _Worst, wet_peak: float, size: str) -> Iterator[Finding]:
    knobs = loaded.profile.knobs
    if offset.decibels > _MOST_OFFSET_DB:
        message = (
            f"{size} gives an offset of {offset.decibels:.0f} dBFS for silence at {described(knobs, offset.settings)}. "
            "Put a high-pass filter behind it."
        )
        yield Finding(kind="offset", message=message, severity="warning")
    above = loudest.decibels - _db(wet_peak)
    if above > _MOST_ABOVE_DB:
        message = (
            f"{size} plays {above:.0f} dB above the loudest that was recorded, at "
            f"{described(knobs, loudest.settings)}: it may burst there. Record takes near these settings."
        )
        yield Finding(kind="burst", message=message, severity="warning")


def _peaks(folder: SessionFolder) -> tuple[float, float]:
    """Return the largest sample of all dries and of all wets, as they are learnt from."""
    piece, largest = int(_PIECE_SECONDS * folder.session.sample_rate), np.zeros(2)
    for take in folder.session.takes:
        frames = folder.session.dries[take.dry].frames
        for start in range(0, frames, piece):
            pair = folder.excerpt(take, start, min(start + piece, frames))
            largest = np.maximum(largest, [np.abs(each).max(initial=0.0) for each in pair])
    return float(largest[0]), float(largest[1])


def _db(amplitude: float) -> float:
    return 20 * math.log10(max(amplitude, 1e-10))
