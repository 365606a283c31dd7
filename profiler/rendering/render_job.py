"""One render from beginning to end: a file, through an effect, with its knobs, into a file."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from profiler.audio_file import reading
from profiler.automation import Automation, Controller, read_automation
from profiler.chain_file import read_chain
from profiler.effects.sizes import sized
from profiler.errors import ChainError
from profiler.knob import KnobSettings
from profiler.processor import Processor
from profiler.profile import Size
from profiler.profile_file import load
from profiler.progress import ProgressCallback, unheard, within
from profiler.rendering.build_chain import build_chain
from profiler.rendering.match_loudness import match_loudness
from profiler.rendering.profile_processor import ProfileProcessor
from profiler.rendering.render_file import SILENT, render_file

__all__ = ["Bits", "RenderJob", "Rendered", "run_job"]

Bits: TypeAlias = Literal["float", "24", "16", "same"]

_SUBTYPES: Mapping[str, str] = {"float": "FLOAT", "24": "PCM_24", "16": "PCM_16"}
_LISTENING = 0.6
_COARSE = ("PCM_S8", "PCM_U8", "PCM_16")
_FINE = ("PCM_32", "FLOAT", "DOUBLE")


@dataclass(frozen=True, kw_only=True)
class RenderJob:
    """What is to be rendered. `effect` is a profile, or a chain where it ends in .json.

    `keep_tail` None keeps the tail of a chain and not that of a profile. `bits` None writes WAV as float, FLAC and AIFF
    as 24 bit; "same" is as fine as the source. `match_loudness` has every slot go on as loud as it was fed.
    """

    effect: Path
    source: Path
    target: Path
    settings: KnobSettings = field(default_factory=dict)
    automation: Path | None = None
    controllers: tuple[Controller, ...] = ()
    size: Size = Size.FULL
    oversampling: int | None = None
    keep_tail: bool | None = None
    bits: Bits | None = None
    match_loudness: bool = False

    @property
    def is_chain(self) -> bool:
        """Whether the effect is a chain file."""
        return self.effect.suffix == ".json"


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What became of a job: frames written, those that an integer format limited, turns, and those after the end.

    `levels_db` are what matched the loudness, slot by slot.
    """

    frames: int
    limited_frames: int
    is_silent: bool
    turns: int
    late_turns: int
    levels_db: tuple[float, ...]
    audio_seconds: float
    seconds: float


def run_job(job: RenderJob, on_progress: ProgressCallback = unheard) -> Rendered:
    """Render one file. Raises ProfilerError for whatever cannot be read, built, followed or written."""
    begun = time.monotonic()
    with reading(job.source) as reader:
        rate, length, subtype = reader.sample_rate, reader.frames / reader.sample_rate, reader.file.subtype
    automation = None
    if job.automation is not None:
        automation = read_automation(job.automation, sample_rate=rate, controllers=job.controllers)
    with _processor(job, automation) as processor:
        levels: tuple[float, ...] = ()
        played = processor
        if job.match_loudness:
            played, levels = match_loudness(
                processor, job.source, on_progress=within(on_progress, start=0.0, share=_LISTENING)
            )
            on_progress = within(on_progress, start=_LISTENING, share=1 - _LISTENING)
        written = render_file(
            played,
            job.source,
            job.target,
            keep_tail=job.is_chain if job.keep_tail is None else job.keep_tail,
            subtype=_subtype(job, subtype),
            on_progress=on_progress,
        )
    return Rendered(
        frames=written.frames,
        limited_frames=written.limited_frames,
        is_silent=written.peak < SILENT,
        turns=len(automation.turns) if automation else 0,
        late_turns=automation.beyond(length) if automation else 0,
        levels_db=levels,
        audio_seconds=length,
        seconds=time.monotonic() - begun,
    )


def _processor(job: RenderJob, automation: Automation | None) -> Processor:
    if not job.is_chain:
        loaded = sized(load(job.effect), job.size)
        return ProfileProcessor(loaded, job.settings, automation=automation, oversampling=job.oversampling)
    if job.size is not Size.FULL:
        raise ChainError("--size chooses within a profile; a chain plays its profiles in full size.")
    if job.oversampling is not None:
        raise ChainError("--oversampling is of a profile; a chain plays its profiles as they say.")
    return build_chain(read_chain(job.effect), job.settings, automation)


def _subtype(job: RenderJob, of_source: str) -> str | None:
    """Return libsndfile's name for how the target's samples are stored; None for what is usual."""
    bits: str | None = job.bits
    if bits == "same":
        bits = "16" if of_source in _COARSE else "24" if of_source == "PCM_24" else None
        if of_source in _FINE and job.target.suffix.lower() != ".flac":
            bits = "float"
    return _SUBTYPES[bits] if bits else None
