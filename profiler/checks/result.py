"""What a check finds: figures and findings for each take, and over the session what a profile could reach."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from profiler.finding import Finding
from profiler.knob import KnobSettings

__all__ = ["Cause", "FloorSource", "Grade", "KnobCheck", "Limit", "SessionCheck", "TakeCheck"]

FloorSource: TypeAlias = Literal["replicate", "silence", "unknown"]
Grade: TypeAlias = Literal["transparent", "good", "usable", "does not match", "unknown"]
Cause: TypeAlias = Literal["noise", "hum", "disagreement", "moves by itself", "timing", "nothing recorded"]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """An ESR below which no profile can come, and what it is that no profile can follow."""

    cause: Cause
    esr: float


@dataclass(frozen=True, kw_only=True)
class TakeCheck:
    """The figures of one take; those that its sound cannot tell are None.

    Levels are RMS, but for peaks, in dBFS. `noise_db` is the wet's level while the dry rests. `latency_frames` is what
    is left of the latency after the session's own was taken out, `latency_spread_frames` how far it strays within the
    take, `drift_ppm` how much faster the recorder's clock ran than the player's. `linear_share` is the part of the
    wet's energy that one fixed filter explains. `level_dependence_db` is by how much less the loud passages are
    amplified than the quiet ones. `modulation_hz` is how fast the gear moves by itself. `limits` are what keeps a
    profile from matching this take; `best_esr` is their sum, or None when nothing is known about noise.
    """

    take: int
    settings: KnobSettings | None
    seconds: float
    peak_db: float
    level_db: float
    dry_level_db: float
    clipped_share: float
    dc: float
    noise_db: float | None = None
    hum_hz: float | None = None
    hum_db: float | None = None
    latency_frames: float | None = None
    latency_spread_frames: float | None = None
    drift_ppm: float | None = None
    polarity: Literal[-1, 1] | None = None
    linear_share: float | None = None
    level_dependence_db: float | None = None
    modulation_hz: float | None = None
    limits: tuple[Limit, ...] = ()
    best_esr: float | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KnobCheck:
    """Whether a knob changes the sound. `change_db` is how large the change is, as a change of level."""

    knob: str
    verdict: Literal["works", "does nothing", "cannot tell"]
    change_db: float | None = None


@dataclass(frozen=True, kw_only=True)
class SessionCheck:
    """The check of a session: `findings` are those about all of it, each take has its own.

    `floor` is the ESR that noise alone leaves, and `floor_source` where it was read. `best_esr` is the lowest ESR
    that any causal profile without a clock of its own could reach on these takes; training may stay above it, never
    come below. `limited_by` says in words what sets it, `advice` what to do next.
    """

    gear: str
    seconds: float
    takes: tuple[TakeCheck, ...]
    knobs: tuple[KnobCheck, ...]
    findings: tuple[Finding, ...]
    floor: float | None
    floor_source: FloorSource
    limits: tuple[Limit, ...]
    best_esr: float | None
    grade: Grade
    limited_by: str
    advice: str
    makes_sense: bool
