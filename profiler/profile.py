"""A profile: what `profile.json` says, and the whole file in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.finding import Finding
from profiler.knob import Knob, KnobSettings
from profiler.score import Score
from profiler.session import Gear

__all__ = [
    "PROFILE_VERSIONS",
    "CurvePoint",
    "LearntSpan",
    "LimitedBy",
    "LoadedProfile",
    "Profile",
    "Provenance",
    "Stage",
]

PROFILE_VERSIONS = range(1)
"""Format versions of `profile.json` that this program reads."""

LimitedBy: TypeAlias = Literal["budget", "steps", "interrupted", "noise", "latency", "settings", "capacity"]
"""What ended training, or what more of it would not better: `profiler.verdict` tells."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One effect of a profile. `kind` names it, `config` rebuilds it, `prefix` finds its tensors."""

    kind: str
    config: Mapping[str, Any]
    prefix: str


@dataclass(frozen=True, kw_only=True)
class LearntSpan:
    """Frames that training heard of a recording and its dry signal, known by their hashes, and at which settings."""

    sha256: str
    dry_sha256: str
    start: int
    stop: int
    settings: tuple[KnobSettings, ...]


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A point of the learning curve: after so many seconds and steps, the error on audio kept for watching."""

    seconds: float
    step: int
    esr: float


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a profile comes from: enough to make it again, and to know what it has heard.

    `warm_start` is the hash of the profile file that training went on from; what that one had learnt is in `learnt`.
    `findings` tell of a result that is of no use.
    """

    learnt: tuple[LearntSpan, ...]
    hold_outs: tuple[str, ...]
    seed: int
    steps: int
    seconds: float
    audio_seconds: float
    limited_by: LimitedBy
    curve: tuple[CurvePoint, ...]
    versions: Mapping[str, str]
    warm_start: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Everything that `profile.json` says. `golden_settings` are those of the golden pair."""

    name: str
    gear: Gear
    knobs: tuple[Knob, ...]
    sample_rate: int
    stages: tuple[Stage, ...]
    latency_frames: int
    golden_settings: KnobSettings
    provenance: Provenance
    score: Score | None = None
    version: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedProfile:
    """A profile with its weights by tensor name, and its golden pair: dry and wet, each of shape (1, frames)."""

    profile: Profile
    weights: Mapping[str, NDArray[np.float32]]
    golden_dry: Samples
    golden_wet: Samples
