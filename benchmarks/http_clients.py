"""A server of our own, and many clients that ask it at a time.

Clients are as cheap as can be, for they have the same processors as the server: one HTTP connection each, kept open.
"""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from api.client import LibraryClient

__all__ = [
    "Asked",
    "Client",
    "Server",
    "Times",
    "admin_token",
    "asked",
    "own_megabytes",
    "processor_seconds",
    "serving",
]

_END_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that runs: where, which process it is, and the admin's one-time secret if one was made."""

    url: str
    process: int
    secret: str | None

    @property
    def port(self) -> int:
        """Where it listens on this machine."""
        return int(self.url.rpartition(":")[2])


@contextlib.contextmanager
def serving(folder: Path, *options: str, database: str | None = None) -> Iterator[Server]:
    """Serve a library by `tonecast serve` for as long as the block lasts; its log is beside the folder."""
    command = [sys.executable, "-m", "tonecast", "serve", "--json", "--port", "0", "--data", str(folder)]
    command += ["--database", database] if database else []
    command += ["--rate", "1000000000", *options]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        folder.with_suffix(".log").open("ab") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,  # noqa: S603
    ):
        try:
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"The server did not start; {log.name} says why.")
            told = json.loads(line)
            secret = (told.get("admin_link") or "").partition("#")[2] or None
            yield Server(url=told["url"], process=process.pid, secret=secret)
        finally:
            process.terminate()
            process.wait(_END_SECONDS)


def admin_token(server: Server, work: Path, name: str) -> str:
    """Return the admin's token, which the first run claims, called so, and keeps in `work`."""
    kept = work / "token"
    if server.secret is not None:
        with LibraryClient(server.url) as stranger:
            kept.write_text(stranger.claim(server.secret, name).secret)
    return kept.read_text()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request: its kind, by which it is counted, and what is sent."""

    kind: str
    path: str
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Client:
    """One connection to a server on this machine. Use it as an asynchronous context manager."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()  # at once: what is still to be sent to a busy server is not wanted any more

    async def ask(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        """Return the status, the headers and the body of the reply."""
        told = {
            "Host": "127.0.0.1",
            "Authorization": f"Bearer {self._token}",
            "Content-Length": str(len(asked.body)),
            **asked.headers,
        }
        head = f"{asked.method} {asked.path} HTTP/1.1\r\n" + "".join(
            f"{name}: {each}\r\n" for name, each in told.items()
        )
        self._writer.write(f"{head}\r\n".encode() + asked.body)
        await self._writer.drain()
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return int(status.split()[1]), headers, body


class Times:
    """How long requests took, in seconds."""

    def __init__(self) -> None:
        self._all: list[float] = []

    def __len__(self) -> int:
        return len(self._all)

    def add(self, seconds: float) -> None:
        """Add one."""
        self._all.append(seconds)

    def told(self, seconds: float | None = None) -> dict[str, float]:
        """Return them summed up, and how many there were a second if it is known in how many `seconds`."""
        ranked = sorted(self._all)
        found: dict[str, float] = {"requests": len(ranked)}
        if seconds:
            found["a second"] = len(ranked) / seconds
        for name, share in (("median ms", 0.5), ("p99 ms", 0.99), ("longest ms", 1.0)):
            found[name] = ranked[min(int(share * len(ranked)), len(ranked) - 1)] * 1000
        return {name: round(value, 1) for name, value in found.items()}


def asked(
    server: Server,
    token: str,
    ask: Callable[[random.Random], Asked],
    *,
    clients: int,
    seconds: float,
    pause_seconds: float,
) -> dict[str, float]:
    """Return how long clients wait who pause between requests, `pause_seconds` on average; with 0 they never do."""

    async def together() -> dict[str, float]:
        times, begun = Times(), time.perf_counter()

        async def one(number: int) -> None:
            dice = random.Random(number)
            async with Client(server.port, token) as client:
                while True:
                    if pause_seconds:
                        await asyncio.sleep(dice.expovariate(1 / pause_seconds))
                    sought, sent = ask(dice), time.perf_counter()
                    if sent > begun + seconds:
                        return
                    status, _, body = await client.ask(sought)
                    times.add(time.perf_counter() - sent)
                    if status != 200:
                        raise SystemExit(f"{sought.path}: {status} {body[:300]!r}")

        await asyncio.gather(*(one(number) for number in range(clients)))
        return times.told(seconds)

    return asyncio.run(together())


def own_megabytes(process: int) -> float:
    """Return how much memory of its own a process has resident: the database that it maps is not counted."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def processor_seconds(process: int) -> float:
    """Return how much of the processors a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
