"""Resampling of streams."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.rendering.resampling import StreamResampler

FRAMES = 3000


def tone(rate: int, *, hz: float = 997.0, seconds: float = 0.5) -> np.ndarray:
    """Return a tone on the left and another on the right."""
    time = np.arange(int(rate * seconds)) / rate
    return np.stack([np.sin(2 * np.pi * hz * time), 0.5 * np.cos(2 * np.pi * 2 * hz * time)]).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, FRAMES), max_size=6).map(sorted),
    rates=st.sampled_from([(44_100, 48_000), (48_000, 44_100), (8000, 48_000), (96_000, 22_050), (48_000, 48_000)]),
)
def test_blocks_joined_are_the_whole(cuts: list[int], rates: tuple[int, int]):
    """A stream cut anywhere, with empty blocks among them, is resampled as the whole is."""
    source, target = rates
    sound = np.random.default_rng(0).normal(0, 0.3, (2, FRAMES)).astype(np.float32)
    whole = StreamResampler(source_rate=source, target_rate=target, channels=2).feed(sound, last=True)
    stream = StreamResampler(source_rate=source, target_rate=target, channels=2)
    blocks = [stream.feed(sound[:, start:stop]) for start, stop in zip([0, *cuts], [*cuts, FRAMES], strict=True)]
    blocks.append(stream.feed(sound[:, :0], last=True))
    joined = np.concatenate(blocks, axis=1)
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() < 1e-6


@pytest.mark.parametrize(("source", "target"), [(44_100, 48_000), (48_000, 44_100), (8000, 48_000), (96_000, 48_000)])
def test_a_tone_stays_where_it_was(source: int, target: int):
    """Pitch, level, channel and time of a tone do not change: it is the same tone at another rate."""
    found = StreamResampler(source_rate=source, target_rate=target, channels=2).feed(tone(source), last=True)
    expected = tone(target)
    assert abs(found.shape[1] - expected.shape[1]) <= 1
    middle = slice(target // 20, target // 4)  # away from the edges, where the tone begins without a fade
    assert np.abs(found[:, middle] - expected[:, middle]).max() < 2e-3


def test_the_same_rate_changes_nothing():
    """Nothing is done, to the last bit, when there is nothing to do."""
    sound = tone(48_000)
    assert np.array_equal(StreamResampler(source_rate=48_000, target_rate=48_000, channels=2).feed(sound), sound)
