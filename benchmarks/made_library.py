"""A made-up library: as many entries as are asked for, with names, gear and tags as frequent as in such libraries.

Few tags, makes and words are very frequent. What entries sound like is made up as well: each is heard at 17 settings
that lie about a sound of its own, as those of real profiles do. No entry has a file.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, insert, select, text

from api.facts import FACTS, read_facts
from api.store import tables
from api.store.database import Connection, Database
from api.store.entries import words_by_field
from api.store.index import add_words
from api.store.people import system_account
from api.store.sounds import note_change
from api.store.words import folded
from api.values import Entry, Facts, Version
from profiler.listening.descriptors import COUNT, DESCRIPTORS_VERSION
from profiler.listening.sound_space import WIDTH, placed
from profiler.presets import preset_path

__all__ = ["MAKES", "NOUNS", "SETTINGS", "TAGS", "WORDS", "add_sounds", "described_at", "fill", "places"]

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
SETTINGS = 17
_BYTES = 200_000
_SPREAD, _TURN = np.geomspace(2, 0.2, WIDTH), 0.7


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
        print(f"{count - start} entries added in {time.perf_counter() - begun:.0f} s", flush=True)


def add_sounds(database: Database) -> None:
    """Make up what every entry sounds like that nobody has heard."""
    begun, added = time.perf_counter(), 0
    while True:
        with database.writing() as connection:
            heard = select(tables.sounds.c.version_id)
            # Of versions of this program's own: those of profiles that ship are heard as they are.
            query = select(tables.versions.c.id).where(
                tables.versions.c.id.not_in(heard), tables.versions.c.bytes == _BYTES
            )
            ids = list(connection.execute(query.order_by(tables.versions.c.id).limit(BATCH)).scalars())
            if not ids:
                break
            change = note_change(connection)
            connection.execute(insert(tables.sounds), [_sound(each, change) for each in ids])
            added += len(ids)
    if added:
        print(f"{added} entries' sounds added in {time.perf_counter() - begun:.0f} s", flush=True)


def _sound(version_id: int, change: int) -> dict[str, object]:
    settings = [{"fuzz": round(step / SETTINGS, 4), "tone": round(1 - step / SETTINGS, 4)} for step in range(SETTINGS)]
    return {
        "version_id": version_id,
        "change": change,
        "kind": DESCRIPTORS_VERSION,
        "settings": settings,
        "descriptors": described_at(places(version_id)).astype("<f2").tobytes(),
        "problem": "",
    }


def places(number: int) -> NDArray[np.float32]:
    """Return where an entry lies in the space of sounds, (SETTINGS, WIDTH): all along some three directions."""
    rng = np.random.default_rng(number)
    turns = rng.uniform(-1, 1, (SETTINGS, 3)) @ (rng.normal(size=(3, WIDTH)) * _TURN * _SPREAD)
    return (rng.normal(size=WIDTH) * _SPREAD + turns).astype(np.float32)


def described_at(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return descriptors, (sounds, COUNT), that lie at places (sounds, WIDTH)."""
    middle, back = _way_back()
    return (middle + places @ back).astype(np.float32)


@cache
def _way_back() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return where the place of zeros is, (COUNT,), and the descriptors that one step in each direction adds."""
    origin = placed(np.zeros((1, COUNT), np.float32))
    directions = placed(np.eye(COUNT, dtype=np.float32)) - origin
    back = np.linalg.pinv(directions)
    return (-origin @ back)[0], back


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
        bytes=_BYTES,
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
        downloads=min(int(dice.paretovariate(0.5)) - 1, 1_000_000),
        preset=None,
        format="tonecast",
        created_at=made,
        updated_at=made,
        version=version,
    )


def _insert(connection: Connection, made: list[Entry], owner: int) -> None:
    same = (
        "id",
        "name",
        "gear",
        "make",
        "model",
        "maker",
        "about",
        "licence",
        "preset",
        "created_at",
        "updated_at",
        "downloads",
    )
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
