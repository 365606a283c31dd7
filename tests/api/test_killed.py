"""Processes that read and play what strangers sent, killed from outside: nobody's file is at fault for that."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.inspection import printed_by
from api.library import opened
from api.limits import Killed, was_killed
from api.listening.listening import Listening
from api.store import sounds
from profiler.listening.descriptors import DESCRIPTORS_VERSION

FILE = {"Content-Type": "application/octet-stream"}
_PATIENCE_SECONDS = 120

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")


def children_of(module: str) -> set[int]:
    """Return the processes of ours that run a module."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == os.getpid() and module.encode() in words:
            found.add(int(folder.name))
    return found


@contextmanager
def killing(module: str, number: signal.Signals = signal.SIGKILL) -> Iterator[None]:
    """Send the next process that runs a module a signal, while the block lasts."""
    before, over, hit = children_of(module), threading.Event(), threading.Event()

    def watch() -> None:
        while not over.is_set():
            for pid in children_of(module) - before:
                os.kill(pid, number)
                hit.set()
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
        assert hit.is_set()
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_upload_whose_reading_is_killed_may_be_sent_again(served, profile_file, number):
    """It is refused for now, with when to come again; nothing is left of it, and the same file is taken then."""
    content = profile_file().read_bytes()
    with served.http() as member:
        with killing("api.inspector", number):
            reply = member.post("/api/v1/profiles", content=content, headers=FILE)
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "10"), reply.text
        assert "try again" in reply.json()["detail"]
        assert not list(served.library.settings.scratch.iterdir())
        assert member.post("/api/v1/profiles", content=content, headers=FILE).status_code == 201


def test_a_recording_that_is_listened_to_may_be_sent_again(served):
    """So is a search by sound."""
    with served.http() as member, killing("api.listening.ear"):
        reply = member.post("/api/v1/search/sound", content=b"RIFF" + bytes(1000), headers=FILE)
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "10"), reply.text


def test_limits_end_a_process_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """What takes more time than it may, or crashes by itself, is at fault itself."""
    limited = "import sys, api.limits; api.limits.limit(memory_bytes=1 << 30, cpu_seconds=int(sys.argv[-1]))\n"
    (tmp_path / "spinning.py").write_text(f"{limited}while True:\n    pass\n")
    (tmp_path / "crashing.py").write_text(f"{limited}import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""), *sys.path)))
    for module, number in (("spinning", signal.SIGXCPU), ("crashing", signal.SIGABRT)):
        assert printed_by(module, megabytes=1024, seconds=1, patience=_PATIENCE_SECONDS) == b""
        code = subprocess.run([sys.executable, tmp_path / f"{module}.py", "1"], check=False, stderr=-3).returncode
        assert (code, was_killed(code)) == (-number, False)
    with killing("spinning"), pytest.raises(Killed):
        printed_by("spinning", megabytes=1024, seconds=1, patience=_PATIENCE_SECONDS)


def test_a_profile_whose_listening_is_killed_is_heard_later(settings, quick, taking_in, profile_file):
    """Once or twice says nothing; what is killed each time is left alone, so that others are heard."""
    with opened(settings) as library:
        taking_in(quick(library), profile_file())
        listening = Listening(library)

        def unheard() -> int:
            with library.database.reading() as connection:
                return sounds.counts(connection, DESCRIPTORS_VERSION).unheard

        for _ in range(2):
            with killing("api.listening.ear"), pytest.raises(Killed):
                listening.hear_next()
            assert (unheard(), list(library.settings.scratch.iterdir())) == (1, [])
        with killing("api.listening.ear"):
            assert listening.hear_next()
        assert (unheard(), listening.hear_next()) == (0, False)


@pytest.fixture
def asking(served) -> Iterator[Callable[..., Future[Any]]]:
    """A function that asks for a sound beside the test."""
    with ThreadPoolExecutor(1) as pool, served.http() as member:
        yield lambda track: pool.submit(member.get, "/api/v1/profiles/1/sound", params={"track": track})


def test_who_plays_and_is_killed_is_replaced(served, asking):
    """A sound is played by another process then; where that one is killed too, it may be asked for again."""
    served.library.auditions._seconds = 60.0
    assert asking("lead").result().status_code == 200
    (player,) = children_of("api.auditioner")
    os.kill(player, signal.SIGSTOP)
    reply = asking("bass")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while served.library.auditions._idle:  # until it is asked
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(player, signal.SIGKILL)
    assert reply.result().status_code == 200
    (player,) = children_of("api.auditioner")
    os.kill(player, signal.SIGKILL)  # as it waits
    with killing("api.auditioner"):
        reply = asking("keys").result()
    assert (reply.status_code, "retry-after" in reply.headers) == (503, True), reply.text
    assert asking("keys").result().status_code == 200
