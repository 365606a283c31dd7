"""What processes that touch strangers' files may use of this machine, and know of it; and which end they came to."""

import contextlib
import os
import signal
from collections.abc import Iterator

from api.problem import Problem

__all__ = ["Killed", "bare_environment", "kept_environment", "limit", "limit_data", "limited", "was_killed"]

_KEPT_VARIABLES = ("PATH", "PYTHONPATH", "SYSTEMROOT", "LANG", "LC_ALL", "TEMP", "TMP")
_SINGLE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # each thread would claim address space

_FROM_OUTSIDE = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
"""What ends a process though it does nothing wrong. Limits, and what it does itself, end it by other signals."""


class Killed(Problem):
    """A process that was ended from outside, so that nothing is known of what it was to look at."""

    def __init__(self) -> None:
        detail = (
            "The process that looked at it was killed from outside, perhaps as the machine had no memory left. "
            "That says nothing of what you sent: try again in a moment."
        )
        super().__init__(503, "Interrupted", detail, retry_after_seconds=10)


def was_killed(code: int | None) -> bool:
    """Return whether an exit code says that a process was ended from outside."""
    return code is not None and any(-code == getattr(signal, name, None) for name in _FROM_OUTSIDE)


def kept_environment(*more: str) -> dict[str, str]:
    """Return all that such a process gets of our environment, and `more`: neither database passwords nor tokens."""
    return {name: os.environ[name] for name in (*_KEPT_VARIABLES, *more) if name in os.environ}


def bare_environment() -> dict[str, str]:
    """Return the environment of a process that reads a file or plays a profile, on one thread."""
    return kept_environment() | _SINGLE


def limit(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Limit this process: its memory, libraries included, its time, and that it writes no file."""
    _limit(RLIMIT_AS=memory_bytes, RLIMIT_CPU=cpu_seconds, RLIMIT_FSIZE=0, RLIMIT_CORE=0)


def limit_data(data_bytes: int) -> None:
    """Limit this process: its memory beside what it maps of files, as torch's libraries do, and that it writes none."""
    _limit(RLIMIT_DATA=data_bytes, RLIMIT_FSIZE=0, RLIMIT_CORE=0)


@contextlib.contextmanager
def limited(*, memory_bytes: int, file_bytes: int) -> Iterator[None]:
    """Hold this process to some memory, and to files of some size, while the block lasts; on Windows, to nothing."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    before = {}
    for kind, wanted in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_FSIZE, file_bytes)):
        before[kind] = resource.getrlimit(kind)
        soft, hard = before[kind]
        lowest = min(each for each in (wanted, soft, hard) if each != resource.RLIM_INFINITY)
        resource.setrlimit(kind, (lowest, hard))
    try:
        yield
    finally:
        for kind, limits in before.items():
            resource.setrlimit(kind, limits)


def _limit(**limits: int) -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows, where the parent's own deadline is all there is
    except ImportError:
        return
    for name, wanted in limits.items():
        kind = getattr(resource, name)
        _, most = resource.getrlimit(kind)
        lowest = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        # Where both limits of time are the same, a process is killed as from outside; at the lower one by SIGXCPU.
        spare = 1 if name == "RLIMIT_CPU" and lowest != most else 0
        resource.setrlimit(kind, (lowest, lowest + spare))
