"""What is said in URLs of jobs that are asked for with a file as the body."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.chains import Found, Named, ResolvedChain, resolved_chain
from api.http.queries import UploadQuery, checked
from api.job import Bits, ChainOrder, ChainResponse, FileForm, Priority, RenderOrder, Resource, TrainOrder
from api.problem import Problem
from api.values import Entry, Line, Version
from profiler.errors import KnobError, SplitError
from profiler.knob_range import parse_setting
from profiler.profile import Size
from profiler.split import parse_hold_out

__all__ = ["ChainQuery", "MatchQuery", "RenderQuery", "TrainQuery"]

_DEFAULT_SECONDS = 300.0
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
_Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
_MOST_RESPONSES = 64
_MOST_RESPONSE_BYTES = 128 << 20
_Automation = Annotated[str, StringConstraints(max_length=16_000, pattern=_TEXT)]


class TrainQuery(UploadQuery):
    """How to train, and what to say of the profile that comes of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    budget_seconds: float | None = Field(
        None, ge=1, le=24 * 3600, allow_inf_nan=False, description="Time to learn in; 300 unless told.", examples=[300]
    )
    steps: int | None = Field(None, ge=1, le=10_000_000, description="Learn for so many steps instead.")
    seed: int = Field(0, ge=0, le=2**31 - 1)
    light: bool = Field(default=True, description="Whether to learn a light effect as well.")
    hold_out: list[Line] = Field([], max_length=20, description="Never learn from: time=last:0.2, KNOB=VALUE, take:7.")
    resource: Resource = Field("cpu", description="What learns.")
    version_of: _Id | None = Field(None, description="The profile of yours that this becomes a version of.")
    priority: Priority = Field("normal", description="Which goes first; high takes an admin.")

    @model_validator(mode="after")
    def _one_end(self) -> "TrainQuery":
        if self.budget_seconds is not None and self.steps is not None:
            raise ValueError("budget_seconds ends training by time, steps by count; give one of them")
        return self

    @property
    def title(self) -> str:
        """What the job is called."""
        return self.name or "Training"

    def order(self) -> TrainOrder:
        """Return it as what is to be done. Raises Problem for hold-outs that are not understood."""
        for text in self.hold_out:
            try:
                parse_hold_out(text)
            except SplitError as error:
                raise Problem(422, "Not understood", str(error)) from error
        said = {name: getattr(self, name) for name in UploadQuery.model_fields}
        return TrainOrder(
            budget_seconds=None if self.steps else self.budget_seconds or _DEFAULT_SECONDS,
            hold_out=tuple(self.hold_out),
            about=UploadQuery(**said).description(),
            **{name: getattr(self, name) for name in ("steps", "seed", "light", "resource", "version_of")},
        )


class _PlayQuery(BaseModel):
    """How to play a recording, through whatever it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    set: list[Line] = Field([], max_length=64, description="Where knobs stand: KNOB=VALUE. Repeat for more.")
    automation: _Automation = Field("", description="How knobs turn: the text of a knob track, or of a table.")
    bits: Bits | None = Field(None, description="How fine samples are stored.")
    form: FileForm = Field("wav", description="What file is written.")
    name: Line = Field("", description="What to call it.")
    priority: Priority = Field("normal", description="Which goes first; high takes an admin.")

    @property
    def title(self) -> str:
        """What the job is called."""
        return self.name or "Render"

    def settings(self) -> dict[str, float | str]:
        """Return where knobs shall stand. Raises Problem for what is not understood."""
        try:
            return dict(parse_setting(text, option="set=") for text in self.set)
        except KnobError as error:
            raise Problem(422, "Not understood", str(error)) from error

    def _how(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("automation", "bits", "form")}


class RenderQuery(_PlayQuery):
    """What profile to play a recording through, and how."""

    profile_id: _Id = Field(description="The profile to play it through.", examples=[1])
    version: _Id | None = Field(None, description="Its version; the newest unless told.")
    size: Size = Field(Size.FULL, description="The full effect, or the light one.")

    def order(self, entry: Entry, version: Version) -> RenderOrder:
        """Return it as what is to be done. Raises Problem for knobs that the profile does not have."""
        return RenderOrder(
            profile_id=entry.id,
            version=version.number,
            sha256=version.sha256,
            settings=checked(version, self.settings()),
            size=self.size,
            **self._how(),
        )


class ChainQuery(_PlayQuery):
    """What chain to play a recording through, and how."""

    chain: Annotated[str, StringConstraints(min_length=2, max_length=8_000, pattern=_TEXT)] = Field(
        description="The text of a chain file. Slots name profiles as library:ID, library:ID@VERSION, sha256:HASH, or "
        "preset:NAME, and impulse responses as sha256:HASH of files that follow the recording in the body; a library "
        "plays neither plugins nor files of its machine.",
        examples=[
            '{"slots": [{"id": "fuzz", "kind": "profile", "ref": "library:1"}]}',
            '{"slots": [{"id": "amp", "kind": "profile", "ref": "library:1"}, {"id": "cab", "kind": "ir", '
            '"ref": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]}',
        ],
    )
    response_bytes: list[Annotated[int, Field(ge=1, le=_MOST_RESPONSE_BYTES)]] = Field(
        [],
        max_length=_MOST_RESPONSES,
        description="How many bytes each impulse response has that follows the recording. Repeat for more.",
        examples=[[96_044]],
    )

    def resolved(self, find: Callable[[Named], Found]) -> ResolvedChain:
        """Return the chain as it is played. Raises Problem for what is no chain that the library can play.

        Also for more or fewer impulse responses than its slots play, and for very large ones.
        """
        resolved = resolved_chain(self.chain, self.settings(), find)
        found, expected = len(self.response_bytes), len(resolved.responses)
        if found != expected:
            detail = (
                f"The chain plays {expected} impulse responses, and response_bytes tells of {found}. Send each once, "
                "right behind the recording, and say how many bytes it has."
            )
            raise Problem(422, "Not those impulse responses", detail)
        if (together := sum(self.response_bytes)) > _MOST_RESPONSE_BYTES:
            detail = f"The impulse responses are {together} bytes; at most {_MOST_RESPONSE_BYTES} are taken."
            raise Problem(413, "Too large", detail)
        return resolved

    def order(self, chain: ResolvedChain, responses: tuple[ChainResponse, ...]) -> ChainOrder:
        """Return it as what is to be done with the impulse responses that came."""
        told: dict[str, Any] = {"settings": self.settings(), **self._how()}
        return ChainOrder(chain=chain.text, profiles=chain.profiles, responses=responses, **told)


class MatchQuery(BaseModel):
    """Where in the body the wet begins, and what to call the job."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dry_bytes: int = Field(ge=1, le=1 << 40, description="How many bytes the dry has.", examples=[960_044])
    name: Line = Field("", description="What to call it.")
    priority: Priority = Field("normal", description="Which goes first; high takes an admin.")

    @property
    def title(self) -> str:
        """What the job is called."""
        return self.name or "Match"
