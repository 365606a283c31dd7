"""Downloads of profiles are counted: each once, whatever database there is and however busy it is."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.downloads import Downloads
from api.library import Library
from api.problem import Problem
from api.settings import ServiceSettings
from api.store import entries

_PATIENCE_SECONDS = 60


def count_of(library: Library, entry_id: int) -> int:
    """Return what the row says."""
    with library.database.reading() as connection:
        return entries.one_entry(connection, entry_id, asked_by=None).downloads


@pytest.fixture
def downloads(library: Library) -> Iterator[Callable[..., Downloads]]:
    """A function that returns the downloads of one more server."""
    opened: list[Downloads] = []

    def made() -> Downloads:
        opened.append(Downloads(library.database))
        return opened[-1]

    yield made
    for each in opened:
        each.close()


def test_each_download_is_one(serving, settings: ServiceSettings, profile_file):
    """Newest or older version, by whoever asks; not what is known, the rest of a file, or its head."""
    with serving(settings) as served, served.http() as http, served.client() as client:
        first = profile_file("Ann's")
        entry = client.push(first).entry
        client.push(profile_file("later"), version_of=entry.id)
        other = client.push(profile_file("Ben's")).entry
        assert (entry.downloads, other.downloads) == (0, 0)
        newest, older = (f"/api/v1/profiles/{entry.id}/{file}" for file in ("file", "versions/1/file"))
        for path in (newest, older):
            reply = http.get(path)
            assert (reply.status_code, http.head(path).status_code) == (200, 405)
            assert http.get(path, headers={"If-None-Match": reply.headers["etag"]}).status_code == 304
            assert http.get(path, headers={"Range": "bytes=100-"}).content == reply.content
        assert http.get(newest, headers={"Range": "bytes=0-"}).status_code == 200
        assert http.get(f"/api/v1/profiles/{entry.id}/versions/3/file").status_code == 404
        served.library.storage.fetch(entry.version.sha256, entry.version.bytes, settings.scratch / "own")
        with served.signed_in("reading", "reader") as browser:
            (link, *_) = [part for part in browser.get(f"/profiles/{entry.id}").text.split('"') if "/file" in part]
            assert browser.get(link).status_code == 200
        served.library.downloads.write()
        assert (client.entry(entry.id).downloads, client.entry(other.id).downloads) == (4, 0)
        for sort in ("downloads", "downloads-all-time"):
            assert [each.id for each in client.search(sort=sort).data] == [entry.id, other.id]
        with served.signed_in("looking", "reader") as browser:
            page = browser.get("/?sort=downloads").text
            assert page.index("Ann&#39;s") < page.index("4 downloads") < page.index("Ben&#39;s")
            assert "<dt>Downloads</dt><dd>4</dd>" in browser.get(f"/profiles/{entry.id}").text


def test_only_what_went_out_whole_is_counted(downloads, library, take_in, profile_file):
    """Who goes away in the middle has downloaded nothing; who has the last byte has, whatever follows."""
    entry_id, counting = take_in(profile_file()).entry_id, downloads()
    for taken, expected in ((1, 0), (2, 0), (3, 1)):
        pieces = counting.counted(entry_id, [b"12345", b"67890", b"1"], 11)
        assert len([next(pieces) for _ in range(taken)]) == taken
        counting.write()
        assert count_of(library, entry_id) == expected
    assert list(counting.counted(entry_id, [b"1234"], 11)) == [b"1234"]  # cut off in the storage
    counting.write()
    assert count_of(library, entry_id) == 1


def test_servers_count_together(downloads, library, take_in, profile_file, caller_of):
    """Of two servers with many threads each no count is lost, and what was removed meanwhile stops nobody."""
    ids = [take_in(profile_file()).entry_id for _ in range(3)]
    servers = [downloads(), downloads()]
    library.remove(ids[1], caller_of("ann"))

    def busy(counting: Downloads, order: list[int]) -> None:
        for _ in range(20):
            for entry_id in order:
                counting.add(entry_id)
            counting.write()

    threads = [
        threading.Thread(target=busy, args=(each, order)) for each in servers for order in (ids, ids[::-1], ids[1:])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE_SECONDS)
    assert [count_of(library, ids[0]), count_of(library, ids[2])] == [80, 120]


def test_a_busy_database_delays_counts_alone(
    serving, new_settings, monkeypatch: pytest.MonkeyPatch, profile_file, tmp_path: Path
):
    """While somebody else writes for long, files are downloaded; the counts are written when that ends."""
    monkeypatch.setattr("api.store.database._BUSY_SECONDS", 0.05)
    monkeypatch.setattr("api.downloads._WRITE_SECONDS", 0.05)
    settings, failed = new_settings("sqlite", tmp_path / "library"), threading.Event()

    class Watched(Downloads):
        def write(self) -> None:
            try:
                super().write()
            except Problem:
                failed.set()
                raise

    monkeypatch.setattr("api.library.Downloads", Watched)
    with serving(settings) as served, served.client() as client:
        entry = client.push(profile_file()).entry
        with closing(sqlite3.connect(settings.data / "library.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for number in range(3):
                client.pull(entry, tmp_path / f"{number}.tonecast")
            assert failed.wait(_PATIENCE_SECONDS)
            assert client.entry(entry.id).downloads == 0
            other.execute("ROLLBACK")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while client.entry(entry.id).downloads != 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
