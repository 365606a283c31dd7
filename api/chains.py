"""Chains that a library plays: what may stand in them, and which of its profiles their slots name.

A slot for a profile names it as `library:ID`, `library:ID@VERSION`, `sha256:HASH` of its file, or `preset:NAME`; one
for an impulse response as `sha256:HASH` of the file, which comes with the recording.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from api.job import ChainProfile
from api.problem import Problem
from api.values import Version
from profiler.chain_file import ChainFile, Slot
from profiler.errors import KnobError, ManifestError, PresetError
from profiler.knob import KnobSettings, checked_settings
from profiler.manifest import from_json, to_json
from profiler.presets import PREFIX, preset_path
from profiler.profile_file import SUFFIX

__all__ = ["Found", "Named", "ResolvedChain", "resolved_chain", "response_name"]

_MOST_SLOTS = 64
_PLAYED = ("pedalboard", "circuit", "profile", "ir", "chain")
_NAMED = re.compile(r"library:([1-9][0-9]{0,8})(?:@([1-9][0-9]{0,8}))?|sha256:([0-9a-f]{64})")
_RESPONSE = re.compile(r"sha256:([0-9a-f]{64})")
_LEVELS = ("input_db", "output_db")


@dataclass(frozen=True, kw_only=True)
class Named:
    """Which version of a profile a slot names: by its numbers, the newest where none is told, or by its file's hash."""

    profile_id: int | None = None
    version: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class ResolvedChain:
    """A chain as a worker plays it: the text of a chain file, and the profiles beside it, called SHA256.tonecast.

    `responses` are the hashes of the impulse responses that it takes, each with the first slot that plays it.
    """

    text: str
    profiles: tuple[ChainProfile, ...]
    responses: Mapping[str, str]


Found: TypeAlias = tuple[int, Version]
"""The number of a profile, and a version of it."""


def response_name(sha256: str) -> str:
    """Return what the file of an impulse response is called beside the chain."""
    return f"{sha256}.response"


def resolved_chain(text: str, settings: KnobSettings, find: Callable[[Named], Found]) -> ResolvedChain:
    """Return a chain with the files that its slots play. `settings` are by `slot.knob`, as `render --set` has them.

    `find` raises Problem for a profile that is not there, and so does this for what is no chain, for slots that a
    library does not play (plugins and files of the machine), and for knobs that a profile does not have.
    """
    try:
        chain = from_json(ChainFile, text.encode(), source="The chain")
    except ManifestError as error:
        raise Problem(422, "Not a chain", str(error)) from error
    slots = list(chain.effects())
    if len(slots) > _MOST_SLOTS:
        raise Problem(422, "Not a chain", f"The chain has {len(slots)} effects; at most {_MOST_SLOTS} are played.")
    _check_heads(settings, chain)
    found: dict[str, Found] = {}
    heard: dict[str, str] = {}
    for slot in slots:
        _check_played(slot)
        if slot.kind == "ir":
            heard[slot.id] = _response_of(slot)
        if slot.kind == "profile" and not slot.ref.startswith(PREFIX):
            found[slot.id] = _of_slot(slot, find)
            _check_knobs(slot, found[slot.id][1], settings)
    profiles = (
        ChainProfile(slot=name, profile_id=profile_id, version=version.number, sha256=version.sha256)
        for name, (profile_id, version) in found.items()
    )
    files = {name: f"{version.sha256}{SUFFIX}" for name, (_, version) in found.items()}
    files |= {name: response_name(sha256) for name, sha256 in heard.items()}
    return ResolvedChain(
        text=to_json(chain.with_refs(files)).decode(),
        profiles=tuple(profiles),
        responses={sha256: name for name, sha256 in reversed(heard.items())},
    )


def _check_heads(settings: KnobSettings, chain: ChainFile) -> None:
    ids = set(chain.ids())
    for name in settings:
        if name.partition(".")[0] not in ids or "." not in name:
            detail = f"{name!r} is not a knob of this chain. Write SLOT.KNOB with one of: {', '.join(sorted(ids))}."
            raise Problem(422, "No such setting", detail)


def _check_played(slot: Slot) -> None:
    """Raise Problem for what a library does not play: whatever is not its own, and could be any file of its machine."""
    if slot.kind not in _PLAYED or (slot.kind == "chain" and not slot.ref.startswith(PREFIX)):
        detail = (
            f"Slot {slot.id} is of the kind {slot.kind!r} and plays {slot.ref!r}. A library plays effects of "
            "pedalboard, circuits, its own profiles, impulse responses that are sent to it and what ships with "
            "Tonecast; render this chain without --server."
        )
        raise Problem(422, "Not played here", detail)
    if slot.ref.startswith(PREFIX):
        try:
            preset_path(slot.ref.removeprefix(PREFIX))
        except PresetError as error:
            raise Problem(422, "No such preset", f"Slot {slot.id}: {error}") from error


def _of_slot(slot: Slot, find: Callable[[Named], Found]) -> Found:
    matched = _NAMED.fullmatch(slot.ref)
    if matched is None:
        detail = f"Slot {slot.id} plays {slot.ref!r}. Write library:ID, library:ID@VERSION, sha256:HASH or preset:NAME."
        raise Problem(422, "No such profile", detail)
    number, version, sha256 = matched.groups()
    named = Named(
        profile_id=None if number is None else int(number),
        version=None if version is None else int(version),
        sha256=sha256,
    )
    try:
        return find(named)
    except Problem as problem:
        raise Problem(problem.status, problem.title, f"Slot {slot.id}: {problem.detail}") from problem


def _response_of(slot: Slot) -> str:
    """Return the hash of the impulse response that a slot plays."""
    matched = _RESPONSE.fullmatch(slot.ref)
    if matched is None:
        detail = (
            f"Slot {slot.id} plays the impulse response {slot.ref!r}. Write sha256:HASH of its file, and send the file "
            "right behind the recording, as tonecast render --server does."
        )
        raise Problem(422, "No such impulse response", detail)
    return matched[1]


def _check_knobs(slot: Slot, version: Version, settings: KnobSettings) -> None:
    knobs = version.facts.knobs
    told = {name.partition(".")[2]: value for name, value in settings.items() if name.partition(".")[0] == slot.id}
    levels = set(_LEVELS) - {knob.id for knob in knobs}
    own = {name: value for name, value in {**slot.settings, **told}.items() if name not in levels}
    try:
        checked_settings(knobs, own)
    except KnobError as error:
        raise Problem(422, "No such setting", f"Slot {slot.id}: {error}") from error
