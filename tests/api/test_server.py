"""`tonecast serve` as a process with a socket: the main path by the command line, its end, and power cuts."""

import json
import random
import socket
import threading
import time
import zipfile
from pathlib import Path

import httpx
import pytest

from api.client import LibraryClient
from api.settings import ServiceSettings
from api.storage import Storage
from api.store import entries
from api.store.database import Database
from profiler.errors import LibraryError
from profiler.presets import catalogue, preset_path
from profiler.storage import sha256_of
from tonecast.cli import run


@pytest.fixture
def ran(capsys, monkeypatch, tmp_path):
    """A function that runs a command with --json, and returns its exit code, its result and its error."""
    monkeypatch.setenv("TONECAST_CONFIG", str(tmp_path / "tokens.json"))
    for name in ("TONECAST_TOKEN", "TONECAST_SERVER"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: object) -> tuple[int, dict, str]:
        code = run([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else {}, err

    return command


def test_the_main_path(process, ran, profile_file, tmp_path: Path):
    """Start, log in, push, search, pull, push a version, pull either."""
    server = process()
    shown = {preset.title for preset in catalogue().presets}
    code, told, _ = ran("login", server.told["admin_link"])
    assert (code, told["account"], told["scopes"]) == (0, "admin", ["read", "write", "admin"])
    assert (tmp_path / "tokens.json").stat().st_mode & 0o777 == 0o600
    code, _, err = ran("login", server.told["admin_link"])
    assert (code, "unknown, used or older" in err) == (1, True)
    found = ran("search")[1]
    assert {each["name"] for each in found["data"]} == shown
    first, second, out = profile_file("Mine"), profile_file("retrained"), tmp_path / "out.tonecast"
    code, pushed, _ = ran("push", first, "--make", "Ibanez", "--tag", "Crunch", "--gear", "pedal", "--licence", "cc0")
    assert (code, pushed["is_new"], pushed["version"]["sha256"]) == (0, True, sha256_of(first))
    assert ran("push", first)[1] == {**pushed, "is_new": False}
    assert ran("push", second, "--version-of", "Mine", "--note", "longer")[1]["version"]["number"] == 2
    assert [each["name"] for each in ran("search", "iba", "crunch", "--tag", "crunch")[1]["data"]] == ["Mine"]
    assert ran("pull", "mine", "-o", out)[0] == 0
    assert out.read_bytes() == second.read_bytes()
    assert ran("pull", pushed["id"], "--version", 1, "-o", out)[0] == 0
    assert out.read_bytes() == first.read_bytes()
    assert ran("pull", "Fuzz", "-o", out)[0] == 0
    assert out.read_bytes() == preset_path("fuzz").read_bytes()


def test_who_is_invited(process, ran, profile_file):
    """An admin invites a reader, who reads; the server ends when it is told to, and starts again."""
    server = process()
    assert ran("login", server.told["admin_link"])[0] == 0
    invited = ran("invite", "ann", "--role", "reader")[1]
    assert ran("login", invited["link"])[1]["account"] == "ann"
    code, _, err = ran("push", profile_file())
    assert (code, "takes the scope 'write'" in err) == (1, True)
    assert server.stop() == 0
    assert '"event": "ended"' in server.log.read_text()
    again = process()
    assert again.told["admin_link"] is None
    found = ran("search", "mine", "--server", again.url)
    assert (found[0], "401" in found[2] or "Not known" in found[2]) == (1, True)  # the token is of another address
    again.stop()


def test_downloads_are_counted_to_the_end(process, ran, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A server that is told to end right after a download has counted it; the command line sorts by that."""
    server = process()
    token = server.token()
    with LibraryClient(server.url, token) as client:
        for name in ("Fuzz", "Fuzz", "Tube preamp"):
            client.pull(client.find(name), tmp_path / "out.tonecast")
    assert server.stop() == 0
    monkeypatch.setenv("TONECAST_TOKEN", token)
    found = ran("search", "--sort", "downloads", "--server", process().url)[1]["data"]
    assert [(each["name"], each["downloads"]) for each in found[:2]] == [("Fuzz", 2), ("Tube preamp", 1)]
    assert {each["downloads"] for each in found[2:]} == {0}


def test_the_log_is_json_with_request_ids(process):
    """Every line is an object; a request's number is in the reply, in the log, and in what it was refused with."""
    server = process()
    reply = httpx.get(f"{server.url}/api/v1/me", headers={"X-Request-ID": "my-request-1"})
    assert reply.headers["x-request-id"] == reply.json()["request_id"] == "my-request-1"
    bad = httpx.get(f"{server.url}/health", headers={"X-Request-ID": '"} {"level": "x'})
    assert len(bad.headers["x-request-id"]) == 16
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    (request,) = [line for line in lines if line.get("request_id") == "my-request-1"]
    assert (request["status"], request["path"], request["account"]) == (401, "/api/v1/me", "stranger")


def test_requests_are_finished_before_the_end(process, profile_file):
    """A server that is told to end while a file arrives takes it in first."""
    server = process()
    token, path = server.token(), profile_file("late")
    content = path.read_bytes()
    half = len(content) // 2

    def slowly():
        yield content[:half]
        server.process.terminate()
        time.sleep(0.5)
        yield content[half:]

    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
    reply = httpx.post(f"{server.url}/api/v1/profiles", content=slowly(), headers=headers, timeout=60)
    assert reply.status_code == 201
    assert server.stop() == 0


def test_a_kill_during_an_upload_leaves_nothing(process, profile_file):
    """Half a body and a kill -9: after the next start there is neither row nor file nor scratch."""
    server = process()
    token, content = server.token(), profile_file("torn", stored=True).read_bytes()
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /api/v1/profiles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        head += f"Content-Type: application/octet-stream\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content[: len(content) // 2])
        scratch = server.folder / "scratch"
        deadline = time.monotonic() + 30
        while not any(each.stat().st_size for each in scratch.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.kill()
    assert any(scratch.iterdir())
    again = process()
    assert not any(scratch.iterdir())
    with LibraryClient(again.url, token) as client:
        assert client.search("torn").total == 0
    again.stop()
    assert checked(server.folder) == len(catalogue().presets)


def test_kills_at_any_moment_leave_no_half_entry(process, profile_file):
    """Uploads from four clients, kills at random moments: rows, files and hashes agree, and what was told is there."""
    dice, token, promised = random.Random(7), None, []
    for _ in range(3):
        server, before = process(), len(promised)
        token = token or server.token()
        ended = threading.Event()
        clients = [
            threading.Thread(target=_push_on, args=(server.url, token, profile_file, ended, promised)) for _ in range(4)
        ]
        for each in clients:
            each.start()
        deadline = time.monotonic() + 60
        while len(promised) == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(dice.uniform(0.0, 1.0))
        server.kill()
        ended.set()
        for each in clients:
            each.join()
        checked(server.folder, swept=False)
    server = process()
    server.stop()
    assert len(set(promised)) == len(promised)
    assert checked(server.folder) >= len(catalogue().presets) + len(promised)
    with_hashes = {path.stem for path in (server.folder / "files").rglob("*.tonecast")}
    assert set(promised) <= with_hashes


def _push_on(url: str, token: str, profile_file, ended: threading.Event, promised: list[str]) -> None:
    with LibraryClient(url, token) as client:
        while not ended.is_set():
            try:
                promised.append(client.push(profile_file()).entry.version.sha256)
            except LibraryError:
                return


def checked(folder: Path, *, swept: bool = True) -> int:
    """Compare rows, files and hashes of a library that nobody serves, and return how many files it has."""
    settings = ServiceSettings(data=folder)
    database, storage = Database(settings.database_url), Storage(settings.storage_url)
    with database.reading() as connection:
        named = entries.all_hashes(connection)
        integrity = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        rows = connection.exec_driver_sql("SELECT count(*) FROM entries").scalar()
        words = connection.exec_driver_sql("SELECT count(*) FROM entry_words").scalar()
    database.close()
    assert (integrity, dangling) == ("ok", [])
    assert rows == words
    kept = set(storage.hashes())
    assert named == kept if swept else named <= kept
    for path in (folder / "files").rglob("*.tonecast"):
        if not path.name.startswith("."):
            assert sha256_of(path) == path.stem
            assert zipfile.is_zipfile(path)
    return len(kept)


def test_it_opens_its_page(process, monkeypatch, tmp_path: Path):
    """With --open the link is opened in the browser that this system names, as soon as the server answers."""
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    server = process("--open")
    deadline = time.monotonic() + 60
    while not opened.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert opened.read_text().strip() == server.told["admin_link"]
