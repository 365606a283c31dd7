"""Recordings in one file, as they are sent and kept, each as its own file was, one right behind the other.

Of a dry and its wet the dry is first; of what is to be played through a chain the recording, then impulse responses.
"""

from pathlib import Path

__all__ = ["parted"]

_PIECE = 1 << 20


def parted(pair: Path, target: Path, *, start: int, stop: int | None = None) -> Path:
    """Write the bytes of such a file from `start` to `stop`, or to its end, to `target`, and return that."""
    with pair.open("rb") as source, target.open("wb") as sink:
        source.seek(start)
        left = pair.stat().st_size - start if stop is None else stop - start
        while left > 0 and (piece := source.read(min(_PIECE, left))):
            sink.write(piece)
            left -= len(piece)
    return target
