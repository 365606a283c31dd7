"""A process that reads one profile file that a stranger sent, with limits on memory and time, and prints its facts.

`python -m api.inspector FILE MEGABYTES SECONDS` prints `{"facts": ...}` or `{"error": ...}` as JSON and nothing else.
"""

import json
import sys
from pathlib import Path

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Limit this process, then read the file."""
    path, megabytes, seconds = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    _limit(megabytes << 20, seconds)
    # Only now: what it takes to read the file counts against the limits.
    from api.facts import FACTS, read_facts  # noqa: PLC0415
    from profiler.errors import ProfilerError  # noqa: PLC0415

    try:
        told = json.dumps({"facts": FACTS.dump_python(read_facts(path), mode="json")}, allow_nan=False)
    except ProfilerError as error:
        told = json.dumps({"error": str(error)})
    except (MemoryError, RecursionError) as error:
        told = json.dumps({"error": f"reading it takes more than a profile does ({type(error).__name__})."})
    sys.stdout.write(told)


def _limit(memory_bytes: int, seconds: int) -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows, where the parent's own deadline is all there is
    except ImportError:
        return
    for kind, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        lowest = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(kind, (lowest, lowest))


if __name__ == "__main__":
    main(sys.argv[1:])
