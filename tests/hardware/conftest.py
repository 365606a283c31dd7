"""A JACK server without a sound card, programs of other people as the gear behind it, and short things to play."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from capture.interface import find_interface, list_interfaces
from profiler.errors import GearError
from profiler.session import Wiring

PERIOD_FRAMES = 1024
RATE = 48_000
_NEEDED = {"jackd": "jackd2", "jack_thru": "jackd2", "jalv": "jalv"}
_STARTING_SECONDS = 20.0


@dataclass
class Jack:
    """A running JACK server, and the programs that were started on it."""

    name: str
    server: subprocess.Popen[bytes]
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def plug(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a program that appears as interface `name`, and return it once it is there."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        program = subprocess.Popen(command, stdin=subprocess.PIPE, **quiet)
        self.programs.append(program)
        _until(lambda: any(each.name == name for each in list_interfaces()), f"{name} does not appear on JACK")
        return program

    def plug_thru(self, name: str = "thru") -> subprocess.Popen[bytes]:
        """Plug in a cable of two channels."""
        return self.plug(name, "jack_thru", name)

    def plug_effect(self, uri: str, name: str = "amp", **controls: float) -> subprocess.Popen[bytes]:
        """Plug in an LV2 plugin whose controls stand at these values."""
        wanted = (f"{symbol}={value}" for symbol, value in controls.items())
        options = itertools.chain.from_iterable(("-c", each) for each in wanted)
        return self.plug(name, "jalv", "-x", "-n", name, *options, uri)

    def disconnect(self, port: str) -> None:
        """Take away whatever is connected to a port, as another program does that wants it for itself."""
        told = subprocess.run(["jack_lsp", "-c", port], check=True, capture_output=True, text=True)  # noqa: S607
        for line in told.stdout.splitlines():
            if line.startswith(" "):
                subprocess.run(["jack_disconnect", line.strip(), port], check=True, capture_output=True)  # noqa: S607

    def connect(self, output: str, into: str) -> None:
        """Connect two ports."""
        subprocess.run(["jack_connect", output, into], check=True, capture_output=True)  # noqa: S607

    def stall(self, program: subprocess.Popen[bytes], seconds: float) -> None:
        """Have a program miss its turns for a while, as on a machine that is busy."""
        program.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        program.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the server as a power cut does."""
        self.server.kill()
        self.server.wait()

    def close(self) -> None:
        """End all that plays on it, then the server: politely, for JACK knows eight servers and forgets none killed."""
        for program in self.programs:
            program.kill()
            program.wait()
            program.stdin.close()
        if self.server.returncode is not None:
            self.server = _start(self.name)
            time.sleep(1.0)
        self.server.terminate()
        try:
            self.server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()


@pytest.fixture
def jack(
    request: pytest.FixtureRequest, missing: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Jack]:
    """A JACK server of 48 kHz in periods of 1024 frames; tests are skipped where JACK or jalv is not installed.

    It waits for programs that are late, unless the parameter `is_patient` is false.
    """
    for program, package in _NEEDED.items():
        if shutil.which(program) is None:
            missing("jack", f"no {program} (Debian and Ubuntu: {package})")
    name = f"tonecast-{os.getpid()}"
    for variable, value in (
        ("JACK_NO_AUDIO_RESERVATION", "1"),
        ("JACK_NO_START_SERVER", "1"),
        ("JACK_DEFAULT_SERVER", name),
    ):
        monkeypatch.setenv(variable, value)
    server = _start(name, is_patient=getattr(request, "param", True))
    running = Jack(name=name, server=server)
    try:
        _until(lambda: _is_up(server), "jackd does not start: real-time priority takes root on Linux", missing)
        yield running
    finally:
        running.close()


@pytest.fixture
def wired() -> Callable[..., Wiring]:
    """A function that returns the wiring of an interface by its name."""

    def found(name: str, **more: object) -> Wiring:
        interface = find_interface(name)
        return Wiring(output=interface.name, input=interface.name, host=interface.host, **more)

    return found


@pytest.fixture(scope="session")
def command() -> list[str]:
    """How `tonecast` is started as a process of its own."""
    return [sys.executable, "-m", "tonecast"]


def _start(name: str, *, is_patient: bool = True) -> subprocess.Popen[bytes]:
    # Synchronous: a program that is late then delays the server, which on a busy machine else goes on without it.
    mode = ["-S"] if is_patient else []
    command = ["jackd", "-n", name, "-R", "-P", "70", *mode, "-d", "dummy", "-r", str(RATE), "-p", str(PERIOD_FRAMES)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _is_up(server: subprocess.Popen[bytes]) -> bool:
    if server.poll() is not None:
        raise GearError("jackd ended at once")
    return any(each.host.startswith("JACK") for each in list_interfaces())


def _until(
    holds: Callable[[], bool], otherwise: str, missing: Callable[[str, str], None] = lambda _, why: pytest.fail(why)
) -> None:
    end = time.monotonic() + _STARTING_SECONDS
    while time.monotonic() < end:
        try:
            if holds():
                return
        except GearError as error:
            otherwise = f"{otherwise}: {error}"
            break
        time.sleep(0.1)
    missing("jack", otherwise)
