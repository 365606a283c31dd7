"""A client of a library: `with LibraryClient("http://studio:8000", token) as library: library.search("fuzz")`."""

import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from api.client_chains import SentChain, chain_to_send
from api.client_requests import Requests, answer, size_of
from api.heard import SaidTag, SoundMatches, TagCorrection, TagProposals
from api.job import ENDED, Job, JobPage, Matches, NewExport
from api.people import Invitation, Me, NewAccount, TokenWithSecret
from api.values import Changes, Collection, CollectionChanges, Description, Entry, EntryPage, NewCollection, Version
from profiler.errors import LibraryError

__all__ = ["LibraryClient", "Pushed", "packed"]

_BYTES = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """The entry that a file is now, or, when `is_new` is false, was before."""

    entry: Entry
    is_new: bool


class LibraryClient:
    """Talks to one server. Every method raises LibraryError with the server's own words where it refuses."""

    def __init__(self, server: str, token: str | None = None) -> None:
        self._requests = Requests(server, token)

    @property
    def server(self) -> str:
        """The server's URL."""
        return self._requests.server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._requests.close()

    def me(self) -> Me:
        """Return who the token belongs to, and how much may still be uploaded."""
        return self._requests.asked(Me, "GET", "/api/v1/me")

    def search(self, query: str = "", **filters: object) -> EntryPage:
        """Return a page of what matches. `filters` are those of the server: tags, gears, makes, sort, page ..."""
        given = {name: value for name, value in filters.items() if value not in (None, (), [], "")}
        return self._requests.asked(EntryPage, "GET", "/api/v1/profiles", params={"query": query, **given})

    def entry(self, entry_id: int) -> Entry:
        """Return an entry."""
        return self._requests.asked(Entry, "GET", f"/api/v1/profiles/{entry_id}")

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
        sent = self._requests.sent_files("/api/v1/search/sound", [self._checked(recording)], _BYTES, {"most": most})
        return answer(SoundMatches, sent)

    def search_by_descriptors(self, kind: int, descriptors: Sequence[float], *, most: int = 10) -> SoundMatches:
        """Return the same for a recording that was listened to here, and is not sent: what `recording_sound` tells."""
        told = {"kind": kind, "descriptors": [float(each) for each in descriptors]}
        return self._requests.asked(
            SoundMatches, "POST", "/api/v1/search/descriptors", params={"most": most}, json=told
        )

    def tag_proposals(self, tag: str | None = None, *, entry_id: int | None = None, most: int = 25) -> TagProposals:
        """Return tags that may fit profiles, surest first: of one tag or all, for one profile or all."""
        given = {"tag": tag, "entry": entry_id, "most": most}
        told = {name: value for name, value in given.items() if value is not None}
        return self._requests.asked(TagProposals, "GET", "/api/v1/tags/proposals", params=told)

    def correct_tag(self, correction: TagCorrection) -> Entry:
        """Say whether a tag fits a profile, which proposals then learn from."""
        return self._requests.asked(Entry, "POST", "/api/v1/tags/corrections", json=asdict(correction))

    def tag_corrections(self, entry_id: int | None = None, *, most: int = 25) -> tuple[SaidTag, ...]:
        """Return what you said of tags last, newest first: of one profile or all."""
        told = {"most": most} if entry_id is None else {"entry": entry_id, "most": most}
        return self._requests.asked(tuple[SaidTag, ...], "GET", "/api/v1/tags/corrections", params=told)

    def push(self, path: Path, about: Description | None = None, *, version_of: int | None = None) -> Pushed:
        """Upload a profile file: as an entry, or as the newest version of one."""
        where = "/api/v1/profiles" if version_of is None else f"/api/v1/profiles/{version_of}/versions"
        reply = self._requests.sent_files(where, [self._checked(path)], _BYTES, asdict(about or Description()))
        return Pushed(entry=answer(Entry, reply), is_new=reply.status_code == HTTPStatus.CREATED)

    def pull(self, entry: Entry, path: Path, *, version: Version | None = None) -> None:
        """Download a file. It appears at `path` whole, with the hash that the library has of it, or not at all."""
        wanted = version or entry.version
        self._requests.download(f"/api/v1/profiles/{entry.id}/versions/{wanted.number}/file", path, wanted.sha256)

    def versions(self, entry_id: int) -> tuple[Version, ...]:
        """Return all versions of an entry, newest first."""
        return self._requests.asked(tuple[Version, ...], "GET", f"/api/v1/profiles/{entry_id}/versions")

    def change(self, entry_id: int, changes: Changes) -> Entry:
        """Say something else of an entry."""
        return self._requests.asked(Entry, "PATCH", f"/api/v1/profiles/{entry_id}", json=changes.said())

    def remove(self, entry_id: int) -> None:
        """Remove an entry with all its versions."""
        self._requests.sent("DELETE", f"/api/v1/profiles/{entry_id}")

    def mark(self, entry_id: int) -> None:
        """Mark a profile as a favourite of yours; `search(favourites=True)` finds them."""
        self._requests.sent("PUT", f"/api/v1/favourites/{entry_id}")

    def unmark(self, entry_id: int) -> None:
        """Have a profile be no favourite of yours any more."""
        self._requests.sent("DELETE", f"/api/v1/favourites/{entry_id}")

    def collections(self, **filters: object) -> tuple[Collection, ...]:
        """Return a page of collections by name. `filters` are those of the server: mine, profile, page, page_size."""
        return self._requests.asked(tuple[Collection, ...], "GET", "/api/v1/collections", params=filters)

    def add_collection(self, new: NewCollection) -> Collection:
        """Make a collection; `search(collection=ID)` finds what is in it."""
        return self._requests.asked(Collection, "POST", "/api/v1/collections", json=asdict(new))

    def change_collection(self, collection_id: int, changes: CollectionChanges) -> Collection:
        """Say something else of a collection of yours."""
        told = {name: value for name, value in asdict(changes).items() if value is not None}
        return self._requests.asked(Collection, "PATCH", f"/api/v1/collections/{collection_id}", json=told)

    def remove_collection(self, collection_id: int) -> None:
        """Remove a collection of yours; what is in it stays in the library."""
        self._requests.sent("DELETE", f"/api/v1/collections/{collection_id}")

    def put_into(self, collection_id: int, entry_id: int) -> None:
        """Put a profile into a collection of yours."""
        self._requests.sent("PUT", f"/api/v1/collections/{collection_id}/profiles/{entry_id}")

    def take_from(self, collection_id: int, entry_id: int) -> None:
        """Take a profile out of a collection of yours."""
        self._requests.sent("DELETE", f"/api/v1/collections/{collection_id}/profiles/{entry_id}")

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
        return self._job_of("render", (dry,), _BYTES, told)

    def play_chain(self, chain: Path | str, dry: Path, query: Mapping[str, object] | None = None) -> Job:
        """Have a recording be played through a chain: a chain file, whose impulse responses are sent along, or the text
        of one without. Files of profiles must be in the library. `query` is as the server has it: set, automation ...
        """
        sent = chain_to_send(chain) if isinstance(chain, Path) else SentChain(text=chain, responses=())
        told = {"chain": sent.text, "response_bytes": [size_of(each) for each in sent.responses], **(query or {})}
        return self._job_of("chain", (dry, *sent.responses), _BYTES, told)

    def match(self, dry: Path, wet: Path, query: Mapping[str, object] | None = None) -> Job:
        """Have profiles be looked for that make a wet of its dry, with their knobs. `query` has name and priority."""
        told = {"dry_bytes": size_of(dry), **(query or {})}
        return self._job_of("match", (dry, wet), _BYTES, told)

    def matches(self, job_id: str) -> Matches:
        """Return what a match has found, nearest first."""
        return self._requests.asked(Matches, "GET", f"/api/v1/jobs/{job_id}/matches")

    def export(self, new: NewExport) -> Job:
        """Have a profile be written at one setting as a .nam file."""
        return self._requests.asked(Job, "POST", "/api/v1/jobs/export", json=asdict(new))

    def jobs(self, **filters: object) -> JobPage:
        """Return a page of jobs, newest first. `filters` are those of the server: state, everybody, page, page_size."""
        return self._requests.asked(JobPage, "GET", "/api/v1/jobs", params=filters)

    def job(self, job_id: str) -> Job:
        """Return a job."""
        return self._requests.asked(Job, "GET", f"/api/v1/jobs/{job_id}")

    def watch(self, job_id: str) -> Iterator[Job]:
        """Yield a job as it is now and after every change, until it has ended. Raises LibraryError when it is removed.

        A connection that breaks is made again, for a minute.
        """
        path = f"/api/v1/jobs/{job_id}/events"
        return self._requests.followed(
            Job, path, number=lambda job: job.revision, is_last=lambda job: job.state in ENDED
        )

    def cancel_job(self, job_id: str) -> Job:
        """Cancel a job that has not ended."""
        return self._requests.asked(Job, "POST", f"/api/v1/jobs/{job_id}/cancel")

    def retry_job(self, job_id: str) -> Job:
        """Have a job that failed or was cancelled tried again."""
        return self._requests.asked(Job, "POST", f"/api/v1/jobs/{job_id}/retry")

    def remove_job(self, job_id: str) -> None:
        """Remove a job that has ended, with its files."""
        self._requests.sent("DELETE", f"/api/v1/jobs/{job_id}")

    def fetch_result(self, job: Job, path: Path) -> None:
        """Download the file that came of a job. It appears at `path` whole, or not at all."""
        if job.result is None:
            raise LibraryError(f"Job {job.id} is {job.state}: there is no file yet, or none will come.")
        self._requests.download(f"/api/v1/jobs/{job.id}/result", path, job.result.sha256)

    def claim(self, secret: str, token_name: str) -> TokenWithSecret:
        """Turn a one-time secret into a token."""
        return self._requests.asked(
            TokenWithSecret, "POST", "/api/v1/claim", json={"secret": secret, "token_name": token_name}
        )

    def add_account(self, account: NewAccount) -> Invitation:
        """Make an account, and a one-time secret for its owner. Takes an admin's token."""
        return self._requests.asked(Invitation, "POST", "/api/v1/accounts", json=asdict(account))

    def _checked(self, path: Path) -> Path:
        """Return a file. Raises LibraryError for one larger than the library takes."""
        size, limit = size_of(path), self.me().upload_limit_bytes
        if size > limit:
            raise LibraryError(f"{path} is {size} bytes; this library takes at most {limit}.")
        return path

    def _job_of(self, kind: str, files: tuple[Path, ...], content_type: str, query: Mapping[str, object] | None) -> Job:
        return answer(Job, self._requests.sent_files(f"/api/v1/jobs/{kind}", files, content_type, query))


def packed(folder: Path, target: Path) -> Path:
    """Write a zip of a folder and return it. Hidden files, such as locks and checkpoints, stay here."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                archive.write(path, path.relative_to(folder))
    return target
