"""How fast a library of 100,000 profiles is searched, on SQLite and on PostgreSQL.

    python benchmarks/library_search.py --work DIR [--database postgresql://...] [--entries 100000] [--clients 50]
                                        [--rate 40] [--seconds 20] [--parts store,start,http] [--json OUT]

Entries and their sounds are made up (made_library.py). Each kind of question is asked by one caller over and over,
straight from the store. Then `--clients` clients ask a server over HTTP: for text and tags, for what sounds like
descriptors, and for the page that people see; first all together `--rate` times a second, each at random moments, then
as fast as they are answered. PostgreSQL's database must be empty, or filled by this program before; results are added
to those in OUT.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from http_clients import Asked, Client, Server, Times, asked, own_megabytes, processor_seconds, serving
from library_options import library_parser
from made_library import MAKES, NOUNS, SETTINGS, TAGS, WORDS, add_sounds, described_at, fill, places
from numpy.typing import NDArray

from api.people import NewToken
from api.settings import ServiceSettings
from api.store.database import Database
from api.store.migrations import upgrade
from api.store.people import add_token, system_account
from api.store.search import Search, found
from api.store.sounds import keep_sounds
from profiler.listening.descriptors import DESCRIPTORS_VERSION
from profiler.listening.sound_space import WIDTH

QUESTIONS: dict[str, Callable[[random.Random], Search]] = {
    "one word, of many entries": lambda dice: Search(query=dice.choice(WORDS)),
    "two words": lambda dice: Search(query=f"{dice.choice(NOUNS)} {dice.choice(WORDS)}"),
    "beginning of a word": lambda dice: Search(query=dice.choice(NOUNS)[:4]),
    "text and a tag": lambda dice: Search(query=dice.choice(NOUNS), tags=(dice.choice(TAGS),)),
    "text, tag, gear, licence": lambda dice: Search(
        query=dice.choice(WORDS), tags=(dice.choice(TAGS),), gears=("amp", "amp-cab"), licences=("cc-by",)
    ),
    "tag, best score first": lambda dice: Search(tags=(dice.choice(TAGS),), sort="score"),
    "text and score": lambda dice: Search(query=dice.choice(NOUNS), max_esr=0.005, sort="newest"),
    "make, by name": lambda dice: Search(makes=(dice.choice(MAKES),), sort="name"),
    "a rare word": lambda dice: Search(query=f"serial{dice.randrange(100_000)}"),
    "everything, page 40": lambda _: Search(page=40),
}


_NEAR = 0.15
"""How far what is asked for lies from a profile's own sound, in each direction."""

_CHANGES, _FAR = 20, 30
_GLANCE_SECONDS, _IDLE_SHARE = 1.0, 0.1


def main() -> int:
    """Fill the database, ask, and print the table."""
    numbers = {"entries": 100_000, "clients": 50, "rate": 40.0, "seconds": 20.0}
    options = library_parser(__doc__, **numbers, parts="store,start,http").parse_args()
    parts = options.parts.split(",")
    database = Database(ServiceSettings(data=options.work, database=options.database).database_url)
    upgrade(database)
    fill(database, options.entries)
    add_sounds(database)
    results: dict[str, Any] = {}
    if "store" in parts:
        for name, question in QUESTIONS.items():
            results[f"store: {name}"] = alone(database, question, options.seconds / 10)
            _tell(results)
    with database.writing() as connection:
        account = system_account(connection, "benchmark", "member")
        token = add_token(connection, account, NewToken(name="benchmark", scopes=("read",), days=1))
    database.close()
    with serving(options.work, "--no-hear", "--workers", "0", database=options.database) as server:
        for name, told in over_http(server, token.secret, options, parts):
            results[name] = told
            _tell(results)
    _keep(options.json, "SQLite" if database.is_sqlite else "PostgreSQL", results)
    return 0


def _tell(results: dict[str, Any]) -> None:
    name, told = list(results.items())[-1]
    print(f"{name:48} " + "  ".join(f"{each} {value:g}" for each, value in told.items()), flush=True)


def _keep(path: Path | None, database: str, results: dict[str, Any]) -> None:
    if path is not None:
        kept = json.loads(path.read_text()) if path.exists() else {}
        kept[database] = kept.get(database, {}) | results
        path.write_text(json.dumps(kept, indent=1) + "\n")


def alone(database: Database, ask: Callable[[random.Random], Search], seconds: float) -> dict[str, float]:
    """Return how long one caller waits, over and over."""
    dice, times, end = random.Random(1), Times(), time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        begun = time.perf_counter()
        with database.reading() as connection:
            found(connection, ask(dice), asked_by=1)
        times.add(time.perf_counter() - begun)
    return times.told()


def over_http(
    server: Server, token: str, options: argparse.Namespace, parts: list[str]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield what each kind of request takes, by name."""
    if "start" in parts:
        yield "sounds: from the start of the server on", started(server, token)
        yield "sounds: a changed profile is found", changed(server, token, options)
    if "http" in parts:
        kinds = {"text and tags": search, "sound": sound, "page": page}
        for name, ask in kinds.items():
            asked(server, token, ask, clients=2, seconds=2, pause_seconds=0)  # so that caches are as they mostly are
            for rate in (options.rate, 0.0):
                pause = options.clients / rate if rate else 0.0
                how = f"{rate:g} a second" if rate else "without pause"
                busy = processor_seconds(server.process)
                told = asked(server, token, ask, clients=options.clients, seconds=options.seconds, pause_seconds=pause)
                told["server's processor ms"] = (processor_seconds(server.process) - busy) / told["requests"] * 1000
                yield f"{name}: {options.clients} clients, {how}", told


def started(server: Server, token: str) -> dict[str, float]:
    """Return how long the index of sounds takes to be there after a start, what it takes, and what then comes first."""
    begun, busy, memory = time.perf_counter(), processor_seconds(server.process), own_megabytes(server.process)
    first = one(server, token, sound(random.Random(0)))[0]
    told = {"first answer ms": first * 1000, "memory before MB": memory}
    while processor_seconds(server.process) - busy > _IDLE_SHARE * _GLANCE_SECONDS:
        busy = processor_seconds(server.process)
        time.sleep(_GLANCE_SECONDS)
    told |= {"at rest after s": time.perf_counter() - begun, "memory at rest MB": own_megabytes(server.process)}
    return {name: round(value, 1) for name, value in told.items()}


def changed(server: Server, token: str, options: argparse.Namespace) -> dict[str, float]:
    """Return how long searches take that follow the change of a profile's sound, which each must find."""
    database, times = Database(ServiceSettings(data=options.work, database=options.database).database_url), Times()
    for number in range(_CHANGES):
        version_id = 1 + number * 97
        at = places(version_id + int(time.time() * 1000)) + _FAR
        settings = [{"fuzz": step / SETTINGS} for step in range(SETTINGS)]
        with database.writing() as connection:
            keep_sounds(connection, version_id, DESCRIPTORS_VERSION, settings, described_at(at).astype(np.float16))
        seconds, reply = one(server, token, sought(at[[3]]))
        if reply["data"][0]["entry"]["id"] != version_id:
            raise SystemExit(f"A changed sound was not found: {reply['data'][0]}")
        times.add(seconds)
    database.close()
    return times.told()


def one(server: Server, token: str, asked: Asked) -> tuple[float, Any]:
    """Return how long one request takes, and what is told."""

    async def alone() -> tuple[float, Any]:
        async with Client(server.port, token) as client:
            begun = time.perf_counter()
            status, _, body = await client.ask(asked)
            if status != 200:
                raise SystemExit(f"{asked.path}: {status} {body[:300]!r}")
            return time.perf_counter() - begun, json.loads(body)

    return asyncio.run(alone())


def search(dice: random.Random) -> Asked:
    """Return a search by words, tags and the like."""
    return Asked(kind="search", path=f"/api/v1/profiles?{_query(dice)}")


def page(dice: random.Random) -> Asked:
    """Return the same, for the page that people see."""
    return Asked(kind="page", path=f"/?{_query(dice)}")


def sound(dice: random.Random) -> Asked:
    """Return a search for what sounds much like a profile that is there."""
    rng = np.random.default_rng(dice.randrange(1 << 32))
    own = places(dice.randrange(1, 100_000))[[dice.randrange(SETTINGS)]]
    return sought(own + rng.normal(size=(1, WIDTH)).astype(np.float32) * np.float32(_NEAR))


def sought(place: NDArray[np.float32]) -> Asked:
    """Return a search for what sounds like a place of sounds, (1, WIDTH)."""
    told = {"kind": DESCRIPTORS_VERSION, "descriptors": [round(float(each), 4) for each in described_at(place)[0]]}
    body, headers = json.dumps(told).encode(), {"Content-Type": "application/json"}
    return Asked(kind="sound", path="/api/v1/search/descriptors", method="POST", body=body, headers=headers)


def _query(dice: random.Random) -> str:
    sought = asdict(dice.choice(list(QUESTIONS.values()))(dice))
    names = {"makes": "makes", "tags": "tags", "licences": "licence", "query": "query", "max_esr": "max_esr"}
    told: dict[str, Any] = {new: sought[old] for old, new in names.items() if sought[old]}
    told |= {"gears": "_".join(sought["gears"]), "sort": sought["sort"], "page": sought["page"]}
    return urlencode(told, doseq=True)


if __name__ == "__main__":
    sys.exit(main())
