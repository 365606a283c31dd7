"""Listening over HTTP: dry tracks, and profiles played on them with their knobs anywhere."""

import hashlib
import re
from pathlib import Path as FilePath
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.audition import ProfileFile
from api.http.asking import Id, Lib, Reader, account_of
from api.http.queries import Setting, checked, settings_told
from api.http.receiving import BINARY, file_body, received
from api.library import Library
from api.people import Caller
from api.problem import Problem
from api.sounds import OURS, Sound, Track, TrackId
from api.store.entries import one_version
from api.values import Name, Version

__all__ = ["PLAYING", "all_tracks", "file_of", "routes"]

routes = APIRouter(prefix="/api/v1", tags=["listening"])

_PLAYED_AT_ONCE = 4
PLAYING = CapacityLimiter(_PLAYED_AT_ONCE)
"""Who waits for a sound leaves threads to those who search."""

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_WAV = "audio/wav"
_SOUND: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A WAV of 32-bit floats, mono. `Loudness` says how loud it is in LUFS, `Peak` its peak.",
        "content": {_WAV: BINARY},
    },
    206: {"description": "The bytes that Range asks for."},
    304: {"description": "The sound is the one that If-None-Match names."},
}
_RECORDING = file_body("A recording: WAV, FLAC, AIFF, OGG or MP3.", ("application/octet-stream", _WAV))
_TrackPath = Annotated[TrackId, Path()]
_Range = Annotated[str | None, Header(alias="Range", include_in_schema=False)]
_Known = Annotated[str | None, Header(alias="If-None-Match", include_in_schema=False)]


class PlayQuery(BaseModel):
    """On what a profile is played, and how its knobs stand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    track: TrackId = Field("lead", description="The dry track.", examples=["bass"])
    set: list[Setting] = Field([], max_length=64, description="KNOB=VALUE; the others are at their defaults.")
    version: int | None = Field(None, ge=1, le=2**31 - 1, description="An older version; the newest unless told.")


class TrackQuery(BaseModel):
    """What is said of a track of one's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field("My track", description="What to call it.")
    start: float = Field(0, ge=0, le=86_400, allow_inf_nan=False, description="The second from which on it is heard.")
    original_of: TrackId | None = Field(
        None, description="The track of yours that this is a recording of, through the gear; it begins with it."
    )


@routes.get("/profiles/{entry_id}/sound", response_class=Response, responses=_SOUND)
async def play_profile(
    entry_id: Id,
    query: Annotated[PlayQuery, Query()],
    library: Lib,
    caller: Reader,
    range_: _Range = None,
    known: _Known = None,
) -> Response:
    """Return what a profile makes of some seconds of a dry track."""

    def play() -> Sound:
        with library.database.reading() as connection:
            version = one_version(connection, entry_id, query.version)
        settings = checked(version, settings_told(query.set))
        dry = _track(library, caller, query.track)
        return library.auditions.played(file_of(library, version), dry, settings, track=query.track)

    return _reply(await to_thread.run_sync(play, limiter=PLAYING), range_, known)


@routes.get("/tracks")
def list_tracks(library: Lib, caller: Reader) -> tuple[Track, ...]:
    """Return the dry tracks that you can hear profiles on: ours, then your own."""
    return all_tracks(library, caller)


def all_tracks(library: Library, caller: Caller) -> tuple[Track, ...]:
    """Return the tracks that somebody can hear profiles on."""
    ours = tuple(Track(id=each, name=name) for each, name in OURS.items())
    return ours + (() if caller.account_id is None else library.tracks.all_of(caller.account_id))


@routes.post("/tracks", status_code=201, openapi_extra=_RECORDING)
async def add_track(request: Request, about: Annotated[TrackQuery, Query()], library: Lib, caller: Reader) -> Track:
    """Upload a recording to hear profiles on. The first seconds from `start` on are kept, mono, for you alone."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/octet-stream" and not kind.startswith("audio/"):
        raise Problem(415, "Not a recording", f"The body must be the recording itself, as {_WAV}; found {kind!r}.")
    account_id = account_of(caller)
    async with received(request, library.settings.scratch) as arrived:

        def keep(path: FilePath = arrived.path) -> Track:
            if about.original_of is not None:
                _track(library, caller, about.original_of)
            sound = library.auditions.read(path, start_seconds=about.start)
            return library.tracks.add(account_id, about.name, sound, original_of=about.original_of)

        return await to_thread.run_sync(keep, limiter=PLAYING)


@routes.get("/tracks/{track_id}/sound", response_class=Response, responses=_SOUND)
async def play_track(
    track_id: _TrackPath, library: Lib, caller: Reader, range_: _Range = None, known: _Known = None
) -> Response:
    """Return a track as it is heard."""
    sound = await to_thread.run_sync(_track, library, caller, track_id, limiter=PLAYING)
    return _reply(sound, range_, known)


@routes.delete("/tracks/{track_id}", status_code=204)
def remove_track(track_id: _TrackPath, library: Lib, caller: Reader) -> None:
    """Remove a track of yours."""
    library.tracks.remove(account_of(caller), track_id)


def _track(library: Library, caller: Caller, track_id: str) -> Sound:
    if track_id in OURS:
        return library.auditions.composed(track_id)
    # Somebody without an account has no tracks; nobody has number 0.
    return library.tracks.sound(caller.account_id or 0, track_id)


def file_of(library: Library, version: Version) -> ProfileFile:
    """Return the file of a version, for who plays it."""

    def write(path: FilePath) -> None:
        library.storage.fetch(version.sha256, version.bytes, path)

    return ProfileFile(sha256=version.sha256, write=write)


def _reply(sound: Sound, range_: str | None, known: str | None) -> Response:
    """Return a sound, or the bytes of it that are asked for: some browsers' players ask for nothing else."""
    content = sound.wav()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {
        "ETag": etag,
        "Loudness": f"{sound.loudness:.3f}",
        "Peak": f"{sound.peak:.6f}",
        "Accept-Ranges": "bytes",
    }
    if known is not None and etag in known:
        return Response(status_code=304, headers=headers)
    match = _RANGE.fullmatch(range_ or "")
    if not match or not any(match.groups()):
        return Response(content, headers=headers, media_type=_WAV)
    first, last = match.groups()
    start = int(first) if first else max(len(content) - int(last), 0)
    stop = min(int(last) + 1, len(content)) if first and last else len(content)
    if start >= stop:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return Response(content[start:stop], 206, headers=headers, media_type=_WAV)
