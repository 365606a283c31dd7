"""A process that listens to one file that a stranger sent, with limits on memory and time, and prints what it heard.

`python -m api.listening.ear profile|recording FILE MEGABYTES SECONDS` prints `{"settings": ..., "descriptors": ...}`,
the latter float16 in base64, or `{"error": ...}`, as JSON and nothing else.
"""

import base64
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.limits import limit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["main"]

_AFTER_OTHERS = 10


def main(arguments: list[str]) -> None:
    """Limit this process, then listen to the file."""
    what, path, megabytes, seconds = arguments[0], Path(arguments[1]), int(arguments[2]), int(arguments[3])
    limit(memory_bytes=megabytes << 20, cpu_seconds=seconds)
    if what == "profile" and hasattr(os, "nice"):
        os.nice(_AFTER_OTHERS)  # nobody waits for it, and those who ask the server do
    # Only now: what it takes to read the file counts against the limits.
    from profiler.errors import ProfilerError  # noqa: PLC0415

    try:
        told = _heard_profile(path) if what == "profile" else _heard_recording(path)
    except ProfilerError as error:
        told = {"error": str(error)}
    except (MemoryError, RecursionError, RuntimeError) as error:  # torch has its own way to say what it lacks
        told = {"error": f"listening to it takes more than it may ({type(error).__name__})."}
    sys.stdout.write(json.dumps(told, allow_nan=False))


def _heard_profile(path: Path) -> dict[str, Any]:
    from profiler.profile_file import load  # noqa: PLC0415
    from profiler.sounds import profile_sounds  # noqa: PLC0415

    sounds = profile_sounds(load(path))
    return {"settings": sounds.settings, "descriptors": _packed(sounds.descriptors)}


def _heard_recording(path: Path) -> dict[str, Any]:
    from profiler.audio_file import reading  # noqa: PLC0415
    from profiler.listening.recording_sound import recording_sound  # noqa: PLC0415

    with reading(path) as reader:
        return {"settings": [{}], "descriptors": _packed(recording_sound(reader)[None])}


def _packed(descriptors: "NDArray[np.float32]") -> str:
    return base64.b64encode(descriptors.astype("<f2").tobytes()).decode()


if __name__ == "__main__":
    main(sys.argv[1:])
