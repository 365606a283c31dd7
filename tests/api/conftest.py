"""What tests of the library start from: profile files, databases of both kinds, and servers that really listen."""

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn

from api.client import LibraryClient
from api.facts import read_facts
from api.http.app import create_app
from api.inspection import Inspections
from api.jobs.desk import Desk
from api.library import Added, Library, Received, opened
from api.people import Caller
from api.settings import ServiceSettings
from api.shipped import add_presets
from api.store.people import system_account
from api.values import Description, Facts
from profiler.presets import preset_path
from profiler.storage import sha256_of

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
PATIENCE_MS = 300_000


@pytest.fixture(scope="session")
def postgresql(missing: Callable[[str, str], None]) -> Iterator[str]:
    """A PostgreSQL server of our own, on a free port; tests are skipped without one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        missing("postgresql", "no PostgreSQL server (Debian and Ubuntu: postgresql)")
    tools, folder = found[-1].parent, Path(tempfile.mkdtemp(prefix="tonecast-postgresql-"))
    as_user: dict[str, object] = {}
    if os.name == "posix" and os.getuid() == 0:  # PostgreSQL does not run as root
        shutil.chown(folder, "postgres")
        as_user = {"user": "postgres", "cwd": folder}

    def ran(*command: object) -> None:
        words = [str(word) for word in command]
        done = subprocess.run(words, capture_output=True, text=True, check=False, **as_user)  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr

    data, port = folder / "data", _free_port()
    ran(tools / "initdb", "-D", data, "-A", "trust", "-U", "tests", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    ran(tools / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    try:
        yield f"postgresql://tests@127.0.0.1:{port}"
    finally:
        ran(tools / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


class S3Server:
    """An S3 server of our own, on a free port, whose buckets are folders."""

    key = "S3RVER"  # and secret, the only ones that it knows

    def __init__(self, program: str, folder: Path) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [program, "--directory", str(folder), "--address", "127.0.0.1", "--port", str(self.port)]
        command += ["--no-vhost-buckets", "--configure-bucket", "tests"]
        with folder.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def environment(self) -> dict[str, str]:
        """Return the variables that lead there."""
        keys = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.key}
        return {**keys, "AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": "us-east-1"}

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def s3(missing: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[S3Server]:
    """An S3 server with the bucket `tests`, which the environment leads to; tests are skipped without one."""
    program = shutil.which("s3rver")
    if program is None or importlib.util.find_spec("s3fs") is None:
        missing("s3", "no S3 server, or no client (npm install -g s3rver; pip install s3fs)")
    from s3fs import S3FileSystem  # noqa: PLC0415 - as above

    (tmp_path / "s3").mkdir()
    server = S3Server(str(program), tmp_path / "s3")
    try:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        S3FileSystem.clear_instance_cache()
        yield server
    finally:
        server.kill()
        S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="session")
def new_settings(request: pytest.FixtureRequest) -> Callable[[str, Path], ServiceSettings]:
    """A function that returns settings of a library that is not there yet, with a kind of database and a folder."""

    def made(kind: str, folder: Path) -> ServiceSettings:
        if kind == "sqlite":
            return ServiceSettings(data=folder)
        server, name = request.getfixturevalue("postgresql"), f"t{secrets.token_hex(6)}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return ServiceSettings(data=folder, database=f"{server}/{name}")

    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, new_settings: Callable, tmp_path: Path) -> ServiceSettings:
    """Settings of a library that is not there yet, with either kind of database."""
    return new_settings(request.param, tmp_path / "library")


class _InThisProcess(Inspections):
    """Reads uploads here. The process around the reading, half a second each, is what test_safety is about."""

    def facts_of(self, path: Path) -> Facts:
        return read_facts(path)


@pytest.fixture(scope="session")
def quick() -> Callable[[Library], Library]:
    """A function that returns a library which starts no process for an upload."""
    return lambda library: replace(library, inspections=_InThisProcess())


@pytest.fixture
def library(settings: ServiceSettings, quick: Callable[[Library], Library]) -> Iterator[Library]:
    """An empty library on either kind of database."""
    with opened(settings) as library:
        yield quick(library)


def account(library: Library, name: str, *, admin: bool = False) -> Caller:
    """Return an account, made if need be, as it asks."""
    role = "admin" if admin else "member"
    with library.database.writing() as connection:
        account_id = system_account(connection, name, role)
    scopes = frozenset({"read", "write", "admin"} if admin else {"read", "write"})
    return Caller(account_id=account_id, name=name, role=role, scopes=scopes)


@pytest.fixture(scope="session")
def account_of() -> Callable[..., Caller]:
    """A function that returns an account of a library, made if need be, as it asks."""
    return account


@pytest.fixture
def caller_of(library: Library) -> Callable[..., Caller]:
    """A function that returns an account, made if need be, as it asks."""
    return partial(account, library)


@pytest.fixture(scope="session")
def taking_in() -> Callable[..., Added]:
    """A function that takes a file into a library as if ann, or somebody else, had uploaded it."""

    def taken_in(
        library: Library, path: Path, *, who: str = "ann", version_of: int | None = None, **about: object
    ) -> Added:
        received = Received(path=path, sha256=sha256_of(path), bytes=path.stat().st_size)
        return library.take_in(received, account(library, who), Description(**about), version_of=version_of)

    return taken_in


@pytest.fixture
def take_in(library: Library, taking_in: Callable[..., Added]) -> Callable[..., Added]:
    """The same, into the library at hand."""
    return partial(taking_in, library)


@dataclass
class ProfileFiles:
    """Makes profile files that differ in what they say, none in how they sound."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=count)  # several threads may ask at a time

    def __call__(self, name: str = "", *, stored: bool = False, **changes: object) -> Path:
        """Write a profile file, with other things said in its profile.json; `stored` leaves it unpacked."""
        number = next(self.numbers)
        with zipfile.ZipFile(preset_path("bus-compressor")) as archive:
            entries = {each: archive.read(each) for each in archive.namelist()}
        told = json.loads(entries["profile.json"])
        told |= {"name": name or f"profile {number} {secrets.token_hex(4)}", **changes}
        entries["profile.json"] = json.dumps(told).encode()
        path = self.folder / f"{number}.tonecast"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
            for each, content in entries.items():
                archive.writestr(each, content)
        return path


@pytest.fixture(scope="session")
def profile_file(tmp_path_factory: pytest.TempPathFactory) -> ProfileFiles:
    """A function that writes profile files."""
    return ProfileFiles(tmp_path_factory.mktemp("made"))


@dataclass(frozen=True)
class Served:
    """A server that listens, and the tokens of an admin, a member, another member and a reader."""

    url: str
    library: Library
    tokens: dict[str, str]

    def http(self, who: str | None = "member", **options: object) -> httpx.Client:
        """Return a bare client of somebody."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, **options)  # type: ignore[arg-type]

    def client(self, who: str = "member") -> LibraryClient:
        """Return our own client of somebody."""
        return LibraryClient(self.url, self.tokens[who])

    def invitation(self, name: str, role: str = "member") -> str:
        """Return a one-time secret for an account, made if need be."""
        with self.http("admin") as admin:
            made = admin.post("/api/v1/accounts", json={"name": name, "role": role})
            if made.status_code == 409:
                account = next(each for each in admin.get("/api/v1/accounts").json() if each["name"] == name)
                made = admin.post(f"/api/v1/accounts/{account['id']}/invitations")
            return made.json()["secret"]

    @contextmanager
    def signed_in(self, name: str, role: str = "member") -> Iterator[httpx.Client]:
        """Yield a client that has signed in as browsers do."""
        with httpx.Client(base_url=self.url, headers={"Accept": "text/html"}, timeout=60) as client:
            link = f"{self.url}/#{self.invitation(name, role)}"
            sent = {"Sec-Fetch-Site": "same-origin"}
            reply = client.post("/sign-in", data={"link": link, "back": "/"}, headers=sent)
            assert (reply.status_code, reply.headers["location"]) == (303, "/")
            yield client


@pytest.fixture
def pages(browser: Any, listen: str) -> Iterator[Callable[..., Any]]:
    """A function that opens a URL, with a script run before the page's own.

    At the end nothing that pages wanted may have been refused, unless the test is about that.
    """
    contexts, told = [], []

    def opened(url: str, *, script: str = "", **options: object) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(listen + script)
        page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    # Nobody listens, is known, sent what can be read, has the job.
    expected = ("ScriptProcessor", "401 (Unauthorized)", "422 (Unprocessable", "404 (Not Found)")
    assert not [message for message in told if not any(word in message for word in expected)]


@pytest.fixture(scope="session")
def serving() -> Callable[[ServiceSettings], AbstractContextManager[Served]]:
    """A function that serves a library from a thread of this process, for as long as its block lasts."""
    return _serving


@contextmanager
def _serving(settings: ServiceSettings) -> Iterator[Served]:
    with opened(settings) as library, closing(Desk(library)) as desk:
        server = uvicorn.Server(uvicorn.Config(create_app(library, desk=desk), port=0, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            deadline = time.monotonic() + START_SECONDS
            while not server.started:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            yield Served(url, library, _tokens(url, library))
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the presets in it, for all tests of a module."""
    settings = ServiceSettings(data=tmp_path_factory.mktemp("served"), requests_a_minute=1_000_000)
    with _serving(settings) as served:
        add_presets(served.library)
        yield served


def _tokens(url: str, library: Library) -> dict[str, str]:
    secret = library.admin_secret()
    assert secret is not None
    tokens = {}
    with LibraryClient(url) as stranger:
        tokens["admin"] = stranger.claim(secret, "tests").secret
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {tokens['admin']}"}) as admin:
            for name, role in (("member", "member"), ("other", "member"), ("reader", "reader")):
                invited = admin.post("/api/v1/accounts", json={"name": name, "role": role}).json()
                tokens[name] = stranger.claim(invited["secret"], "tests").secret
    return tokens


class Process:
    """`tonecast serve` as a process of its own, without workers unless the options say how many."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        workers = () if "--workers" in options else ("--workers", "0")
        command = [sys.executable, "-m", "tonecast", "serve", "--json", "--port", "0", "--data", str(folder), *workers]
        command += ["--no-hear", *options]  # what hears is tested by itself, and takes the processor
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.told = json.loads(line)
        self.url = self.told["url"]

    def token(self) -> str:
        """Claim the admin's link."""
        with LibraryClient(self.url) as stranger:
            return stranger.claim(self.told["admin_link"].partition("#")[2], "tests").secret

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self._ended()

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait(START_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """A function that starts `tonecast serve`; what runs at the end is killed."""
    started: list[Process] = []

    def start(*options: str) -> Process:
        started.append(Process(tmp_path / "served", *options))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
