"""Files that jobs are to work on, as they arrive: what they are, whether they may be sent, and the job they bring."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import Request

from api.http.job_queries import ChainQuery, MatchQuery, RenderQuery, TrainQuery
from api.http.receiving import AUDIO_TYPES, TYPES, check_type, file_body, received
from api.job import Job, Order
from api.jobs.desk import Desk
from api.people import Caller
from api.problem import Problem

__all__ = ["RECORDINGS", "SESSIONS", "Material"]


@dataclass(frozen=True, kw_only=True)
class Material:
    """A kind of file that jobs work on: what it is, what it may call itself, and how it begins."""

    what: str
    types: tuple[str, ...]
    starts: tuple[bytes, ...]

    def body(self, said: str = "") -> dict[str, Any]:
        """Return what the OpenAPI page says of it."""
        return file_body(said or f"It is {self.what}.", self.types)

    async def submitted(
        self,
        request: Request,
        desk: Desk,
        caller: Caller,
        query: TrainQuery | RenderQuery | ChainQuery | MatchQuery,
        order_of: Callable[[Path], Order],
        *,
        limiter: CapacityLimiter | None = None,
    ) -> Job:
        """Receive the file and submit the job that it brings. `limiter` says how many of them are looked at at a time.

        Raises Problem for what may not be sent, before the body is read, and for what is no such file.
        """
        check_type(request, self.types, what=self.what)
        declared = int(request.headers.get("content-length", "0"))
        await to_thread.run_sync(desk.check_room, caller, getattr(query, "resource", "cpu"), declared)
        async with received(request, desk.library.settings.scratch) as arrived:

            def submit() -> Job:
                self.check(arrived.path)
                order = order_of(arrived.path)
                return desk.submit(order, query.title, caller, material=arrived, priority=query.priority)

            return await to_thread.run_sync(submit, limiter=limiter)

    def check(self, path: Path, *, start: int = 0, what: str = "The body") -> None:
        """Raise Problem where what begins at a byte of a file does not begin as such files do."""
        with path.open("rb") as file:
            file.seek(start)
            if not file.read(4).startswith(self.starts):
                raise Problem(422, "Not such a file", f"{what} does not begin as {self.what} does.")


SESSIONS = Material(
    what="a zip of a session's folder, or of a folder with takes.csv and its recordings",
    types=TYPES[:2],
    starts=(b"PK\x03\x04",),
)
RECORDINGS = Material(
    what="a recording: WAV, FLAC, AIFF, OGG or MP3",
    types=AUDIO_TYPES,
    starts=(b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
)
