"""A process that reads one profile file that a stranger sent, with limits on memory and time, and prints its facts.

`python -m api.inspector FILE MEGABYTES SECONDS` prints `{"facts": ...}` or `{"error": ...}` as JSON and nothing else.
"""

import json
import sys
from pathlib import Path

from api.limits import limit

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Limit this process, then read the file."""
    path, megabytes, seconds = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    limit(memory_bytes=megabytes << 20, cpu_seconds=seconds)
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


if __name__ == "__main__":
    main(sys.argv[1:])
