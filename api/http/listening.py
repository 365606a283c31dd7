"""Search that listens, over HTTP."""

from functools import partial
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from api.heard import SoundMatches
from api.http.asking import Lib, Listen, Reader
from api.http.receiving import AUDIO_TYPES, check_type, received

__all__ = ["LISTENING", "routes"]

routes = APIRouter(prefix="/api/v1", tags=["listening"])

_MATCHES = TypeAdapter(SoundMatches)
_LISTENED_AT_ONCE = 8
LISTENING = CapacityLimiter(_LISTENED_AT_ONCE)
"""Those who wait for an ear leave threads to those who search."""

_BODY = {
    "requestBody": {
        "required": True,
        "description": "The recording itself: WAV, FLAC, AIFF, OGG or MP3.",
        "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in AUDIO_TYPES},
    }
}


@routes.post("/search/sound", response_model=SoundMatches, openapi_extra=_BODY)
async def search_by_sound(
    request: Request,
    library: Lib,
    listening: Listen,
    caller: Reader,
    most: Annotated[int, Query(ge=1, le=50, description="How many profiles to return at most.")] = 10,
) -> Response:
    """Return the profiles that sound most like a recording, each at the settings where it does so most.

    The recording is what comes out of gear. It is not kept.
    """
    check_type(request, AUDIO_TYPES)
    async with received(request, library.settings.scratch) as arrived:
        like = partial(listening.like, arrived.path, most, asked_by=caller.account_id)
        matches = await to_thread.run_sync(like, limiter=LISTENING)
    return Response(_MATCHES.dump_json(matches), media_type="application/json")
