"""Requests of a client to one server: sent, answered in values, files up and down, events; httpx's only door."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import h11
import httpx
from pydantic import TypeAdapter, ValidationError

from api.problem import ProblemDetails
from profiler.errors import LibraryError
from profiler.storage import replacing, sha256_of

__all__ = ["Requests", "answer", "size_of"]

_T = TypeVar("_T")
_PIECE = 256 << 10
_AGAIN_SECONDS = 1.0
_TROUBLE_SECONDS = 60.0
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_UPLOAD_TIMEOUT = httpx.Timeout(600.0, connect=10.0)  # uploads are read a few at a time, so of many at once some wait


class Requests:
    """Requests to one server. Every method raises LibraryError with the server's own words where it refuses."""

    def __init__(self, server: str, token: str | None) -> None:
        self.server = server.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._http = httpx.Client(base_url=self.server, headers=headers, timeout=_TIMEOUT)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise LibraryError(f"{server!r} is no server: {error}. Write http://host:8000.") from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def asked(self, kind: type[_T], method: str, path: str, **request: Any) -> _T:
        """Send a request and return the answer as a value."""
        return answer(kind, self.sent(method, path, **request))

    def sent(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request and return the reply."""
        try:
            reply = self._http.request(method, path, **request)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, h11.LocalProtocolError) as error:
            # A server that dies while it is sent a file shows as h11's own error: httpx lets it through.
            raise self._unreachable(error) from error
        if reply.is_error:
            raise _refused(reply)
        return reply

    def sent_files(
        self, path: str, files: Sequence[Path], content_type: str, query: Mapping[str, object] | None = None
    ) -> httpx.Response:
        """Send files, one right behind the other, and return the reply. What is empty in the query is left out."""
        told = {name: value for name, value in (query or {}).items() if value not in (None, (), [], "")}
        headers = {"Content-Type": content_type, "Content-Length": str(sum(map(size_of, files)))}
        with ExitStack() as stack:
            opened = [stack.enter_context(file.open("rb")) for file in files]
            content = (piece for file in opened for piece in _pieces(file))
            return self.sent("POST", path, params=told, content=content, headers=headers, timeout=_UPLOAD_TIMEOUT)

    def download(self, where: str, path: Path, sha256: str) -> None:
        """Download a file. It appears at `path` whole and with a hash, or not at all."""
        with replacing(path) as scratch:
            try:
                with self._http.stream("GET", where) as reply, scratch.open("wb") as file:
                    if reply.is_error:
                        reply.read()
                        raise _refused(reply)
                    for piece in reply.iter_bytes(_PIECE):
                        file.write(piece)
            except httpx.HTTPError as error:
                raise self._unreachable(error) from error
            found = sha256_of(scratch)
            if found != sha256:
                raise LibraryError(
                    f"What came is not the file that the library names: hash {found[:12]}, not {sha256[:12]}. "
                    "Try again; if it stays so, the library's storage is damaged."
                )

    def followed(
        self, kind: type[_T], path: str, *, number: Callable[[_T], int], is_last: Callable[[_T], bool]
    ) -> Iterator[_T]:
        """Yield what server-sent events tell of, until the last. A connection that breaks is made again, for a minute.

        `number` says which event a value came with.
        """
        known, trouble_since = "", 0.0
        while True:
            try:
                for value in self._events(kind, path, known):
                    known, trouble_since = str(number(value)), 0.0
                    yield value
                    if is_last(value):
                        return
            except httpx.HTTPError as error:
                trouble_since = trouble_since or time.monotonic()
                if time.monotonic() - trouble_since > _TROUBLE_SECONDS:
                    raise self._unreachable(error) from error
            time.sleep(_AGAIN_SECONDS)

    def _events(self, kind: type[_T], path: str, known: str) -> Iterator[_T]:
        """Yield the values of one connection. Raises httpx.HTTPError where it breaks."""
        headers = {"Last-Event-ID": known} if known else {}
        with self._http.stream("GET", path, headers=headers) as reply:
            if reply.is_error:
                reply.read()
                raise _refused(reply)
            for line in reply.iter_lines():
                name, _, value = line.partition(": ")
                if name == "data":
                    yield _parsed(kind, value.encode(), reply)

    def _unreachable(self, error: Exception) -> LibraryError:
        if isinstance(error, httpx.TimeoutException):
            return LibraryError(f"{self.server} does not answer in time. Is it very busy? Try again.")
        reason = str(error) or type(error).__name__
        return LibraryError(f"{self.server} cannot be reached: {reason}. Is `tonecast serve` running there?")


def size_of(path: Path) -> int:
    """Return how many bytes a file has. Raises LibraryError where there is none."""
    if not path.is_file():
        raise LibraryError(f"{path} is not there, or is not a file. Check the name.")
    return path.stat().st_size


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def answer(kind: type[_T], reply: httpx.Response) -> _T:
    """Return what a reply says. Raises LibraryError where it says something else."""
    return _parsed(kind, reply.content, reply)


def _parsed(kind: type[_T], content: bytes, reply: httpx.Response) -> _T:
    try:
        return TypeAdapter(kind).validate_json(content)
    except ValidationError as error:
        raise LibraryError(
            f"{reply.url.host} answers, but not as a library of this version does. Update Tonecast here or there."
        ) from error


def _refused(reply: httpx.Response) -> LibraryError:
    try:
        problem = TypeAdapter(ProblemDetails).validate_json(reply.content)
    except ValidationError:
        return LibraryError(f"{reply.url.host} answers {reply.status_code} {reply.reason_phrase}, in no words of ours.")
    hint = ""
    if reply.status_code == HTTPStatus.UNAUTHORIZED:
        hint = " Set TONECAST_TOKEN, or run: tonecast login LINK"
    return LibraryError(f"{problem.title}: {problem.detail}{hint}")
