"""Libraries of released Tonecasts are opened by this one: their own dumps, brought up to date on either database.

`released/` has them by revision: SQLite's file, and what `pg_dump --no-owner --no-privileges --inserts` told. What they
hold, the Tonecast of then was asked for: people, a token, profiles with versions, tags, favourites, a collection; from
0002 on sounds and labels, from 0003 on a job that waits, and from 0004 on one that runs, with a checkpoint.
"""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.library import opened
from api.settings import ServiceSettings
from api.store import dump, jobs, people, soundness
from api.store.checkpoints import checkpoint_of
from api.store.database import Database
from api.store.migrations import newest_revision, upgrade
from api.store.search import Search, found
from api.store.tables import metadata

RELEASED = Path(__file__).parent / "released"
TOKENS = {
    "0001": "tct_X_6Y4xOX1XZxb2bTOmCqKo00v7IfSd_Tw8Y786So2zQ",
    "0002": "tct_mHkzCVRDg8Lohtr2jwBbt7c4uJFAhKC1yCIfG5JhaXo",
    "0003": "tct_2v10cpB-6lhA_6tQ9NuCSH0lC1z7YtjfDomJArPFnk4",
    "0004": "tct_b8MdY0Xl99jASP3ZDRO2sFmSIcjZkN5dLWPjjPpbW40",
    "0005": "tct_evUdHnt0LRswXJMOFp9yEDFCL9-uhHfamArtatKxQF4",
}
"""What opens each, as they were made for these tests and nothing else."""


@pytest.fixture(params=sorted(TOKENS))
def revision(request: pytest.FixtureRequest) -> str:
    """A revision that was released."""
    return request.param


@pytest.fixture
def released(settings: ServiceSettings, revision: str) -> ServiceSettings:
    """A library as that Tonecast left it, on either database."""
    settings.data.mkdir()
    if settings.database is None:
        (settings.data / "library.db").write_bytes(gzip.decompress((RELEASED / f"{revision}.db.gz").read_bytes()))
    else:
        with psycopg.connect(settings.database, autocommit=True) as connection:
            connection.execute((RELEASED / f"{revision}.sql").read_text())
    return settings


def rows_of(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return all rows by table."""
    with database.snapshot() as connection:
        return {name: [dict(row) for row in rows] for name, rows in dump.all_rows(connection)}


def test_every_row_is_brought_along(
    released: ServiceSettings, revision: str, profile_file: Callable, taking_in: Callable
):
    """Whatever was in a table is there, as it was; the search finds it, its token opens, new rows are numbered on."""
    database = Database(released.database_url)
    with database.reading() as connection:
        assert dump.revision_of(connection) == revision
    before = rows_of(database)
    assert (len(before["entries"]), len(before["versions"]), len(before["tokens"])) == (2, 3, 1)
    assert revision == "0001" or (before["sounds"] and before["tag_labels"])
    upgrade(database)
    after = rows_of(database)
    assert before.keys() <= after.keys() <= {table.name for table in metadata.sorted_tables}
    for name, rows in before.items():
        kept = [{key: row[key] for key in old} for old, row in zip(rows, after[name], strict=True)]
        assert kept == rows, name
    with database.reading() as connection:
        assert dump.revision_of(connection) == newest_revision()
        assert list(soundness.wrong_rows(connection)) == []
        if revision >= "0003":
            assert jobs.count_states(connection)["queued"] == 1
        if revision >= "0004":
            (running,) = [each for each in jobs.unfinished_jobs(connection) if each.kind == "train"]
            assert checkpoint_of(connection, running.id) == (64 * "c", 12_345)
        assert people.opened_by(connection, TOKENS[revision]) is not None
        (entry,) = found(connection, Search(query="unusual", tags=("crunch",)), asked_by=None).data
        assert (entry.name, entry.version.number, entry.downloads) == ("Plexi", 2, 0)
    database.close()
    with opened(released) as library:
        added = taking_in(library, profile_file("later"))
    assert added.is_new
    assert added.entry_id not in {row["id"] for row in before["entries"]}
