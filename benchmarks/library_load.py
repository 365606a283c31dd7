"""Half an hour of everything at once: does a library's memory stay as it is, does anything fail, what does it take?

    python benchmarks/library_load.py --work DIR [--database postgresql://...] [--minutes 30] [--busy 1]
                                      [--entries 2000] [--json OUT]

A server with a worker, on a library of made-up entries (made_library.py) and what ships. Clients search, look at the
page, search by descriptors and by recordings, upload, download, listen, remove, have recordings rendered, and watch
jobs, of whom some go away in the middle; each at random moments, `--busy` times as often as in `_EACH`. Meanwhile the
memory of all processes is noted. What was measured is kept in OUT every minute: a run that was stopped goes on where it
was, with a new server.
"""

import asyncio
import contextlib
import hashlib
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import library_search
import numpy as np
from http_clients import Asked, Client, Server, Times, admin_token, serving
from library_options import library_parser
from made_library import add_sounds, fill
from made_profiles import write_profile
from process_memory import growth, memory_by_role

from api.settings import ServiceSettings
from api.store.database import Database
from api.store.migrations import upgrade
from profiler.audio import Audio
from profiler.audio_file import write_audio
from profiler.programme import programme

_EACH = {
    "search": 0.5,
    "page": 2.0,
    "descriptors": 1.0,
    "download": 2.0,
    "listen": 10.0,
    "upload": 20.0,
    "recording": 60.0,
    "render": 45.0,
}
"""How many seconds lie between two of a kind, on average."""

_LOOK_SECONDS, _KEEP_SECONDS = 5.0, 60.0
_KEPT_PROFILES = 30
_WARM_SHARE = 1 / 3
_RATE = 48_000
_BINARY = {"Content-Type": "application/octet-stream"}


@dataclass(kw_only=True)
class Kept:
    """What was measured, of all runs together."""

    path: Path
    seconds: float = 0.0
    runs: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[str, dict[str, int]] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> "Kept":
        """Return what is there already."""
        told = json.loads(path.read_text()) if path.exists() else {}
        return cls(path=path, **{name: told[name] for name in ("seconds", "runs", "statuses", "times") if name in told})

    def answered(self, kind: str, status: str, seconds: float) -> None:
        """Note a reply."""
        by_status = self.statuses.setdefault(kind, {})
        by_status[status] = by_status.get(status, 0) + 1
        self.times.setdefault(kind, []).append(round(seconds, 4))

    def keep(self) -> None:
        """Write all of it, and what it comes to."""
        told = {"told": self.told(), **{name: getattr(self, name) for name in ("seconds", "runs", "statuses", "times")}}
        half = self.path.with_suffix(".half")
        half.write_text(json.dumps(told) + "\n")
        half.replace(self.path)

    def told(self) -> dict[str, Any]:
        """Return replies by kind and status, how long they took, and how memory grew in the longest run."""
        found: dict[str, Any] = {"minutes": round(self.seconds / 60, 1), "statuses": self.statuses, "times": {}}
        for kind, all_times in self.times.items():
            times = Times()
            for each in all_times:
                times.add(each)
            found["times"][kind] = times.told()
        run = max(self.runs, key=lambda each: len(each["at"]), default=None)
        if run is not None and run["at"]:
            start = run["at"][-1] * _WARM_SHARE
            warm = [number for number, at in enumerate(run["at"]) if at >= start]
            found["memory"] = {
                f"{role}, {kind}": growth(
                    [run["at"][number] for number in warm],
                    [run["memory"][number].get(role, {}).get(kind, 0.0) for number in warm],
                )
                for role in ("server", "worker", "auditioners")
                for kind in ("resident", "anonymous")
            }
            found["most MB at a time"] = round(
                max(sum(role["resident"] for role in each.values()) for each in run["memory"]), 1
            )
        return found


class Load:
    """All clients of one run."""

    def __init__(self, server: Server, token: str, work: Path, kept: Kept, *, busy: float) -> None:
        self._server, self._token, self._work, self._kept, self._busy = server, token, work, kept, busy
        self._mine: list[tuple[int, str]] = []
        self._number = int(time.time() * 10)
        self._watchers: set[asyncio.Task[None]] = set()
        self.mistakes: list[str] = []

    async def go(self, seconds: float) -> None:
        """Do everything for so long."""
        kinds = {name: getattr(self, f"_{name}") for name in _EACH}
        tasks = [asyncio.create_task(self._over_and_over(name, do)) for name, do in kinds.items()]
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in [*tasks, *self._watchers]:
            task.cancel()
        for ended in await asyncio.gather(*tasks, *self._watchers, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    async def _over_and_over(self, kind: str, do: Callable[[random.Random], Awaitable[None]]) -> None:
        dice = random.Random(kind)
        while True:
            await asyncio.sleep(dice.expovariate(self._busy / _EACH[kind]))
            await do(dice)

    async def _ask(self, asked: Asked, expected: tuple[int, ...] = (200,)) -> tuple[int, bytes]:
        """Ask on a connection of its own, as browsers and scripts do that come and go."""
        begun = time.perf_counter()
        try:
            # Not wait_for: in Python 3.11 it loses the word that it is to end, now and then.
            async with Client(self._server.port, self._token) as client, asyncio.timeout(120):
                status, _, body = await client.ask(asked)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self._kept.answered(asked.kind, type(error).__name__, time.perf_counter() - begun)
            return 0, b""
        self._kept.answered(asked.kind, str(status), time.perf_counter() - begun)
        if status not in expected:
            self.mistakes.append(f"{asked.kind}: {status} {body[:200]!r}")
        return status, body

    async def _search(self, dice: random.Random) -> None:
        await self._ask(library_search.search(dice))

    async def _page(self, dice: random.Random) -> None:
        await self._ask(library_search.page(dice))

    async def _descriptors(self, dice: random.Random) -> None:
        await self._ask(library_search.sound(dice))

    async def _upload(self, dice: random.Random) -> None:
        self._number += 1
        path = self._work / "upload.tonecast"
        write_profile(path, self._number, size_bytes=dice.randrange(100_000, 1_000_000))
        content = path.read_bytes()
        where = f"/api/v1/profiles?tags=load&about=serial{self._number}"
        status, body = await self._ask(
            Asked(kind="upload", path=where, method="POST", body=content, headers=_BINARY), (201,)
        )
        if status == 201:
            self._mine.append((json.loads(body)["id"], hashlib.sha256(content).hexdigest()))
        if len(self._mine) > _KEPT_PROFILES:
            entry_id, _ = self._mine.pop(0)
            await self._ask(Asked(kind="remove", path=f"/api/v1/profiles/{entry_id}", method="DELETE"), (204,))

    async def _download(self, dice: random.Random) -> None:
        if self._mine:
            entry_id, sha256 = dice.choice(self._mine)
            status, body = await self._ask(Asked(kind="download", path=f"/api/v1/profiles/{entry_id}/file"), (200, 404))
            if status == 200 and hashlib.sha256(body).hexdigest() != sha256:
                self.mistakes.append(f"download: profile {entry_id} is another file")

    async def _listen(self, dice: random.Random) -> None:
        if self._mine:
            entry_id, _ = dice.choice(self._mine)
            track, at = dice.choice(("lead", "bass", "drums")), round(dice.uniform(-36, 0), 2)
            where = f"/api/v1/profiles/{entry_id}/sound?track={track}&set=threshold_db={at}"
            await self._ask(Asked(kind="listen", path=where), (200, 404))

    async def _recording(self, dice: random.Random) -> None:
        body = _recording(self._work, dice.randrange(1_000), seconds=6)
        await self._ask(Asked(kind="recording", path="/api/v1/search/sound", method="POST", body=body, headers=_BINARY))

    async def _render(self, dice: random.Random) -> None:
        if not self._mine:
            return
        entry_id, _ = self._mine[-1]
        body = _recording(self._work, dice.randrange(1_000), seconds=8)
        where = f"/api/v1/jobs/render?profile_id={entry_id}"
        status, reply = await self._ask(
            Asked(kind="render", path=where, method="POST", body=body, headers=_BINARY), (201,)
        )
        if status == 201:
            job_id = json.loads(reply)["id"]
            for leaves_after in (None, dice.uniform(0.1, 2.0), dice.uniform(0.1, 5.0)):
                task = asyncio.create_task(self._watch(job_id, leaves_after))
                self._watchers.add(task)
                task.add_done_callback(self._watchers.discard)

    async def _watch(self, job_id: str, leaves_after: float | None) -> None:
        """Listen to a job's events: to its end, then fetch what came of it and remove it; or go away before."""
        begun, state = time.perf_counter(), ""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        head = f"GET /api/v1/jobs/{job_id}/events HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {self._token}\r\n\r\n"
        writer.write(head.encode())
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(leaves_after or 180):
                async for line in reader:
                    if line.startswith(b"data: "):
                        state = json.loads(line[6:])["state"]
                    if state in ("succeeded", "failed", "cancelled"):
                        break
        writer.close()
        if leaves_after is not None:
            self._kept.answered("events, left early", "left", time.perf_counter() - begun)
            return
        self._kept.answered("events, to the end", state, time.perf_counter() - begun)
        await self._ask(Asked(kind="result", path=f"/api/v1/jobs/{job_id}/result"))
        await self._ask(Asked(kind="remove job", path=f"/api/v1/jobs/{job_id}", method="DELETE"), (204,))


def _recording(work: Path, number: int, *, seconds: int) -> bytes:
    """Return a recording as a file's bytes."""
    path = work / "recording.flac"
    samples = programme(number, sample_rate=_RATE, frames=seconds * _RATE)
    write_audio(path, Audio(samples=(samples / max(float(np.abs(samples).max()), 1e-9) * 0.5)[None], sample_rate=_RATE))
    return path.read_bytes()


async def _noted(load: Load, server: Server, kept: Kept, seconds: float) -> None:
    """Have clients at it, and note memory beside them."""
    run: dict[str, Any] = {"at": [], "memory": []}
    kept.runs.append(run)
    begun = noted = saved = time.monotonic()
    going = asyncio.create_task(load.go(seconds))
    while not going.done():
        await asyncio.wait([going], timeout=_LOOK_SECONDS)
        now = time.monotonic()
        run["at"].append(round(now - begun, 1))
        run["memory"].append(await asyncio.to_thread(memory_by_role, server.process))
        kept.seconds, noted = kept.seconds + now - noted, now
        if now - saved > _KEEP_SECONDS or going.done():
            kept.keep()
            saved = now
    await going


def main() -> int:
    """Fill the library, have everything done for so many minutes, and print what it came to."""
    options = library_parser(__doc__, minutes=30.0, busy=1.0, entries=2_000).parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    folder = options.work / "library"
    database = Database(ServiceSettings(data=folder, database=options.database).database_url)
    upgrade(database)
    fill(database, options.entries)
    add_sounds(database)
    database.close()
    kept = Kept.of(options.json or options.work / "load.json")
    mistakes: list[str] = []
    while (left := options.minutes * 60 - kept.seconds) > _LOOK_SECONDS:
        with serving(folder, "--workers", "1", database=options.database) as server:
            token = admin_token(server, options.work, "load")
            load = Load(server, token, options.work, kept, busy=options.busy)
            try:
                asyncio.run(_noted(load, server, kept, left))
            finally:
                mistakes += load.mistakes
    _print(kept.told(), mistakes)
    return 1 if mistakes else 0


def _print(told: Mapping[str, Any], mistakes: list[str]) -> None:
    for kind, times in told["times"].items():
        print(f"{kind:20} {told['statuses'][kind]}  " + "  ".join(f"{name} {value:g}" for name, value in times.items()))
    for name, grown in told.get("memory", {}).items():
        print(f"{name:24} " + "  ".join(f"{each} {value:g}" for each, value in grown.items()))
    print(
        f"{told['minutes']} minutes; most at a time {told.get('most MB at a time', 0):g} MB; {len(mistakes)} mistakes"
    )
    for mistake in mistakes[:20]:
        print(mistake)


if __name__ == "__main__":
    sys.exit(main())
