"""Limits of this process on memory and files, for as long as it reads what strangers sent."""

import contextlib
from collections.abc import Iterator

__all__ = ["limited"]


@contextlib.contextmanager
def limited(*, memory_bytes: int, file_bytes: int) -> Iterator[None]:
    """Hold this process to some memory, and to files of some size, while the block lasts; on Windows, to nothing."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    before = {}
    for kind, limit in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_FSIZE, file_bytes)):
        before[kind] = resource.getrlimit(kind)
        soft, hard = before[kind]
        lowest = min(each for each in (limit, soft, hard) if each != resource.RLIM_INFINITY)
        resource.setrlimit(kind, (lowest, hard))
    try:
        yield
    finally:
        for kind, limits in before.items():
            resource.setrlimit(kind, limits)
