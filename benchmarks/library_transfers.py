"""200 uploads and 200 downloads of a megabyte at a time: does any fail, is any mixed up with another?

    python benchmarks/library_transfers.py --work DIR [--database postgresql://...] [--transfers 200] [--megabytes 1]
                                           [--json OUT]

Each client has a connection of its own and a profile of its own, which no other client has; all begin at once. First
all upload, then all download what another uploaded, then half of them upload anew while the others download. What comes
back is compared with what was sent by its SHA-256. The library must be empty, or filled by this program before. Results
are added to those in OUT.
"""

import asyncio
import hashlib
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from http_clients import Asked, Client, Server, Times, admin_token, own_megabytes, serving
from library_options import library_parser
from made_profiles import write_profile

_BINARY = {"Content-Type": "application/octet-stream"}
_PATIENCE_SECONDS = 900


@dataclass(kw_only=True)
class Round:
    """What became of transfers that began together."""

    times: Times = field(default_factory=Times)
    bytes: int = 0
    failed: list[str] = field(default_factory=list)
    mixed_up: list[str] = field(default_factory=list)

    def told(self, seconds: float) -> dict[str, Any]:
        """Return it summed up."""
        counted = {"failed": len(self.failed), "mixed up": len(self.mixed_up)}
        return {**self.times.told(seconds), **counted, "MB a second": round(self.bytes / seconds / 1e6, 1)}


class Transfers:
    """Clients of a server, and which entry has which of the files."""

    def __init__(self, server: Server, token: str) -> None:
        self._server, self._token = server, token
        self.entries: dict[str, int] = {}

    async def _asked(self, done: Round, asked: Asked, expected: tuple[int, ...]) -> tuple[dict[str, str], bytes] | None:
        begun = time.perf_counter()
        try:
            async with Client(self._server.port, self._token) as client, asyncio.timeout(_PATIENCE_SECONDS):
                status, headers, body = await client.ask(asked)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            done.failed.append(f"{asked.kind}: {error!r}")
            return None
        done.times.add(time.perf_counter() - begun)
        if status not in expected:
            done.failed.append(f"{asked.kind}: {status} {body[:200]!r}")
            return None
        return headers, body

    async def upload(self, done: Round, path: Path) -> None:
        """Send a file, and see that the entry is of it."""
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        asked = Asked(kind="upload", path="/api/v1/profiles", method="POST", body=content, headers=_BINARY)
        if (reply := await self._asked(done, asked, (200, 201))) is not None:
            entry = json.loads(reply[1])
            done.bytes += len(content)
            if entry["version"]["sha256"] != sha256 or entry["name"] != f"Made up {int(path.stem)}":
                done.mixed_up.append(f"{path.name} became {entry['name']}")
            self.entries[sha256] = entry["id"]

    async def download(self, done: Round, sha256: str) -> None:
        """Fetch a file, and see that it is the one."""
        asked = Asked(kind="download", path=f"/api/v1/profiles/{self.entries[sha256]}/file")
        if (reply := await self._asked(done, asked, (200,))) is not None:
            headers, body = reply
            done.bytes += len(body)
            if hashlib.sha256(body).hexdigest() != sha256 or headers["etag"] != f'"{sha256}"':
                done.mixed_up.append(f"profile {self.entries[sha256]}")


async def rounds(transfers: Transfers, paths: list[Path], more: list[Path]) -> dict[str, dict[str, Any]]:
    """Return what became of all rounds."""
    found: dict[str, dict[str, Any]] = {}

    async def one(name: str, ups: list[Path], downs: list[str]) -> None:
        done, begun = {"up": Round(), "down": Round()}, time.perf_counter()
        await asyncio.gather(
            *(transfers.upload(done["up"], path) for path in ups),
            *(transfers.download(done["down"], sha256) for sha256 in downs),
        )
        seconds = time.perf_counter() - begun
        for way, told in done.items():
            if told.times or told.failed:
                found[f"{name}, {way}"] = told.told(seconds)
                print(
                    f"{name + ', ' + way:28}"
                    + "  ".join(f"{each} {value:g}" for each, value in told.told(seconds).items())
                )
            for mistake in [*told.failed, *told.mixed_up][:5]:
                print("   ", mistake)

    await one(f"{len(paths)} uploads", paths, [])
    known = list(transfers.entries)
    await one(f"{len(known)} downloads", [], known[1:] + known[:1])
    await one(f"{len(more)} uploads with as many downloads", more, known[: len(more)])
    return found


def main() -> int:
    """Make the files, transfer them, and print the table."""
    options = library_parser(__doc__, transfers=200, megabytes=1.0).parse_args()
    folder = options.work / "profiles"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04}.tonecast" for number in range(options.transfers * 3 // 2)]
    for number, path in enumerate(paths):
        if not path.exists():
            write_profile(path, number, size_bytes=int(options.megabytes * (1 << 20)))
    with serving(options.work / "library", "--no-hear", "--workers", "0", database=options.database) as server:
        transfers = Transfers(server, admin_token(server, options.work, "transfers"))
        found = asyncio.run(rounds(transfers, paths[: options.transfers], paths[options.transfers :]))
        memory = own_megabytes(server.process)
    print(f"server's memory at the end {memory:.0f} MB")
    if options.json:
        told = json.loads(options.json.read_text()) if options.json.exists() else {}
        told["PostgreSQL" if options.database else "SQLite"] = {**found, "server's memory at the end MB": round(memory)}
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    return 1 if any(each["failed"] or each["mixed up"] for each in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
