"""A process that reads files that a stranger sent, with limits on memory and time, and prints what they are.

`python -m api.inspector profile FILE MEGABYTES SECONDS` prints `{"facts": ...}` or `{"error": ...}` as JSON and nothing
else, `python -m api.inspector responses FILE... MEGABYTES SECONDS` of impulse responses `{"heard": ...}`, how many they
are, or `{"error": ..., "number": ...}` of the first that is none.
"""

import json
import sys
from pathlib import Path
from typing import Any

from api.limits import limit

__all__ = ["main"]

_MOST_SAMPLES = 50_000_000  # of all channels: a worker holds them all, and packed they are next to nothing


def main(arguments: list[str]) -> None:
    """Limit this process, then read the files."""
    what, *files, megabytes, seconds = arguments
    limit(memory_bytes=int(megabytes) << 20, cpu_seconds=int(seconds))
    # Only now: what it takes to read the files counts against the limits.
    from profiler.errors import ProfilerError  # noqa: PLC0415

    told: dict[str, Any] = {"heard": len(files)}
    left = _MOST_SAMPLES
    for number, file in enumerate(files):
        try:
            if what == "profile":
                told = _told_of_profile(Path(file))
            else:
                left = _left_by_response(Path(file), left)
        except ProfilerError as error:
            told = {"error": str(error), "number": number}
        except (MemoryError, RecursionError) as error:
            told = {"error": f"reading it takes more than it may ({type(error).__name__}).", "number": number}
        if "error" in told:
            break
    sys.stdout.write(json.dumps(told, allow_nan=False))


def _told_of_profile(path: Path) -> dict[str, Any]:
    from api.facts import FACTS, read_facts  # noqa: PLC0415

    return {"facts": FACTS.dump_python(read_facts(path), mode="json")}


def _left_by_response(path: Path, left: int) -> int:
    """Return how many samples others may have when there is this one. Raises AudioError where it is none."""
    from profiler.audio_file import reading  # noqa: PLC0415
    from profiler.chain import ImpulseResponse  # noqa: PLC0415
    from profiler.errors import AudioError  # noqa: PLC0415

    with reading(path) as reader:
        left -= reader.frames * reader.channels
    if left < 0:
        raise AudioError(f"With it the impulse responses have more than {_MOST_SAMPLES} samples. Send shorter ones.")
    ImpulseResponse.read(path)
    return left


if __name__ == "__main__":
    main(sys.argv[1:])
