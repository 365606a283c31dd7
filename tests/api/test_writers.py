"""Many who write at once: each gets its turn, on SQLite too."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.people import Caller
from api.store import audit, database
from api.store.database import Database
from api.store.migrations import upgrade

_WRITERS, _ROUNDS = 16, 6


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nobody_waits_in_vain(kind, new_settings, tmp_path, monkeypatch):
    """Though together they take many times as long as one waits for a database that is busy."""
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.1)
    opened = Database(new_settings(kind, tmp_path / "library").database_url)
    upgrade(opened)
    who = Caller(account_id=None, name="ann", role="member", scopes=frozenset())

    def write(_: int) -> None:
        with opened.writing() as connection:
            audit.note(connection, who, "test.write", "nothing")
            time.sleep(0.02)

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(write, range(_WRITERS * _ROUNDS)))
    with opened.reading() as connection:
        assert len(audit.audit_rows(connection, page=1, page_size=1000)) == _WRITERS * _ROUNDS
    opened.close()
