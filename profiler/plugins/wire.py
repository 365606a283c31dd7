"""The wire between a plugin's process and ours: messages of a JSON header and float32 samples over binary pipes.

    | header bytes: u32 | body bytes: u32 | header: JSON object | body: float32, channel after channel |

Numbers are little-endian. The header's `channels` says how the body is cut. Every size is checked before anything is
allocated: what is on the other side may be a plugin gone wild.
"""

import json
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from profiler.audio import Samples
from profiler.errors import GearError

__all__ = ["MOST_FRAMES", "Message", "receive", "send"]

MOST_FRAMES = 1 << 20
"""No message carries more frames a channel; longer audio goes in several."""

_SIZES = struct.Struct("<II")
_MOST_HEADER_BYTES = 16 << 20
_MOST_BODY_BYTES = 256 << 20
_NONE = np.zeros((1, 0), np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Message:
    """A header of plain JSON values, and samples of shape (channels, frames)."""

    header: dict[str, Any]
    samples: Samples = field(default_factory=_NONE.copy)


def send(pipe: BinaryIO, message: Message) -> None:
    """Write one message. Raises OSError when the other side has gone."""
    header = json.dumps({**message.header, "channels": message.samples.shape[0]}).encode()
    body = np.ascontiguousarray(message.samples, "<f4").tobytes()
    pipe.write(_SIZES.pack(len(header), len(body)) + header + body)
    pipe.flush()


def receive(pipe: BinaryIO) -> Message | None:
    """Read one message, or None when the other side has gone. Raises GearError for what is no message."""
    sizes = _exactly(pipe, _SIZES.size)
    if sizes is None:
        return None
    header_bytes, body_bytes = _SIZES.unpack(sizes)
    if header_bytes > _MOST_HEADER_BYTES or body_bytes > _MOST_BODY_BYTES or body_bytes % 4:
        raise GearError(f"The plugin's process sent a message of {header_bytes} and {body_bytes} bytes; none is that.")
    content = _exactly(pipe, header_bytes + body_bytes)
    if content is None:
        return None
    try:
        header = json.loads(content[:header_bytes])
        channels = int(header["channels"])
        samples = np.frombuffer(content, "<f4", offset=header_bytes).reshape(channels, -1)
    except (ValueError, TypeError, KeyError) as error:
        raise GearError(f"The plugin's process sent what is no message: {error}.") from error
    return Message(header=header, samples=samples.astype(np.float32))


def _exactly(pipe: BinaryIO, count: int) -> bytes | None:
    """Return `count` bytes, or None when the pipe ends before them."""
    pieces = bytearray()
    while len(pieces) < count:
        piece = pipe.read(count - len(pieces))
        if not piece:
            return None
        pieces += piece
    return bytes(pieces)
