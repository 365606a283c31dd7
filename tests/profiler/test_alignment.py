"""Alignment."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from profiler.alignment import aligned, counted
from profiler.session import Take


def take(**known) -> Take:
    """Return a take of which only this is known."""
    return Take(number=0, dry=0, file="", sha256="", frames=0, **known)


@given(st.integers(-150, 150), st.sampled_from([1, -1]), st.integers(1, 120))
def test_alignment_undoes_delay_and_polarity(latency, polarity, frames):
    """Every frame that was recorded lands on its dry one; the rest is silence, and the length is the dry's."""
    dry = np.arange(1, 101, dtype=np.float32)[None]
    wet = np.zeros((1, 260), np.float32)
    kept = dry[:, max(-latency, 0) :]
    wet[:, max(latency, 0) :][:, : kept.shape[1]] = kept * polarity
    out = aligned(wet, take(latency_frames=latency, polarity=polarity), frames)
    expected = np.zeros((1, frames), np.float32)
    expected[:, : min(frames, 100)] = dry[:, :frames]
    expected[:, : max(-latency, 0)] = 0
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, expected)


def test_alignment_keeps_channels_and_the_recording():
    """Channels move together and the raw recording is not touched."""
    wet = np.float32([[0, 1, 2, 3], [0, 4, 5, 6]])
    np.testing.assert_array_equal(
        aligned(wet, take(latency_frames=1, polarity=-1), 5), [[-1, -2, -3, 0, 0], [-4, -5, -6, 0, 0]]
    )
    np.testing.assert_array_equal(wet, [[0, 1, 2, 3], [0, 4, 5, 6]])


def test_alignment_undoes_gain():
    """A take that came 6 dB too loud is brought down by 6 dB."""
    wet = np.float32([[2, -4]])
    np.testing.assert_allclose(aligned(wet, take(gain_db=20 * np.log10(2)), 2), [[1, -2]])


def test_clipped_frames_do_not_count():
    """Masked spans are those of the wet, so they move with the latency; what lies outside is cut off."""
    masked = take(latency_frames=3, masked=((0, 4), (6, 8), (90, 99)))
    np.testing.assert_array_equal(counted(masked, 6), [False, True, True, False, False, True])
    assert counted(take(), 6).all()
