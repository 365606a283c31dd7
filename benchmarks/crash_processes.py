"""The processes of `library_crashes.py`: a server with its worker, and a worker beside it, started and killed."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

from api.client import LibraryClient
from api.settings import ServiceSettings

__all__ = ["Processes", "Started", "children", "job_processes", "serve_command"]

_READY_SECONDS = 120


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            _, _, rest = path.read_text().rpartition(") ")
            if int(rest.split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def job_processes(workers: Collection[int]) -> list[int]:
    """Return the processes that work on jobs of some workers."""
    found = []
    for pid in (each for worker in workers for each in children(worker)):
        with contextlib.suppress(OSError):
            if b"api.jobs.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def serve_command(settings: ServiceSettings, *options: str) -> list[str]:
    """Return the command of a server with these settings."""
    command = [sys.executable, "-m", "tonecast", "serve", "--json", "--no-hear", "--port", "0", "--rate", "1000000"]
    command += ["--data", str(settings.data), *options]
    return command if settings.database is None else [*command, "--database", settings.database]


class Started:
    """A process whose first line of output says that it is ready."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        with log.open("ab") as errors:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, **(environment or {})}, text=True
            )
        self._line = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def told(self) -> dict[str, str]:
        """Wait for the line, and return what it says. Raises RuntimeError where there is none in two minutes."""
        self._reader.join(_READY_SECONDS)
        if not self._line:
            raise RuntimeError(f"{self.process.args} said nothing: it ended with {self.process.poll()}")
        return json.loads(self._line)

    def runs(self) -> bool:
        """Return whether it has not ended."""
        return self.process.poll() is None

    def end(self, number: int) -> None:
        """Send it a signal and wait for its end."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        self.process.wait(_READY_SECONDS)
        self._reader.join(_READY_SECONDS)

    def _read(self) -> None:
        if self.process.stdout is not None:
            self._line = self.process.stdout.readline()


class Processes:
    """A server with its worker and another worker, which are started again when they are asked for."""

    def __init__(self, settings: ServiceSettings, work: Path) -> None:
        self._settings, self._work = settings, work
        self._running: dict[str, Started] = {}
        own_folder = settings.database is not None  # SQLite's queue is in the one folder
        self._other_folder = work / "elsewhere" if own_folder else settings.data

    def __enter__(self) -> Self:
        self.are_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start what does not run, and do not wait."""
        if not self._runs("server"):
            self._running["server"] = Started(
                serve_command(self._settings, "--workers", "1"), self._work / "server.log"
            )
        if not self._runs("other worker"):
            command = [sys.executable, "-m", "tonecast", "worker", "--json", "--data", str(self._other_folder)]
            urls = {}
            if self._settings.database is not None:
                urls = {"TONECAST_DATABASE": self._settings.database, "TONECAST_STORAGE": self._settings.storage_url}
            self._running["other worker"] = Started(command, self._work / "worker.log", urls)

    def _runs(self, name: str) -> bool:
        return name in self._running and self._running[name].runs()

    def are_ready(self) -> None:
        """Start what does not run, and wait until it is ready."""
        self.start()
        told = self._running["server"].told()
        if told["admin_link"] and not (self._work / "token").is_file():
            with LibraryClient(told["url"]) as stranger:
                secret = stranger.claim(told["admin_link"].partition("#")[2], f"crashes {secrets.token_hex(4)}").secret
            (self._work / "token").write_text(secret)
        self._running["other worker"].told()

    def url(self) -> str:
        """Return where the server is; where there is none, where it was."""
        return self._running["server"].told()["url"]

    def token(self) -> str:
        """Return an admin's token."""
        return (self._work / "token").read_text()

    def worker_pids(self) -> list[int]:
        """Return the workers that run."""
        return [*children(self._running["server"].process.pid), self._running["other worker"].process.pid]

    def jobs_folders(self) -> list[Path]:
        """Return where jobs are worked on."""
        return [folder / "jobs" for folder in dict.fromkeys((self._settings.data, self._other_folder))]

    def kill(self, victim: str) -> None:
        """Kill the server, its worker, the other worker or all of them at once, with the jobs' processes."""
        own = children(self._running["server"].process.pid)
        parts = {
            "server": [self._running["server"]],
            "worker": [],
            "other worker": [self._running["other worker"]],
            "all": [self._running["server"], self._running["other worker"]],
        }
        pids = [each.process.pid for each in parts[victim]]
        if victim in ("worker", "all"):
            pids += own
        if victim == "all":
            pids += job_processes([*own, self._running["other worker"].process.pid])
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for started in parts[victim]:
            started.end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask both to end."""
        for started in reversed(list(self._running.values())):
            if started.runs():
                started.end(signal.SIGTERM)

    def count_errors(self) -> int:
        """Return how many requests the servers failed at, which is not what they do when they die."""
        count = 0
        for line in (self._work / "server.log").read_text().splitlines():
            with contextlib.suppress(ValueError):
                count += json.loads(line).get("status") == 500
        return count
