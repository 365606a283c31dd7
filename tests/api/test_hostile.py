"""Every operation of the OpenAPI page, asked for with other people's ids, hostile words and wrong types."""

import contextlib
import io
import json
import logging
import re
import socket
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from api.store import tables

FILE = "application/octet-stream"
WORDS = [
    "'; DROP TABLE entries; --",
    '" OR 1=1 --',
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "\x00",
    "\ud83d",
    "\u202eevil",
    "${jndi:ldap://x}{{7*7}}{% raw %}",
    "NaN",
    "-1",
    "1e999",
    "9" * 400,
    "a" * 5_000,
]
VALUES: list[Any] = [None, True, -1, 2**31, 2**63, 1e308, "", "x", [], [[]], [None], {}, {"x": {"x": []}}]
SHARED = ("/api/v1/profiles/", "/api/v1/collections/")
"""What all members may look at, though it is somebody else's."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of the page: how it is asked for."""

    method: str
    path: str
    queries: tuple[str, ...]
    body: Mapping[str, Any] | None
    takes_file: bool

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of what stands in the path."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    def ask(
        self,
        http: httpx.Client,
        ids: Mapping[str, object],
        *,
        queries: Mapping[str, object] | None = None,
        body: object = None,
        file: bytes = b"",
    ) -> httpx.Response:
        """Ask for it. `body` stands in for that of the example."""
        path, sent = self.path.format(**ids), {}
        if self.takes_file:
            sent = {"content": file, "headers": {"Content-Type": FILE}}
        elif self.body is not None:
            text = json.dumps(self.body if body is None else body)
            sent = {"content": text, "headers": {"Content-Type": "application/json"}}
        return http.request(self.method, path, params=dict(queries or {}), **sent)


@pytest.fixture(scope="module")
def operations(served) -> tuple[Operation, ...]:
    """All operations of the page but the endless ones, of which others tell."""
    page = httpx.get(f"{served.url}/openapi.json").json()
    found = []
    for path, methods in page["paths"].items():
        for method, told in methods.items():
            content = told.get("requestBody", {}).get("content", {})
            body = None
            if "application/json" in content:
                name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
                body = page["components"]["schemas"][name]["examples"][0]
            queries = tuple(each["name"] for each in told.get("parameters", ()) if each["in"] == "query")
            found.append(
                Operation(
                    method=method.upper(),
                    path=path,
                    queries=queries,
                    body=body,
                    takes_file=bool(content) and body is None,
                )
            )
    assert len(found) > 40
    return tuple(found)


@pytest.fixture(scope="module")
def theirs(served, profile_file) -> dict[str, object]:
    """Ids of what a member has, one of each kind that stands in a path."""
    with served.client() as client, served.http() as member:
        entry = client.push(profile_file("Hers")).entry
        client.push(profile_file("Hers"), version_of=entry.id)
        job = member.post("/api/v1/jobs/train", content=_zip(), headers={"Content-Type": "application/zip"}).json()
        track = member.post("/api/v1/tracks", content=_wav(), headers={"Content-Type": "audio/wav"}).json()
        shelf = member.post("/api/v1/collections", json={"name": "Hers"}).json()
        member.put(f"/api/v1/collections/{shelf['id']}/profiles/{entry.id}")
        token = member.post("/api/v1/tokens", json={"name": "hers", "scopes": ["read"]}).json()["token"]
    with served.http("admin") as admin:
        (account,) = (each["id"] for each in admin.get("/api/v1/accounts").json() if each["name"] == "member")
    return {
        "entry_id": entry.id,
        "number": 1,
        "job_id": job["id"],
        "track_id": track["id"],
        "collection_id": shelf["id"],
        "token_id": token["id"],
        "account_id": account,
    }


@pytest.fixture
def sound(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """At the end, no request has made the server fail."""
    with caplog.at_level(logging.ERROR):
        yield
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("session.json", "{}")
    return buffer.getvalue()


def _wav() -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 48_000).astype(np.float32)
    soundfile.write(buffer, noise, 48_000, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


def held(served, theirs: Mapping[str, object]) -> dict[str, list[dict[str, Any]]]:
    """Return all rows that say something of what the member has, but when a token was used last."""
    own, entry = theirs["account_id"], theirs["entry_id"]
    of_member = {
        tables.accounts: tables.accounts.c.id == own,
        tables.entries: tables.entries.c.owner_id == own,
        tables.versions: tables.versions.c.entry_id == entry,
        tables.entry_tags: tables.entry_tags.c.entry_id == entry,
        tables.collections: tables.collections.c.owner_id == own,
        tables.collection_entries: tables.collection_entries.c.collection_id == theirs["collection_id"],
        tables.favourites: tables.favourites.c.account_id == own,
        tables.tag_labels: tables.tag_labels.c.account_id == own,
        tables.jobs: tables.jobs.c.owner_id == own,
        tables.tokens: tables.tokens.c.account_id == own,
    }
    with served.library.database.reading() as connection:
        return {
            table.name: [
                {name: value for name, value in row._mapping.items() if name != "used_at"}
                for row in connection.execute(select(table).where(where).order_by(*table.primary_key))
            ]
            for table, where in of_member.items()
        }


@pytest.mark.parametrize("who", ["other", "reader", None])
def test_others_ids_open_nothing(served, operations, theirs, sound, profile_file, who):
    """Whatever is asked for with them: what is private is not told, and not a row of theirs is another."""
    before = held(served, theirs)
    profile = profile_file("Another").read_bytes()
    with served.http(who) as http:
        for each in operations:
            if not each.ids:
                continue
            file = profile if "/profiles/" in each.path else _wav()
            reply = each.ask(http, theirs, file=file)
            shared = each.method == "GET" and each.path.startswith(SHARED)
            marks = each.path.startswith("/api/v1/favourites/")  # of one's own
            expected = {401} if who is None else {200, 204} if shared or marks else {403, 404}
            assert reply.status_code in expected, (who, each.method, each.path, reply.text)
    assert held(served, theirs) == before


def test_hostile_words_in_every_query(served, operations, theirs, sound):
    """A server that is told them refuses, or takes them for words: it does not fail, and gives nothing of its disk."""
    with served.http("other") as http:
        for each in operations:
            if each.method not in ("GET", "POST") or "/sound" in each.path or each.path.endswith("/events"):
                continue  # sounds are made by processes: test_sounds asks for a few
            for name in each.queries:
                for word in WORDS:
                    told = word.encode("utf-8", "replace").decode()
                    reply = each.ask(http, theirs, queries={name: told})
                    assert reply.status_code < 500, (each.method, each.path, name, word, reply.text)
                    assert "root:" not in reply.text


def test_hostile_words_in_every_path(served, operations, sound):
    """Ids are numbers or hashes; all else is no such thing."""
    with served.http("other") as http:
        for each in operations:
            for name in each.ids:
                for word in WORDS:
                    told = quote(word.encode("utf-8", "replace"), safe="")
                    reply = each.ask(http, {**dict.fromkeys(each.ids, 1), name: told})
                    assert reply.status_code in (403, 404, 405, 422), (each.method, each.path, word, reply.text)


def test_wrong_values_in_every_body(served, operations, theirs, sound):
    """Fields of other types, too much and too little of them, unknown ones, and bodies that are no objects."""
    with served.http("other") as http:
        for each in operations:
            if each.body is None:
                continue
            bodies = [value for value in VALUES if not isinstance(value, dict)]
            bodies += [{**each.body, "unheard_of": 1}, {**each.body, "__proto__": {}, "id": 1}]
            for name in each.body:
                bodies += [{**each.body, name: value} for value in (*VALUES, *WORDS)]
            for body in bodies:
                reply = each.ask(http, theirs, body=body if body is not None else [])
                assert reply.status_code < 500, (each.method, each.path, body, reply.text)
            for text in (b"", b"{", b"\xff\xfe", b"[" * 30_000, b'{"name": NaN}', b'{"name": 1e999}'):
                headers = {"Content-Type": "application/json"}
                path = each.path.format(**theirs)
                reply = http.request(each.method, path, content=text, headers=headers)
                assert 400 <= reply.status_code < 500, (each.path, text[:20], reply.text)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(5_000)) + b"\r\n",
        b"POST /api/v1/claim HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/claim HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST /api/v1/claim HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"POST /api/v1/claim HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=range(12),
)
def test_what_is_no_request(served, sound, sent: bytes):
    """It is refused, or its connection closed; nothing that came with it is taken for a second request."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        try:
            connection.sendall(sent)
            with contextlib.suppress(OSError):  # of a connection that was closed while we were talking there is no end
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:  # it closed the door while we were talking
            answer = b""
    statuses = re.findall(rb"^HTTP/1\.1 (\d+)", answer, re.MULTILINE)
    assert len(statuses) <= 1, answer
    assert not statuses or 400 <= int(statuses[0]) < 500, answer
    assert httpx.get(f"{served.url}/health").status_code == 200


def test_nothing_is_left_of_all_this(served, theirs):
    """No scratch file, and what was there is there: the file of each version has its hash."""
    assert not list(served.library.settings.scratch.iterdir())
    with served.client() as client:
        entry = client.search(name="Hers").data[0]
        assert entry.id == theirs["entry_id"]
        client.pull(entry, Path(served.library.settings.data) / "again.tonecast")  # which compares the hash
