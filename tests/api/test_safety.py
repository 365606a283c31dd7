"""Strangers, hostile uploads, other people's things: nothing gets in, nothing crashes, each is a proper 4xx."""

import io
import json
import socket
import struct
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from api.client import LibraryClient
from api.people import NewToken
from api.settings import ServiceSettings
from api.store import people
from api.store.tables import tokens
from profiler.presets import preset_path

FILE = {"Content-Type": "application/octet-stream"}
HOSTILE = [
    "'; DROP TABLE entries; --",
    '" OR 1=1',
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "%00%2e%2e%2f",
    "\u202eevil",
    "{{7*7}}",
    "a" * 100_000,
    "\x00",
    "\x1b[2J",
    "\ud83d",
]


def raw(served, head: str, body: bytes = b"", *, seconds: float = 10.0) -> bytes:
    """Return what a server answers to bytes, without waiting for more than it says."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        return connection.recv(65536)


def test_a_stranger_is_answered_before_the_body(served):
    """The answer is 401 though not a byte of the declared body was sent, whatever the path."""
    for path in ("/api/v1/profiles", "/api/v1/accounts", "/nothing", "/api/v1/profiles/1/versions"):
        head = f"POST {path} HTTP/1.1\nHost: x\nContent-Length: 1000\nContent-Type: application/octet-stream"
        assert raw(served, head).startswith(b"HTTP/1.1 401 ")
    waiting = "POST /api/v1/profiles HTTP/1.1\nHost: x\nContent-Length: 1000\nExpect: 100-continue"
    assert raw(served, waiting).startswith(b"HTTP/1.1 401 ")


def test_every_path_wants_a_token(served):
    """All that the OpenAPI page lists but what is public by name answers 401 to a stranger."""
    page = httpx.get(f"{served.url}/openapi.json").json()
    public = {"/health", "/ready", "/api/v1/claim"}
    with served.http(None) as stranger:
        for path, operations in page["paths"].items():
            for method in operations:
                reply = stranger.request(method, path.replace("{", "").replace("}", ""))
                assert (reply.status_code == 401) == (path not in public), (method, path)
        assert stranger.get("/docs").status_code == 401


@pytest.mark.parametrize("length", ["10737418240", "99999999999999999999999", "-1", "1e9"])
def test_declared_lengths_are_looked_at_first(served, length):
    """Ten declared gigabytes, and what is no length, are refused without waiting for a byte of them."""
    head = f"POST /api/v1/profiles HTTP/1.1\nHost: x\nAuthorization: Bearer {served.tokens['member']}\n"
    head += f"Content-Type: application/octet-stream\nContent-Length: {length}"
    answer = raw(served, head)
    assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))
    assert not list((served.library.settings.scratch).iterdir())


def test_bodies_without_a_length_are_measured(serving, tmp_path: Path):
    """A body that goes on and on is cut off at the limit, and nothing of it is kept."""
    settings = ServiceSettings(data=tmp_path / "small", upload_limit_bytes=300_000)
    with serving(settings) as served, served.http() as member:
        for path, limit in (("/api/v1/profiles", 300_000), ("/api/v1/collections", 65_536)):
            sent = 0

            def endless():
                nonlocal sent
                while sent < 40_000_000:
                    sent += 100_000
                    yield bytes(100_000)

            try:
                reply = member.post(path, content=endless(), headers=FILE)
                assert reply.status_code == 413
                assert str(limit) in reply.json()["detail"]
            except httpx.WriteError:  # it closed the door while we were talking
                pass
            assert sent < 40_000_000
        assert not list(settings.scratch.iterdir())
        assert member.get("/api/v1/profiles").json()["total"] == 0


def test_who_stalls_is_let_go(serving, tmp_path: Path):
    """An upload that stops half-way is answered with 408, not waited for."""
    with serving(ServiceSettings(data=tmp_path / "slow", idle_seconds=1.0)) as served:
        head = f"POST /api/v1/profiles HTTP/1.1\nHost: x\nAuthorization: Bearer {served.tokens['member']}\n"
        head += "Content-Type: application/octet-stream\nContent-Length: 1000"
        began = time.monotonic()
        assert raw(served, head, b"PK", seconds=30).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 20
        assert not list(served.library.settings.scratch.iterdir())


def _zip(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def _liar() -> bytes:
    """Return a zip that declares a kilobyte and holds a hundred megabytes."""
    content = bytearray(_zip(profile_json=bytes(100 << 20), weights_safetensors=b"", golden_wav=b""))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 1024)
    return bytes(content)


DEEP = b"[" * 2_000_000
BAD_FILES = {
    "empty": b"",
    "text": b"Dear diary",
    "html": b"<html><script>alert(1)</script>",
    "half a zip": b"PK\x03\x04" + bytes(100),
    "bomb": _zip(profile_json=bytes(200 << 20), weights_safetensors=b"", golden_wav=b""),
    "liar": _liar(),
    "path escape": _zip(**{"../../../tmp/evil": b"x", "profile_json": b"{}"}),
    "deep json": _zip(profile_json=DEEP, weights_safetensors=b"", golden_wav=b""),
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_what_is_no_profile_is_refused(served, content):
    """One problem in plain words, without the server's paths in it, and nothing is kept."""
    with served.http() as member:
        before = len(list(served.library.storage.hashes()))
        reply = member.post("/api/v1/profiles", content=content, headers=FILE)
        assert reply.status_code == 422
        assert reply.headers["content-type"] == "application/problem+json"
        assert str(served.library.settings.data) not in reply.text
        assert len(list(served.library.storage.hashes())) == before
    assert not list(served.library.settings.scratch.iterdir())


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * 1_000_000},
        {"name": "a\x00b"},
        {"name": "\ud800"},
        {"name": "  "},
        {"gear": {"name": "\x1b[2J", "kind": "plugin"}},
        {"score": {"esr": 1e999, "esr_median": 1, "esr_worst": 1, "floor": None, "takes": []}},
        {"score": {"esr": -1, "esr_median": 1, "esr_worst": 1, "floor": None, "takes": []}},
        {"sample_rate": 10**12},
        {"latency_frames": 10**30},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_profiles_that_say_monstrous_things_are_refused(served, profile_file, changes):
    """The loader takes some of these; a library shows none of them."""
    content = profile_file(**{"name": "plain", **changes}).read_bytes()
    with served.http() as member:
        reply = member.post("/api/v1/profiles", content=content, headers=FILE)
    assert reply.status_code == 422, reply.text


def test_wrong_types_are_refused(served, profile_file):
    """Forms, JSON and bodies without a type are no profile files."""
    content = profile_file().read_bytes()
    with served.http() as member:
        for kind in ("application/json", "text/html", "multipart/form-data; boundary=x", ""):
            assert member.post("/api/v1/profiles", content=content, headers={"Content-Type": kind}).status_code == 415


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_do_nothing(served, text):
    """In every field that takes words: refused, or kept and given back as they were."""
    body = json.dumps({"name": text, "about": text}).encode()
    as_json = {"Content-Type": "application/json"}
    plain, known = text.encode("utf-8", "replace").decode(), preset_path("fuzz").read_bytes()
    with served.http() as member, served.http("admin") as admin:
        reply = member.post("/api/v1/collections", content=body, headers=as_json)
        assert reply.status_code in (201, 422, 413)
        if reply.status_code == 201:
            assert reply.json()["name"] == text
            assert reply.headers["content-type"] == "application/json"
        for name in (
            "query",
            "name",
            "tags",
            "makes",
            "models",
            "creators",
            "knobs",
            "gears",
            "format",
            "sort",
            "page",
        ):
            assert member.get("/api/v1/profiles", params={name: plain[:2000]}).status_code in (200, 422)
        for name in ("name", "make", "model", "maker", "tags", "about", "licence", "note", "gear"):
            reply = member.post("/api/v1/profiles", params={name: plain[:2000]}, content=known, headers=FILE)
            assert reply.status_code in (200, 422)
        for path in ("/api/v1/accounts", "/api/v1/tokens"):
            content = json.dumps({"name": text, "role": text, "scopes": [text]}).encode()
            assert admin.post(path, content=content, headers=as_json).status_code in (422, 413)
        claim = json.dumps({"secret": text, "token_name": text}).encode()
        assert member.post("/api/v1/claim", content=claim, headers=as_json).status_code in (403, 422, 413)
        assert member.get("/api/v1/profiles").json()["total"] >= 9


def test_hostile_words_are_kept_as_words(served, profile_file):
    """SQL, HTML and paths in what is said of a profile come back as they were, are found, and name no file."""
    told = {
        "name": HOSTILE[0],
        "make": HOSTILE[2],
        "model": HOSTILE[3],
        "about": HOSTILE[6],
        "tags": [HOSTILE[1].lower()],
    }
    with served.http() as member:
        reply = member.post("/api/v1/profiles", params=told, content=profile_file().read_bytes(), headers=FILE)
        assert reply.status_code == 201
        entry = reply.json()
        assert {name: entry[name] for name in told} == told
        found = member.get(
            "/api/v1/profiles", params={"query": "drop script", "tags": told["tags"], "makes": told["make"]}
        )
        assert [each["id"] for each in found.json()["data"]] == [entry["id"]]
        file = member.get(f"/api/v1/profiles/{entry['id']}/file")
        assert file.headers["content-disposition"] == 'attachment; filename="DROP TABLE entries.tonecast"'
        assert member.delete(f"/api/v1/profiles/{entry['id']}").status_code == 204


def test_paths_lead_nowhere_else(served):
    """Ids are numbers, and files are named by their hashes: no path of a request is one of the disk."""
    paths = (
        "/api/v1/profiles/..%2f..%2fetc%2fpasswd/file",
        "/api/v1/profiles/0",
        "/api/v1/profiles/99999999999999999999",
    )
    with served.http() as member:
        for path in paths:
            assert member.get(path).status_code in (404, 422)
        for path in ("/../../etc/passwd", "//etc/passwd", "/api/v1/profiles/1/versions/999/file"):
            assert member.get(path).status_code == 404


def test_tokens_that_open_nothing(served):
    """Made-up, revoked, narrowed and misspelt tokens, and one-time secrets used as tokens."""
    with served.http() as member:
        narrow = member.post("/api/v1/tokens", json={"name": "narrow", "scopes": ["read"], "days": 1}).json()
        assert member.post("/api/v1/tokens", json={"name": "wide", "scopes": ["admin"]}).status_code == 403
    reading = {"Authorization": f"Bearer {narrow['secret']}"}
    assert httpx.get(f"{served.url}/api/v1/me", headers=reading).json()["scopes"] == ["read"]
    reply = httpx.post(f"{served.url}/api/v1/collections", headers=reading, json={"name": "no"})
    assert (reply.status_code, "takes the scope 'write'" in reply.text) == (403, True)
    more = {"name": "more", "scopes": ["read", "write"]}
    assert httpx.post(f"{served.url}/api/v1/tokens", headers=reading, json=more).status_code == 403
    with served.http() as member:
        assert member.delete(f"/api/v1/tokens/{narrow['token']['id']}").status_code == 204
    for header in (f"Bearer {narrow['secret']}", "Bearer x", "Bearer", "Basic YTpi", "Bearer tct_" + "x" * 5000, "?"):
        reply = httpx.get(f"{served.url}/api/v1/me", headers={"Authorization": header})
        assert (reply.status_code, reply.headers["www-authenticate"]) == (401, 'Bearer realm="tonecast"')


def test_others_keep_what_is_theirs(served, profile_file):
    """Another member changes, removes and revokes nothing of mine; a reader writes nothing; only admins administer."""
    with served.client() as mine:
        entry = mine.push(profile_file("Hers alone")).entry.id
    with served.http() as member:
        shelf = member.post("/api/v1/collections", json={"name": "Hers"}).json()["id"]
        token = member.get("/api/v1/tokens").json()[0]["id"]
    tries = [
        ("PATCH", f"/api/v1/profiles/{entry}", {"name": "stolen"}),
        ("DELETE", f"/api/v1/profiles/{entry}", None),
        ("DELETE", f"/api/v1/collections/{shelf}", None),
        ("PUT", f"/api/v1/collections/{shelf}/profiles/{entry}", None),
        ("DELETE", f"/api/v1/collections/{shelf}/profiles/{entry}", None),
        ("DELETE", f"/api/v1/tokens/{token}", None),
        ("GET", "/api/v1/audit", None),
        ("GET", "/api/v1/accounts", None),
        ("POST", "/api/v1/accounts", {"name": "mole", "role": "admin"}),
        ("PATCH", "/api/v1/accounts/1", {"role": "reader"}),
        ("POST", "/api/v1/accounts/1/invitations", None),
    ]
    for who in ("other", "reader"):
        with served.http(who) as thief:
            for method, path, body in tries:
                reply = thief.request(method, path, json=body)
                assert reply.status_code == (404 if "tokens" in path else 403), (who, method, path)
            content = profile_file().read_bytes()
            assert thief.post(f"/api/v1/profiles/{entry}/versions", content=content, headers=FILE).status_code == 403
    with served.http("reader") as reader:
        assert reader.post("/api/v1/profiles", content=b"x", headers=FILE).status_code == 403
        assert reader.put(f"/api/v1/favourites/{entry}").status_code == 204
        assert reader.get("/api/v1/profiles", params={"favourites": True}).json()["total"] == 1
    with served.http("other") as other, served.http("admin") as admin:
        assert other.get("/api/v1/profiles", params={"favourites": True}).json()["total"] == 0
        assert admin.delete("/api/v1/profiles/1").status_code == 409  # it ships with Tonecast
        assert admin.delete(f"/api/v1/profiles/{entry}").status_code == 204
        actions = [row["action"] for row in admin.get("/api/v1/audit").json()]
    assert actions[0] == "profile.remove"


def test_anonymous_reading_is_only_reading(serving, tmp_path: Path):
    """With --anonymous-read strangers search and download; they neither write nor have anything of their own."""
    with serving(ServiceSettings(data=tmp_path / "open", anonymous_read=True)) as served, served.http(None) as stranger:
        assert stranger.get("/api/v1/profiles").status_code == 200
        assert stranger.get("/api/v1/me").status_code == 401
        assert stranger.get("/api/v1/profiles", params={"favourites": True}).status_code == 401
        assert stranger.get("/api/v1/accounts").status_code == 403
        assert stranger.post("/api/v1/profiles", content=b"x", headers=FILE).status_code == 401
        assert stranger.delete("/api/v1/profiles/1").status_code == 401


def test_who_asks_too_often_waits(serving, tmp_path: Path):
    """Each account has its own bucket; strangers who guess tokens share that of their address."""
    with serving(ServiceSettings(data=tmp_path / "rate", requests_a_minute=20)) as served:
        with served.http() as member:
            replies = [member.get("/api/v1/me") for _ in range(25)]
        codes = [each.status_code for each in replies]
        assert codes[0] == 200
        assert codes[-1] == 429
        assert int(replies[-1].headers["retry-after"]) >= 1
        with served.http("reader") as reader:
            assert reader.get("/api/v1/me").status_code == 200
        guesses = [httpx.get(f"{served.url}/api/v1/me", headers={"Authorization": f"Bearer {n}"}) for n in range(25)]
        assert {each.status_code for each in guesses} <= {401, 429}
        assert guesses[-1].status_code == 429
        assert httpx.get(f"{served.url}/health").status_code == 200


def test_headers_and_files(served):
    """Security headers everywhere, no CORS, and a file whose ETag is its hash comes again only when it is another."""
    with served.http() as member:
        reply = member.get("/api/v1/profiles/1/file", headers={"Origin": "http://evil.example"})
        assert "access-control-allow-origin" not in reply.headers
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["content-disposition"].startswith('attachment; filename="')
        same = member.get("/api/v1/profiles/1/file", headers={"If-None-Match": reply.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        preflight = member.options("/api/v1/profiles", headers={"Access-Control-Request-Method": "POST"})
        assert preflight.status_code == 405


def test_a_damaged_file_is_told(served, profile_file, tmp_path: Path):
    """A file that rotted in storage is not given out as if it were whole."""
    with served.client() as client:
        entry = client.push(profile_file("rotten")).entry
        sha256 = entry.version.sha256
        path = served.library.settings.data / "files" / sha256[:2] / f"{sha256}.tonecast"
        whole = path.read_bytes()
        path.write_bytes(whole[:-1])
        with pytest.raises(Exception, match="not whole in the library"):
            client.pull(entry, tmp_path / "x.tonecast")
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(Exception, match="not the file that the library names"):
            client.pull(entry, tmp_path / "x.tonecast")
    assert not (tmp_path / "x.tonecast").exists()


def test_a_disabled_account_is_out_at_once(served):
    """From the next request on."""
    with served.http("admin") as admin, LibraryClient(served.url) as stranger:
        invited = admin.post("/api/v1/accounts", json={"name": "gone"}).json()
        token = stranger.claim(invited["secret"], "x").secret
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{served.url}/api/v1/me", headers=headers).status_code == 200
        account = f"/api/v1/accounts/{invited['account']['id']}"
        assert admin.patch(account, json={"is_disabled": True}).json()["is_disabled"]
        assert httpx.get(f"{served.url}/api/v1/me", headers=headers).status_code == 401


def test_an_expired_token_is_out(served):
    """A token's last second is its last."""
    with served.library.database.writing() as connection:
        made = people.add_token(connection, 1, NewToken(name="old", days=1))
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(update(tokens).where(tokens.c.id == made.token.id).values(expires_at=past))
    headers = {"Authorization": f"Bearer {made.secret}"}
    assert httpx.get(f"{served.url}/api/v1/me", headers=headers).status_code == 401
