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
    "MATCHES",
    "ORDER",
    "PROGRESS",
    "Bits",
    "ChainOrder",
    "ChainProfile",
    "ChainResponse",
    "ExportOrder",
    "FileForm",
    "Job",
    "JobKind",
    "JobPage",
    "JobProgress",
    "JobResult",
    "JobState",
    "MatchCandidate",
    "MatchOrder",
    "Matches",
    "NewExport",
    "Order",
    "Priority",
    "ProfileMatch",
    "RenderOrder",
    "Resource",
    "Settings",
    "TrainOrder",
]

JobKind: TypeAlias = Literal["train", "render", "chain", "export", "match"]
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
class _PlayOrder:
    """How a recording is to be played, through whatever it is. `automation` is the text of a file of knob moves."""

    settings: Mapping[str, float | str] = field(default_factory=dict)
    automation: str = ""
    bits: Bits | None = None
    form: FileForm = "wav"


@dataclass(frozen=True, kw_only=True)
class RenderOrder(_PlayOrder):
    """A recording to be played through one version of a profile."""

    kind: Literal["render"] = "render"
    profile_id: int
    version: int
    sha256: str
    size: Size = Size.FULL


@dataclass(frozen=True, kw_only=True)
class ChainProfile:
    """The version of a profile that a slot of a chain plays."""

    slot: str
    profile_id: int
    version: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ChainResponse:
    """An impulse response that slots of a chain play, and how many bytes of the material it is."""

    sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class ChainOrder(_PlayOrder):
    """A recording to be played through a chain: the text of a chain file, and what lies beside it.

    The impulse responses are the last bytes of the material, in their order; the recording is what comes before.
    """

    kind: Literal["chain"] = "chain"
    chain: str
    profiles: tuple[ChainProfile, ...]
    responses: tuple[ChainResponse, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExportOrder:
    """One knob setting of one version of a profile, to be written for Neural Amp Modeler."""

    kind: Literal["export"] = "export"
    profile_id: int
    version: int
    sha256: str
    settings: Mapping[str, float | str] = field(default_factory=dict)
    sizes: tuple[Size, ...] = (Size.FULL,)


@dataclass(frozen=True, kw_only=True)
class MatchCandidate:
    """One version of a profile that may have made a wet."""

    profile_id: int
    version: int
    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class MatchOrder:
    """A dry and its wet, of which the material's first `dry_bytes` are the dry, to be made by one of some profiles."""

    kind: Literal["match"] = "match"
    dry_bytes: int
    candidates: tuple[MatchCandidate, ...]


Order: TypeAlias = Annotated[
    TrainOrder | RenderOrder | ChainOrder | ExportOrder | MatchOrder, Field(discriminator="kind")
]


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
class ProfileMatch:
    """A profile and the settings at which it comes nearest to a wet.

    `esr` is what remains when level, polarity and lateness are made to fit: `gain_db` is how much louder the wet is
    than the profile plays, a `polarity` of -1 says upside down, `lag_frames` how late it is at the profile's rate.
    `give` is how far each knob can be turned, in shares of its way, before that is heard as a tenth more error: at 1
    the wet does not tell where it stood. A knob that is not listed there is a switch.
    """

    profile_id: int
    version: int
    name: str
    settings: Mapping[str, float | str]
    esr: Positive
    gain_db: Finite
    polarity: Literal[1, -1]
    lag_frames: Finite
    give: Mapping[str, Positive]


@dataclass(frozen=True, kw_only=True)
class Matches:
    """The profiles that come nearest to making a wet of its dry, nearest first, out of `compared`."""

    data: tuple[ProfileMatch, ...]
    compared: int


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """A page of jobs, the newest first."""

    data: tuple[Job, ...]
    page: int
    page_size: int
    total: int


ORDER: TypeAdapter[Order] = TypeAdapter(Order)
JOB = TypeAdapter(Job)
MATCHES = TypeAdapter(Matches)
FINDINGS = TypeAdapter(tuple[Finding, ...])
PROGRESS = TypeAdapter(JobProgress)
