"""Uploads as they arrive: into a file with a scratch name, measured and hashed on the way."""

import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from api.library import Received
from api.problem import Problem
from profiler.errors import StorageError

__all__ = ["AUDIO_TYPES", "BINARY", "TYPES", "check_type", "file_body", "received"]

TYPES = ("application/octet-stream", "application/zip", "application/x-tonecast")
"""What an upload may call itself."""


AUDIO_TYPES = (
    TYPES[0],
    *(f"audio/{name}" for name in ("wav", "x-wav", "flac", "x-flac", "aiff", "x-aiff", "ogg", "mpeg")),
)
"""What a recording may call itself."""


BINARY = {"schema": {"type": "string", "format": "binary"}}
"""What the OpenAPI page says of bytes."""


def file_body(description: str, types: Iterable[str]) -> dict[str, Any]:
    """Return what the OpenAPI page says of a body that is a file of one of some types."""
    return {"requestBody": {"required": True, "description": description, "content": dict.fromkeys(types, BINARY)}}


def check_type(request: Request, types: tuple[str, ...] = TYPES, *, what: str = "the file itself") -> None:
    """Raise Problem for an upload that says that it is something else than a file of these types."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in types:
        detail = f"The body must be {what}, as {types[0]}; found {found or 'no type'!r}."
        raise Problem(415, "Not a file", detail)


@contextlib.asynccontextmanager
async def received(request: Request, scratch_folder: Path) -> AsyncIterator[Received]:
    """Yield the file that a request brings, and remove it at the end, whatever happens."""
    path = scratch_folder / secrets.token_hex(16)
    try:
        yield await _written(request, path)
    except ClientDisconnect as error:
        raise Problem(400, "Cut short", "The connection ended before the whole file came. Send it again.") from error
    except OSError as error:
        raise StorageError(f"The upload cannot be kept: {error.strerror or error}.") from error
    finally:
        path.unlink(missing_ok=True)


async def _written(request: Request, path: Path) -> Received:
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        async for piece in request.stream():
            digest.update(piece)
            size += len(piece)
            await to_thread.run_sync(file.write, piece)
    if size == 0:
        raise Problem(422, "Nothing sent", "The body is empty; it must be the file itself.")
    return Received(path=path, sha256=digest.hexdigest(), bytes=size)
