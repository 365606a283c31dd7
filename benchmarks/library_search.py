"""How fast a library of 100,000 profiles is searched, on SQLite and on PostgreSQL.

    python benchmarks/library_search.py --work DIR [--database postgresql://...] [--entries 100000] [--clients 50]
                                        [--rate 40] [--seconds 20] [--json OUT]

Entries are made up: names, gear and tags as frequent as they are in such libraries, a few very frequent. Each kind of
question is asked by one caller over and over, straight from the store; then `--clients` clients ask a server over HTTP,
all together `--rate` times a second. PostgreSQL's database must be empty, or filled by this program before.
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, insert, select, text

from api.facts import FACTS, read_facts
from api.people import NewToken
from api.settings import ServiceSettings
from api.store import tables
from api.store.database import Connection, Database
from api.store.entries import words_by_field
from api.store.index import add_words
from api.store.migrations import upgrade
from api.store.people import add_token, system_account
from api.store.search import Search, found
from api.store.words import folded
from api.values import Entry, Facts, Version
from profiler.presets import preset_path

MAKES = [
    f"{name} {kind}"
    for name in ["Acme", "Bolt", "Corona", "Delta", "Echo", "Fjord", "Gale"]
    for kind in ("Audio", "Amps", "FX")
]
NOUNS = [
    "Screamer",
    "Muff",
    "Driver",
    "Reverb",
    "Twin",
    "Plexi",
    "Rectifier",
    "Leveller",
    "Tape",
    "Fuzz",
    "Face",
    "Booster",
    "Preamp",
    "Channel",
    "Comp",
]
WORDS = [
    "warm",
    "bright",
    "dark",
    "vintage",
    "modern",
    "tight",
    "loose",
    "clean",
    "crunch",
    "lead",
    "rhythm",
    "bass",
    "vocal",
    "glue",
    "edge",
    "breakup",
]
TAGS = [
    "guitar",
    "bass",
    "vocals",
    "drums",
    "clean",
    "crunch",
    "high-gain",
    "metal",
    "blues",
    "jazz",
    "country",
    "pop",
    "mix-bus",
    "vintage",
    "modern",
]
GEAR = ("amp", "amp-cab", "pedal", "outboard", "cab", "experimental")
LICENCES = ("all-rights-reserved", "cc-by", "cc-by-nc", "cc0")
GRADES = ("transparent", "good", "usable", "does not match")
BATCH = 2_000

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


def main() -> int:
    """Fill the database, ask, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--database")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--rate", type=float, default=40.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    settings = ServiceSettings(data=options.work, database=options.database, requests_a_minute=10**9)
    database = Database(settings.database_url)
    upgrade(database)
    fill(database, options.entries)
    results = {}
    for name, ask in QUESTIONS.items():
        results[name] = _told(name, alone(database, ask, options.seconds / 10))
    name = f"HTTP, {options.clients} clients, {options.rate:g} a second"
    results[name] = _told(name, together(settings, database, options))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    database.close()
    return 0


def _told(name: str, times: dict[str, float]) -> dict[str, float]:
    print(
        f"{name:40} median {times['median_ms']:7.1f} ms  p99 {times['p99_ms']:7.1f} ms  of {times['count']}", flush=True
    )
    return times


def fill(database: Database, count: int) -> None:
    """Add made-up entries until there are so many."""
    facts = read_facts(preset_path("fuzz"))
    with database.reading() as connection:
        start = connection.execute(select(func.count()).select_from(tables.entries)).scalar_one()
    begun = time.perf_counter()
    for batch in _batched(start, count):
        with database.writing() as connection:
            owner = system_account(connection, "benchmark", "member")
            first = connection.execute(select(func.coalesce(func.max(tables.entries.c.id), 0))).scalar_one() + 1
            _insert(connection, [_entry(first + number, serial, facts) for number, serial in enumerate(batch)], owner)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT setval('entries_id_seq', (SELECT max(id) FROM entries))"))
            connection.execute(text("VACUUM ANALYZE"))
    if start < count:
        print(f"{count - start} entries added in {time.perf_counter() - begun:.0f} s")


def _batched(start: int, count: int) -> Iterator[range]:
    for at in range(start, count, BATCH):
        yield range(at, min(at + BATCH, count))


def _entry(entry_id: int, serial: int, facts: Facts) -> Entry:
    dice = random.Random(serial)
    esr = 10 ** dice.uniform(-4, -1)
    grade = GRADES[sum(esr > limit for limit in (0.003, 0.01, 0.035))]
    made = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=serial)
    version = Version(
        number=1,
        sha256=f"{serial:064x}",
        bytes=200_000,
        uploaded_by="benchmark",
        uploaded_at=made,
        note="",
        facts=replace(facts, esr=esr, grade=grade),
    )
    name = f"{dice.choice(NOUNS)} {dice.choice(WORDS)} {dice.choice(WORDS)}"
    return Entry(
        id=entry_id,
        name=name,
        gear=dice.choice(GEAR),
        make=MAKES[min(int(dice.expovariate(0.2)), len(MAKES) - 1)],
        model=f"{dice.choice(NOUNS)} {dice.randrange(1, 100)}",
        maker=f"maker{dice.randrange(5000)}",
        tags=tuple(sorted(set(dice.choices(TAGS, k=3)))),
        about=f"serial{serial} {' '.join(dice.choices(WORDS, k=12))}",
        licence=dice.choice(LICENCES),
        owner="benchmark",
        favourite=False,
        preset=None,
        format="tonecast",
        created_at=made,
        updated_at=made,
        version=version,
    )


def _insert(connection: Connection, made: list[Entry], owner: int) -> None:
    same = ("id", "name", "gear", "make", "model", "maker", "about", "licence", "preset", "created_at", "updated_at")
    rows = [
        {
            **{name: getattr(each, name) for name in same},
            "name_key": folded(each.name),
            "owner_id": owner,
            "esr": each.version.facts.esr,
            "newest": 1,
        }
        for each in made
    ]
    connection.execute(insert(tables.entries), rows)
    connection.execute(
        insert(tables.entry_tags), [{"entry_id": each.id, "tag": tag} for each in made for tag in each.tags]
    )
    versions = [
        {
            "entry_id": each.id,
            **{name: getattr(each.version, name) for name in ("number", "sha256", "bytes", "uploaded_at", "note")},
            "uploader_id": owner,
            "facts": FACTS.dump_python(each.version.facts, mode="json"),
        }
        for each in made
    ]
    connection.execute(insert(tables.versions), versions)
    add_words(connection, {each.id: words_by_field(each) for each in made})


def alone(database: Database, ask: Callable[[random.Random], Search], seconds: float) -> dict[str, float]:
    """Return how long one caller waits, over and over."""
    dice, times, end = random.Random(1), [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        begun = time.perf_counter()
        with database.reading() as connection:
            found(connection, ask(dice), asked_by=1)
        times.append(time.perf_counter() - begun)
    return _summed_up(times)


def together(settings: ServiceSettings, database: Database, options: argparse.Namespace) -> dict[str, float]:
    """Return how long clients wait who ask a server, each at random moments."""
    with database.writing() as connection:
        account = system_account(connection, "benchmark", "member")
        token = add_token(connection, account, NewToken(name="benchmark", scopes=("read",), days=1)).secret
    command = [sys.executable, "-m", "tonecast", "serve", "--json", "--port", "0", "--rate", "1000000000"]
    command += ["--data", str(settings.data)] + (["--database", settings.database] if settings.database else [])
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: S603
    try:
        url = json.loads(server.stdout.readline())["url"]
        return asyncio.run(_asked(url, token, options))
    finally:
        server.terminate()
        server.wait(60)


async def _asked(url: str, token: str, options: argparse.Namespace) -> dict[str, float]:
    times: list[float] = []
    headers, limits = {"Authorization": f"Bearer {token}"}, httpx.Limits(max_connections=options.clients)
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, limits=limits) as client:
        pause = options.clients / options.rate
        each = (_client(client, random.Random(n), pause, options.seconds, times) for n in range(options.clients))
        await asyncio.gather(*each)
    return _summed_up(times)


async def _client(
    client: httpx.AsyncClient, dice: random.Random, pause: float, seconds: float, times: list[float]
) -> None:
    end = time.perf_counter() + seconds
    while True:
        await asyncio.sleep(dice.expovariate(1 / pause))
        if time.perf_counter() > end:
            return
        asked = asdict(dice.choice(list(QUESTIONS.values()))(dice))
        names = {"makes": "makes", "tags": "tags", "licences": "licence", "query": "query", "max_esr": "max_esr"}
        told: dict[str, Any] = {new: asked[old] for old, new in names.items() if asked[old]}
        told |= {"gears": "_".join(asked["gears"]), "sort": asked["sort"], "page": asked["page"]}
        begun = time.perf_counter()
        reply = await client.get("/api/v1/profiles", params=told)
        reply.raise_for_status()
        times.append(time.perf_counter() - begun)


def _summed_up(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median_ms": statistics.median(ordered) * 1000,
        "p99_ms": ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)] * 1000,
        "count": len(ordered),
    }


if __name__ == "__main__":
    sys.exit(main())
