"""Jobs: long work that a library is asked for, what it was asked, how far it is and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter

from api.values import Description, Finite, Line, Positive
from profiler.finding import Finding
from profiler.profile import Size

__all__ = [
    "ENDED",
    "FINDINGS",
    "JOB",
    "ORDER",
    "PROGRESS",
    "Bits",
    "ExportOrder",
    "FileForm",
    "Job",
    "JobKind",
    "JobPage",
    "JobProgress",
    "JobResult",
    "JobState",
    "NewExport",
    "Order",
    "Priority",
    "RenderOrder",
    "Resource",
    "Settings",
    "TrainOrder",
]

JobKind: TypeAlias = Literal["train", "render", "export"]
JobState: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Priority: TypeAlias = Literal["low", "normal", "high"]
Resource: TypeAlias = Literal["cpu", "gpu"]
Bits: TypeAlias = Literal["float", "24", "16", "same"]
FileForm: TypeAlias = Literal["wav", "flac", "aiff"]

ENDED: frozenset[JobState] = frozenset({"succeeded", "failed", "cancelled"})
"""States that a job leaves only when somebody has it tried again."""

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Settings = Annotated[Mapping[Line, Finite | Line], Field(max_length=64)]


@dataclass(frozen=True, kw_only=True)
class TrainOrder:
    """A session, or a takes.csv with its recordings, to be learnt: for a time, or for a number of steps."""

    kind: Literal["train"] = "train"
    budget_seconds: float | None = None
    steps: int | None = None
    seed: int = 0
    light: bool = True
    hold_out: tuple[str, ...] = ()
    resource: Resource = "cpu"
    version_of: int | None = None
    about: Description = field(default_factory=Description)


@dataclass(frozen=True, kw_only=True)
class RenderOrder:
    """A recording to be played through one version of a profile. `automation` is the text of a file of knob moves."""

    kind: Literal["render"] = "render"
    profile_id: int
    version: int
    sha256: str
    settings: Mapping[str, float | str] = field(default_factory=dict)
    automation: str = ""
    size: Size = Size.FULL
    bits: Bits | None = None
    form: FileForm = "wav"


@dataclass(frozen=True, kw_only=True)
class ExportOrder:
    """One knob setting of one version of a profile, to be written for Neural Amp Modeler."""

    kind: Literal["export"] = "export"
    profile_id: int
    version: int
    sha256: str
    settings: Mapping[str, float | str] = field(default_factory=dict)
    sizes: tuple[Size, ...] = (Size.FULL,)


Order: TypeAlias = Annotated[TrainOrder | RenderOrder | ExportOrder, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True)
class NewExport:
    """What to export: a profile of the library, its newest version unless told, at knob settings."""

    __pydantic_config__ = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"profile_id": 1, "settings": {"drive": 0.5}}]}
    )

    profile_id: Id
    version: Id | None = None
    settings: Settings = field(default_factory=dict)
    sizes: Annotated[tuple[Size, ...], Field(min_length=1, max_length=2)] = (Size.FULL,)
    priority: Priority = "normal"


@dataclass(frozen=True, kw_only=True)
class JobProgress:
    """How far the present step is, from 0 to 1, and how many seconds it still takes where that is known."""

    step: str
    done: Positive
    seconds_left: Positive | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """The file that came of a job."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job. `profile_id` is the entry that a training became, `result` the file that came of it.

    `revision` grows with every change, so that who listens knows what is news.
    """

    id: str
    kind: JobKind
    state: JobState
    title: str
    owner: str
    priority: Priority
    resource: Resource
    order: Order
    progress: JobProgress | None
    findings: tuple[Finding, ...]
    error: str | None
    profile_id: int | None
    result: JobResult | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    revision: int


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """A page of jobs, the newest first."""

    data: tuple[Job, ...]
    page: int
    page_size: int
    total: int


ORDER: TypeAdapter[Order] = TypeAdapter(Order)
JOB = TypeAdapter(Job)
FINDINGS = TypeAdapter(tuple[Finding, ...])
PROGRESS = TypeAdapter(JobProgress)
