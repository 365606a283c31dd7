"""The wire: messages arrive as they were sent, and nothing wild is believed."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import GearError
from profiler.plugins.wire import Message, receive, send


def sent(message: Message) -> bytes:
    """Return a message as bytes."""
    pipe = io.BytesIO()
    send(pipe, message)
    return pipe.getvalue()


@given(channels=st.integers(1, 3), frames=st.integers(0, 50), word=st.text(max_size=8))
def test_what_is_sent_arrives(channels: int, frames: int, word: str):
    """Header and samples come back, one message after the other, and then the end."""
    samples = np.random.default_rng(frames).normal(size=(channels, frames)).astype(np.float32)
    pipe = io.BytesIO(sent(Message(header={"do": word}, samples=samples)) + sent(Message(header={"do": "flush"})))
    first, second = receive(pipe), receive(pipe)
    assert first is not None
    assert second is not None
    assert first.header["do"] == word
    assert first.samples.shape == (channels, frames)
    assert np.array_equal(first.samples, samples)
    assert second.header["do"] == "flush"
    assert receive(pipe) is None


@pytest.mark.parametrize("kept", [0, 3, 8, 20, -1])
def test_a_message_cut_short_is_the_end(kept: int):
    """A pipe that ends within a message is a child that has gone."""
    assert receive(io.BytesIO(sent(Message(header={"do": "feed"}, samples=np.ones((1, 9), np.float32)))[:kept])) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (struct.pack("<II", 1 << 31, 4), "2147483648 and 4 bytes"),
        (struct.pack("<II", 2, 1 << 31), "bytes"),
        (struct.pack("<II", 2, 3) + b"{}...", "2 and 3 bytes"),
        (struct.pack("<II", 2, 0) + b"{}", "no message"),
        (struct.pack("<II", 3, 0) + b"no!", "no message"),
        (struct.pack("<II", 2, 0) + b"[]", "no message"),
        (struct.pack("<II", 14, 4) + b'{"channels":2}' + bytes(4), "no message"),
        (struct.pack("<II", 14, 0) + b'{"channels":0}', "no message"),
        (b"GTK-Message: hello, I am a plugin", "bytes"),
    ],
)
def test_what_is_no_message_is_an_error(content: bytes, said: str):
    """Sizes are believed only within bounds, and so are headers."""
    with pytest.raises(GearError, match=said):
        receive(io.BytesIO(content))
