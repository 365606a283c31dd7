"""A client of a library: `with LibraryClient("http://studio:8000", token) as library: library.search("fuzz")`."""

import contextlib
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import h11
import httpx
from pydantic import TypeAdapter, ValidationError

from api.heard import SaidTag, SoundMatches, TagCorrection, TagProposals
from api.job import ENDED, Job, JobPage, Matches, NewExport
from api.people import Invitation, Me, NewAccount, TokenWithSecret
from api.problem import ProblemDetails
from api.values import Changes, Description, Entry, EntryPage, Version
from profiler.errors import LibraryError
from profiler.storage import replacing, sha256_of

__all__ = ["LibraryClient", "Pushed", "packed"]

_T = TypeVar("_T")
_PIECE = 256 << 10
_AGAIN_SECONDS = 1.0
_TROUBLE_SECONDS = 60.0
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_UPLOAD_TIMEOUT = httpx.Timeout(600.0, connect=10.0)  # uploads are read a few at a time, so of many at once some wait


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """The entry that a file is now, or, when `is_new` is false, was before."""

    entry: Entry
    is_new: bool


class LibraryClient:
    """Talks to one server. Every method raises LibraryError with the server's own words where it refuses."""

    def __init__(self, server: str, token: str | None = None) -> None:
        self.server = server.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._http = httpx.Client(base_url=self.server, headers=headers, timeout=_TIMEOUT)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise LibraryError(f"{server!r} is no server: {error}. Write http://host:8000.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def me(self) -> Me:
        """Return who the token belongs to, and how much may still be uploaded."""
        return self._asked(Me, "GET", "/api/v1/me")

    def search(self, query: str = "", **filters: object) -> EntryPage:
        """Return a page of what matches. `filters` are those of the server: tags, gears, makes, sort, page ..."""
        given = {name: value for name, value in filters.items() if value not in (None, (), [], "")}
        return self._asked(EntryPage, "GET", "/api/v1/profiles", params={"query": query, **given})

    def entry(self, entry_id: int) -> Entry:
        """Return an entry."""
        return self._asked(Entry, "GET", f"/api/v1/profiles/{entry_id}")

    def find(self, name_or_id: str) -> Entry:
        """Return the one entry of a name, or an id. Raises LibraryError where none or several are called so."""
        if name_or_id.isascii() and name_or_id.isdecimal() and len(name_or_id) < 10:
            return self.entry(int(name_or_id))
        found = self.search(name=name_or_id, page_size=6).data
        if len(found) == 1:
            return found[0]
        if not found:
            near = [each.name for each in self.search(name_or_id[:200], page_size=3).data]
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            raise LibraryError(f"Nothing in the library is called {name_or_id!r}.{meant} Look with: tonecast search")
        ids = ", ".join(f"{each.id} by {each.owner}" for each in found)
        raise LibraryError(f"Several entries are called {name_or_id!r}: {ids}. Name one by its number.")

    def search_by_sound(self, recording: Path, *, most: int = 10) -> SoundMatches:
        """Return the profiles that sound most like a recording of gear, each at the settings where it does so most."""
        with self._upload(recording) as (content, headers):
            return self._asked(
                SoundMatches, "POST", "/api/v1/search/sound", params={"most": most}, content=content, headers=headers
            )

    def search_by_descriptors(self, kind: int, descriptors: Sequence[float], *, most: int = 10) -> SoundMatches:
        """Return the same for a recording that was listened to here, and is not sent: what `recording_sound` tells."""
        told = {"kind": kind, "descriptors": [float(each) for each in descriptors]}
        return self._asked(SoundMatches, "POST", "/api/v1/search/descriptors", params={"most": most}, json=told)

    def tag_proposals(self, tag: str | None = None, *, entry_id: int | None = None, most: int = 25) -> TagProposals:
        """Return tags that may fit profiles, surest first: of one tag or all, for one profile or all."""
        given = {"tag": tag, "entry": entry_id, "most": most}
        told = {name: value for name, value in given.items() if value is not None}
        return self._asked(TagProposals, "GET", "/api/v1/tags/proposals", params=told)

    def correct_tag(self, correction: TagCorrection) -> Entry:
        """Say whether a tag fits a profile, which proposals then learn from."""
        return self._asked(Entry, "POST", "/api/v1/tags/corrections", json=asdict(correction))

    def tag_corrections(self, entry_id: int | None = None, *, most: int = 25) -> tuple[SaidTag, ...]:
        """Return what you said of tags last, newest first: of one profile or all."""
        told = {"most": most} if entry_id is None else {"entry": entry_id, "most": most}
        return self._asked(tuple[SaidTag, ...], "GET", "/api/v1/tags/corrections", params=told)

    def push(self, path: Path, about: Description | None = None, *, version_of: int | None = None) -> Pushed:
        """Upload a profile file: as an entry, or as the newest version of one."""
        where = "/api/v1/profiles" if version_of is None else f"/api/v1/profiles/{version_of}/versions"
        told = {name: value for name, value in asdict(about or Description()).items() if value}
        with self._upload(path) as (content, headers):
            sent = {"params": told, "content": content, "headers": headers, "timeout": _UPLOAD_TIMEOUT}
            reply = self._sent("POST", where, **sent)
        return Pushed(entry=_read(Entry, reply), is_new=reply.status_code == HTTPStatus.CREATED)

    def pull(self, entry: Entry, path: Path, *, version: Version | None = None) -> None:
        """Download a file. It appears at `path` whole, with the hash that the library has of it, or not at all."""
        wanted = version or entry.version
        self._download(f"/api/v1/profiles/{entry.id}/versions/{wanted.number}/file", path, wanted.sha256)

    def _download(self, where: str, path: Path, sha256: str) -> None:
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

    def versions(self, entry_id: int) -> tuple[Version, ...]:
        """Return all versions of an entry, newest first."""
        return self._asked(tuple[Version, ...], "GET", f"/api/v1/profiles/{entry_id}/versions")

    def change(self, entry_id: int, changes: Changes) -> Entry:
        """Say something else of an entry."""
        told = {name: value for name, value in asdict(changes).items() if value is not None}
        return self._asked(Entry, "PATCH", f"/api/v1/profiles/{entry_id}", json=told)

    def remove(self, entry_id: int) -> None:
        """Remove an entry with all its versions."""
        self._sent("DELETE", f"/api/v1/profiles/{entry_id}")

    def train(self, material: Path, query: Mapping[str, object] | None = None) -> Job:
        """Have a session's folder be learnt, one with takes.csv, or a zip of either. `query` is as the server has it:
        budget_seconds, steps, hold_out, name, tags, version_of ...
        """
        if material.is_dir():
            with tempfile.TemporaryDirectory() as scratch:
                return self.train(packed(material, Path(scratch) / "session.zip"), query)
        return self._job_of("train", (material,), "application/zip", query)

    def render(self, profile_id: int, dry: Path, query: Mapping[str, object] | None = None) -> Job:
        """Have a recording be played through a profile. `query` is as the server has it: set, automation, form ..."""
        told = {"profile_id": profile_id, **(query or {})}
        return self._job_of("render", (dry,), "application/octet-stream", told)

    def play_chain(self, chain: str, dry: Path, query: Mapping[str, object] | None = None) -> Job:
        """Have a recording be played through a chain: the text of a chain file, whose slots name profiles of the
        library. `query` is as the server has it: set, automation, form ...
        """
        return self._job_of("chain", (dry,), "application/octet-stream", {"chain": chain, **(query or {})})

    def match(self, dry: Path, wet: Path, query: Mapping[str, object] | None = None) -> Job:
        """Have profiles be looked for that make a wet of its dry, with their knobs. `query` has name and priority."""
        told = {"dry_bytes": _size_of(dry), **(query or {})}
        return self._job_of("match", (dry, wet), "application/octet-stream", told)

    def matches(self, job_id: str) -> Matches:
        """Return what a match has found, nearest first."""
        return self._asked(Matches, "GET", f"/api/v1/jobs/{job_id}/matches")

    def export(self, new: NewExport) -> Job:
        """Have a profile be written at one setting as a .nam file."""
        return self._asked(Job, "POST", "/api/v1/jobs/export", json=asdict(new))

    def jobs(self, **filters: object) -> JobPage:
        """Return a page of jobs, newest first. `filters` are those of the server: state, everybody, page, page_size."""
        return self._asked(JobPage, "GET", "/api/v1/jobs", params=filters)

    def job(self, job_id: str) -> Job:
        """Return a job."""
        return self._asked(Job, "GET", f"/api/v1/jobs/{job_id}")

    def watch(self, job_id: str) -> Iterator[Job]:
        """Yield a job as it is now and after every change, until it has ended. Raises LibraryError when it is removed.

        A connection that breaks is made again, for a minute.
        """
        known, trouble_since = "", 0.0
        while True:
            try:
                for job in self._events(job_id, known):
                    known, trouble_since = str(job.revision), 0.0
                    yield job
                    if job.state in ENDED:
                        return
            except httpx.HTTPError as error:
                trouble_since = trouble_since or time.monotonic()
                if time.monotonic() - trouble_since > _TROUBLE_SECONDS:
                    raise self._unreachable(error) from error
            time.sleep(_AGAIN_SECONDS)

    def cancel_job(self, job_id: str) -> Job:
        """Cancel a job that has not ended."""
        return self._asked(Job, "POST", f"/api/v1/jobs/{job_id}/cancel")

    def retry_job(self, job_id: str) -> Job:
        """Have a job that failed or was cancelled tried again."""
        return self._asked(Job, "POST", f"/api/v1/jobs/{job_id}/retry")

    def remove_job(self, job_id: str) -> None:
        """Remove a job that has ended, with its files."""
        self._sent("DELETE", f"/api/v1/jobs/{job_id}")

    def fetch_result(self, job: Job, path: Path) -> None:
        """Download the file that came of a job. It appears at `path` whole, or not at all."""
        if job.result is None:
            raise LibraryError(f"Job {job.id} is {job.state}: there is no file yet, or none will come.")
        self._download(f"/api/v1/jobs/{job.id}/result", path, job.result.sha256)

    def claim(self, secret: str, token_name: str) -> TokenWithSecret:
        """Turn a one-time secret into a token."""
        return self._asked(TokenWithSecret, "POST", "/api/v1/claim", json={"secret": secret, "token_name": token_name})

    def add_account(self, account: NewAccount) -> Invitation:
        """Make an account, and a one-time secret for its owner. Takes an admin's token."""
        return self._asked(Invitation, "POST", "/api/v1/accounts", json=asdict(account))

    @contextlib.contextmanager
    def _upload(self, path: Path) -> Iterator[tuple[Iterator[bytes], dict[str, str]]]:
        """Yield the pieces of a file and the headers that it is sent with. Raises LibraryError for one too large."""
        size, limit = _size_of(path), self.me().upload_limit_bytes
        if size > limit:
            raise LibraryError(f"{path} is {size} bytes; this library takes at most {limit}.")
        with path.open("rb") as file:
            yield _pieces(file), {"Content-Type": "application/octet-stream", "Content-Length": str(size)}

    def _job_of(self, kind: str, paths: tuple[Path, ...], content_type: str, query: Mapping[str, object] | None) -> Job:
        told = {name: value for name, value in (query or {}).items() if value not in (None, (), [], "")}
        size = sum(_size_of(path) for path in paths)
        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(path.open("rb")) for path in paths]
            content = (piece for file in files for piece in _pieces(file))
            return self._asked(Job, "POST", f"/api/v1/jobs/{kind}", params=told, content=content, headers=headers)

    def _events(self, job_id: str, known: str) -> Iterator[Job]:
        """Yield the jobs of one connection. Raises httpx.HTTPError where it breaks."""
        headers = {"Last-Event-ID": known} if known else {}
        with self._http.stream("GET", f"/api/v1/jobs/{job_id}/events", headers=headers) as reply:
            if reply.is_error:
                reply.read()
                raise _refused(reply)
            for line in reply.iter_lines():
                name, _, value = line.partition(": ")
                if name == "data":
                    yield _parsed(Job, value.encode(), reply)

    def _asked(self, kind: type[_T], method: str, path: str, **request: Any) -> _T:
        return _read(kind, self._sent(method, path, **request))

    def _sent(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            reply = self._http.request(method, path, **request)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, h11.LocalProtocolError) as error:
            # A server that dies while it is sent a file shows as h11's own error: httpx lets it through.
            raise self._unreachable(error) from error
        if reply.is_error:
            raise _refused(reply)
        return reply

    def _unreachable(self, error: Exception) -> LibraryError:
        if isinstance(error, httpx.TimeoutException):
            return LibraryError(f"{self.server} does not answer in time. Is it very busy? Try again.")
        reason = str(error) or type(error).__name__
        return LibraryError(f"{self.server} cannot be reached: {reason}. Is `tonecast serve` running there?")


def _size_of(path: Path) -> int:
    """Return how many bytes a file has. Raises LibraryError where there is none."""
    if not path.is_file():
        raise LibraryError(f"{path} is not there, or is not a file. Check the name.")
    return path.stat().st_size


def _pieces(file: Any) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def packed(folder: Path, target: Path) -> Path:
    """Write a zip of a folder and return it. Hidden files, such as locks and checkpoints, stay here."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                archive.write(path, path.relative_to(folder))
    return target


def _read(kind: type[_T], reply: httpx.Response) -> _T:
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
