"""Search that listens, over HTTP."""

from functools import partial
from typing import Annotated

import numpy as np
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from api.heard import SoundMatches
from api.http.asking import Lib, Listen, Reader
from api.http.receiving import AUDIO_TYPES, check_type, file_body, received
from profiler.listening.descriptors import COUNT, DESCRIPTORS_VERSION
from profiler.listening.sound_space import placed

__all__ = ["LISTENING", "routes"]

routes = APIRouter(prefix="/api/v1", tags=["listening"])

_MATCHES = TypeAdapter(SoundMatches)
_LISTENED_AT_ONCE = 8
LISTENING = CapacityLimiter(_LISTENED_AT_ONCE)
"""Those who wait for an ear leave threads to those who search."""

_BODY = file_body("The recording itself: WAV, FLAC, AIFF, OGG or MP3.", AUDIO_TYPES)
_Descriptor = Annotated[float, Field(ge=-1e4, le=1e4, allow_inf_nan=False)]


class HowMany(BaseModel):
    """How many answers there are to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    most: int = Field(10, ge=1, le=50, description="How many profiles to return at most.")


_HowMany = Annotated[HowMany, Query()]


class Sought(BaseModel):
    """How a recording sounds, as `profiler.listening.recording_sound` tells it; `kind` is the descriptors' version."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"kind": DESCRIPTORS_VERSION, "descriptors": [0.0] * COUNT}]},
    )

    kind: Annotated[int, Field(ge=DESCRIPTORS_VERSION, le=DESCRIPTORS_VERSION)]
    descriptors: Annotated[list[_Descriptor], Field(min_length=COUNT, max_length=COUNT)]


@routes.post("/search/sound", response_model=SoundMatches, openapi_extra=_BODY)
async def search_by_sound(
    request: Request,
    library: Lib,
    listening: Listen,
    caller: Reader,
    asked: _HowMany,
) -> Response:
    """Return the profiles that sound most like a recording, each at the settings where it does so most.

    The recording is what comes out of gear. It is not kept.
    """
    check_type(request, AUDIO_TYPES)
    async with received(request, library.settings.scratch) as arrived:
        like = partial(listening.like, arrived.path, asked.most, asked_by=caller.account_id)
        matches = await to_thread.run_sync(like, limiter=LISTENING)
    return Response(_MATCHES.dump_json(matches), media_type="application/json")


@routes.post("/search/descriptors", response_model=SoundMatches)
def search_by_descriptors(sought: Sought, listening: Listen, caller: Reader, asked: _HowMany) -> Response:
    """Return the profiles that sound most like a recording that you have listened to yourself, and keep.

    The recording stays with you, and the server is spared most of what a search by sound takes it.
    """
    place = placed(np.array([sought.descriptors], np.float32))[0]
    matches = listening.nearest(place, asked.most, asked_by=caller.account_id)
    return Response(_MATCHES.dump_json(matches), media_type="application/json")
