"""A profile: what `profile.json` says, and the whole file in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
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
    "Cost",
    "CurvePoint",
    "LearntSpan",
    "LightEffect",
    "LimitedBy",
    "LoadedProfile",
    "Profile",
    "Provenance",
    "Size",
    "Stage",
]

PROFILE_VERSIONS = range(1)
"""Format versions of `profile.json` that this program reads."""

LimitedBy: TypeAlias = Literal["budget", "steps", "interrupted", "noise", "latency", "settings", "capacity"]
"""What ended training, or what more of it would not better: `profiler.verdict` tells."""


class Size(StrEnum):
    """Which effect of a profile plays: the full one, or the light one that costs less."""

    FULL = "full"
    LIGHT = "light"


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
    `findings` tell of a result that is of no use. `device` is what learnt the full effect: cpu, or a GPU by its name.
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
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What an effect costs to play: multiply-adds a frame, and how fast it was measured to play on one core."""

    multiply_adds: int
    times_real_time: float


@dataclass(frozen=True, kw_only=True)
class LightEffect:
    """A cheaper effect of the same gear, learnt from the same takes: its stages, its training and its own score."""

    stages: tuple[Stage, ...]
    steps: int
    seconds: float
    cost: Cost | None = None
    score: Score | None = None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Everything that `profile.json` says. `golden_settings` are those of the golden pair, which the full size plays.

    All but `light` is said of the full size. `oversampling` is at how many times its rate it is played, unless told
    otherwise.
    """

    name: str
    gear: Gear
    knobs: tuple[Knob, ...]
    sample_rate: int
    stages: tuple[Stage, ...]
    latency_frames: int
    golden_settings: KnobSettings
    provenance: Provenance
    cost: Cost | None = None
    score: Score | None = None
    light: LightEffect | None = None
    oversampling: int = 1
    version: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedProfile:
    """A profile with its weights by tensor name, and its golden pair: dry and wet, each of shape (1, frames)."""

    profile: Profile
    weights: Mapping[str, NDArray[np.float32]]
    golden_dry: Samples
    golden_wet: Samples
