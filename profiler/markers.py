"""Markers of WAV and AIFF files: chunks that say where in the sound something is, taken from one file to another.

WAV: cue points and their labels, loops, tempo, and a broadcast file's time of day and place in the song (EBU Tech
3285), which iXML may tell too. AIFF: markers, loops, comments. They count frames, so they fit a file of the same rate.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

__all__ = ["Chunk", "add_markers", "markers_of"]

Chunk: TypeAlias = tuple[bytes, bytes]
"""The four letters that a chunk is known by, and what is in it."""

_WAV = (b"cue ", b"LIST", b"smpl", b"inst", b"plst", b"acid", b"bext", b"iXML")
_AIFF = (b"MARK", b"INST", b"COMT")
_WAVES = (b"RIFF", b"RF64")
_LARGEST_BYTES = 1 << 20
_MOST_CHUNKS = 1000


def markers_of(path: Path) -> tuple[Chunk, ...]:
    """Return the chunks of a WAV or an AIFF that mark it; none of another file, and no damaged ones."""
    try:
        with path.open("rb") as file:
            return tuple(_marking(file))
    except OSError:
        return ()


def add_markers(path: Path, chunks: tuple[Chunk, ...]) -> None:
    """Put those chunks at the end of a WAV or an AIFF that its kind of file has. Raises OSError."""
    with path.open("rb+") as file:
        form = file.read(4)
        order, known = ("<", _WAV) if form in _WAVES else (">", _AIFF)
        kept = [(name, content) for name, content in chunks if name in known]
        if form not in (*_WAVES, b"FORM") or not kept:
            return
        end = file.seek(0, 2)
        file.write(b"\0" * (end % 2))
        for name, content in kept:
            file.write(name + struct.pack(order + "I", len(content)) + content + b"\0" * (len(content) % 2))
        size = file.tell() - 8
        if form == b"RF64":  # its true size stands in the ds64 chunk, which comes first
            file.seek(20)
            file.write(struct.pack("<Q", size))
        else:
            file.seek(4)
            file.write(struct.pack(order + "I", size))


def _marking(file: BinaryIO) -> Iterator[Chunk]:
    form = file.read(12)[:4]
    if form not in (*_WAVES, b"FORM"):
        return
    order, known = ("<", _WAV) if form in _WAVES else (">", _AIFF)
    long_data = 0
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = head[:4], struct.unpack(order + "I", head[4:])[0]
        begin = file.tell()
        if name == b"ds64" and size >= 16:
            long_data = struct.unpack("<QQ", file.read(16))[1]
        if name in known and size <= _LARGEST_BYTES:
            content = file.read(size)
            if len(content) == size and (name != b"LIST" or content[:4] == b"adtl"):  # the other lists are tags
                yield name, content
        length = long_data if name == b"data" and size == 0xFFFFFFFF else size
        file.seek(begin + length + length % 2)
