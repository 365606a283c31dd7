"""The clients of `library_crashes.py`, and the journal of what they were told, which must be so for ever after."""

import contextlib
import json
import random
import secrets
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from api.client import LibraryClient
from api.job import ENDED, Job, NewExport
from api.values import Changes, Description, Entry
from capture.plan import moving_plan
from capture.plugin_rig import PluginRig, choose_knobs, open_gear
from capture.recorder import record
from profiler.audio import Audio
from profiler.audio_file import write_audio
from profiler.errors import LibraryError
from profiler.presets import preset_path
from profiler.session import CaptureSession
from profiler.session_folder import SessionFolder
from profiler.storage import sha256_of

__all__ = ["Clients", "Journal", "Materials", "all_jobs", "unfinished"]

_SAMPLE_RATE = 48_000
_MOST_TRAININGS, _MOST_QUICK = 2, 4
_PAUSES_SECONDS = (0.1, 0.8)
_EXPECTED = ("times before it was done", "was removed from the library")
"""What jobs may say when they failed here: killed three times themselves, or their profile is gone."""


class _Server(Protocol):
    def url(self) -> str: ...
    def token(self) -> str: ...


class Journal:
    """What was told to clients, a line each, and what they were about to remove, which may be there or not."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        text = path.read_text() if path.is_file() else ""
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
        self.states: Counter[str] = Counter()

    def add(self, what: str, **told: Any) -> None:
        """Note one thing."""
        line = {"what": what, **told}
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
            self.lines.append(line)

    def of(self, *whats: str) -> list[dict[str, Any]]:
        """Return the lines of some kinds."""
        with self._lock:
            return [each for each in self.lines if each["what"] in whats]

    def entries(self) -> list[int]:
        """Return the entries that are there and that nobody was about to remove."""
        gone = {each["entry"] for each in self.of("removing")}
        return [each["entry"] for each in self.of("uploaded") if each["entry"] not in gone]

    def jobs(self) -> list[str]:
        """Return the jobs that are there and that nobody was about to remove."""
        gone = {each["job"] for each in self.of("removing job")}
        return [each["job"] for each in self.of("ordered") if each["job"] not in gone]

    def broken(self, client: LibraryClient) -> list[str]:
        """Return what is not as clients were told, now that all jobs have ended."""
        return [*self._broken_entries(client), *self._broken_removals(client), *self._broken_jobs(client)]

    def _broken_entries(self, client: LibraryClient) -> Iterator[str]:
        there = set(self.entries())
        for told in self.of("uploaded", "version"):
            if told["entry"] in there:
                try:
                    hashes = {each.sha256 for each in client.versions(told["entry"])}
                except LibraryError as error:
                    yield f"profile {told['entry']}, {told['what']}: {error}"
                    continue
                if told["sha256"] not in hashes:
                    yield f"profile {told['entry']} lacks what was {told['what']}: {told['sha256']}"
        renamed = {each["entry"]: each["name"] for each in self.of("renamed", "renaming")}
        last = {each["entry"]: each["what"] for each in self.of("renamed", "renaming")}
        for entry_id in (each for each in renamed if each in there and last[each] == "renamed"):
            if client.entry(entry_id).name != renamed[entry_id]:
                yield f"profile {entry_id} is not called {renamed[entry_id]}"

    def _broken_removals(self, client: LibraryClient) -> Iterator[str]:
        for told in self.of("removed", "removed job"):
            with contextlib.suppress(LibraryError):
                if told["what"] == "removed":
                    yield f"profile {client.entry(told['entry']).id} was removed, and is there"
                else:
                    yield f"job {client.job(told['job']).id} was removed, and is there"

    def _broken_jobs(self, client: LibraryClient) -> Iterator[str]:
        self.states.clear()
        there = set(self.jobs())
        for told in (each for each in self.of("ordered") if each["job"] in there):
            try:
                job = client.job(told["job"])
            except LibraryError as error:
                yield f"job {told['job']}, {told['kind']}: {error}"
                continue
            self.states[f"{job.kind} {job.state}"] += 1
            if job.state not in ENDED or (job.state == "failed" and not job.error):
                yield f"job {job.id} is {job.state}: {job.error}"
            if job.state == "failed" and not any(each in str(job.error) for each in _EXPECTED):
                yield f"job {job.id}, {job.kind}, failed, and no kill explains it: {job.error}"
            if job.kind == "train":
                yield from _broken_training(client, job)


def _broken_training(client: LibraryClient, job: Job) -> Iterator[str]:
    found = client.search(name=job.title).data
    wanted = 1 if job.state == "succeeded" else 0
    if len(found) != wanted or any(each.version.number != 1 for each in found):
        yield f"job {job.id} is {job.state} and became {len(found)} profiles; expected {wanted}"


class Materials:
    """What clients send: a session to be learnt, a recording, and profile files of which no two are the same."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.session, self.dry = folder / "session", folder / "dry.wav"
        if not self.session.is_dir():
            gear = open_gear("pedalboard:Distortion")
            knobs = choose_knobs(gear, ["drive_db=0:40"])
            rig = PluginRig(gear, knobs, sample_rate=_SAMPLE_RATE)
            session = CaptureSession(gear=gear, knobs=knobs, sample_rate=_SAMPLE_RATE)
            record(
                SessionFolder.create(self.session, session),
                rig,
                moving_plan(knobs, sample_rate=_SAMPLE_RATE, minutes=0.6, replicate=True),
            )
        if not self.dry.is_file():
            noise = np.random.default_rng(0).normal(0, 0.1, (1, _SAMPLE_RATE)).astype(np.float32)
            write_audio(self.dry, Audio(samples=noise, sample_rate=_SAMPLE_RATE))

    def profile(self) -> Path:
        """Write a profile file with a name of its own."""
        name = f"profile {secrets.token_hex(6)}"
        path = self._folder / f"{name}.tonecast"
        with zipfile.ZipFile(preset_path("bus-compressor")) as source, zipfile.ZipFile(path, "w") as target:
            for each in source.namelist():
                content = source.read(each)
                if each == "profile.json":
                    content = json.dumps(json.loads(content) | {"name": name}).encode()
                target.writestr(each, content)
        return path


class Clients:
    """Threads that use a library, whatever becomes of it, while the block lasts."""

    def __init__(
        self, server: _Server, journal: Journal, materials: Materials, seed: int, *, trains: bool = True
    ) -> None:
        self._server, self._journal, self._materials = server, journal, materials
        self._ended = threading.Event()
        works: list[Callable[[LibraryClient, random.Random], None]] = [
            self._upload,
            self._upload,
            self._play,
            *([self._train] if trains else []),
        ]
        self._threads = [
            threading.Thread(target=self._kept_up, args=(work, random.Random(seed + number)))
            for number, work in enumerate(works)
        ]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for each in self._threads:
            each.join()

    def _kept_up(self, work: Callable[[LibraryClient, random.Random], None], rng: random.Random) -> None:
        while not self._ended.wait(rng.uniform(*_PAUSES_SECONDS)):
            # What is refused, or breaks off, was not told: the library may have it or not, but whole.
            with contextlib.suppress(LibraryError, RuntimeError), LibraryClient(*self._where()) as client:
                work(client, rng)

    def _where(self) -> tuple[str, str]:
        return self._server.url(), self._server.token()

    def _upload(self, client: LibraryClient, rng: random.Random) -> None:
        there, draw = self._journal.entries(), rng.random()
        if there and draw < 0.15:
            entry_id = rng.choice(there)
            self._journal.add("removing", entry=entry_id)
            client.remove(entry_id)
            self._journal.add("removed", entry=entry_id)
            return
        if there and draw < 0.3:
            entry_id, name = rng.choice(there), secrets.token_hex(6)
            self._journal.add("renaming", entry=entry_id, name=name)
            client.change(entry_id, Changes(name=name))
            self._journal.add("renamed", entry=entry_id, name=name)
            return
        path = self._materials.profile()
        try:
            if there and draw < 0.5:
                entry = client.push(path, Description(note="longer"), version_of=rng.choice(there)).entry
                self._journal.add("version", entry=entry.id, sha256=sha256_of(path))
            else:
                entry = client.push(path, Description(tags=("crash",))).entry
                self._journal.add("uploaded", entry=entry.id, sha256=sha256_of(path))
        finally:
            path.unlink()

    def _play(self, client: LibraryClient, rng: random.Random) -> None:
        if self._is_busy(client, ("render", "export"), _MOST_QUICK) or not (there := self._journal.entries()):
            self._tidy(client, rng)
            return
        entry: Entry = client.entry(rng.choice(there))
        if rng.random() < 0.4:
            # Only presets of convolutional effects can be written for Neural Amp Modeler.
            job = client.export(NewExport(profile_id=client.find("Fuzz").id))
        else:
            job = client.render(entry.id, self._materials.dry)
        self._journal.add("ordered", job=job.id, kind=job.kind)

    def _train(self, client: LibraryClient, rng: random.Random) -> None:
        if self._is_busy(client, ("train",), _MOST_TRAININGS):
            return
        name = f"training {secrets.token_hex(6)}"
        job = client.train(self._materials.session, {"steps": 8, "light": False, "name": name})
        self._journal.add("ordered", job=job.id, kind=job.kind, name=name)
        if rng.random() < 0.1:
            client.cancel_job(job.id)

    def _tidy(self, client: LibraryClient, rng: random.Random) -> None:
        """Remove a job that has ended, or have one that failed tried again."""
        known = set(self._journal.jobs())
        ended = [each for each in client.jobs(page_size=100).data if each.state in ENDED and each.id in known]
        if not ended or rng.random() < 0.5:
            return
        job = rng.choice(ended)
        if job.state == "failed" and "removed" not in str(job.error):
            client.retry_job(job.id)
            return
        if job.kind != "train":
            self._journal.add("removing job", job=job.id)
            client.remove_job(job.id)
            self._journal.add("removed job", job=job.id)

    def _is_busy(self, client: LibraryClient, kinds: tuple[str, ...], most: int) -> bool:
        return sum(each.kind in kinds for each in unfinished(client)) >= most


def all_jobs(client: LibraryClient) -> list[Job]:
    """Return all jobs of the account."""
    found: list[Job] = []
    while page := client.jobs(page=len(found) // 100 + 1, page_size=100).data:
        found += page
        if len(page) < 100:
            break
    return found


def unfinished(client: LibraryClient) -> list[Job]:
    """Return the jobs that queue or run."""
    return [each for state in ("queued", "running") for each in client.jobs(state=state, page_size=100).data]
