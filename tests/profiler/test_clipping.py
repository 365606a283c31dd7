"""Clipping."""

import numpy as np
import pytest

from profiler.clipping import clipped_spans, joined_spans

RATE = 48_000


def sine(gain, *, hz=110.0):
    """Return a tenth of a second of a tone as a float converter would pass it on, of shape (1, frames)."""
    return (gain * np.sin(2 * np.pi * hz * np.arange(RATE // 10) / RATE)).astype(np.float32)[None]


@pytest.mark.parametrize("bits", [16, 24])
def test_a_converter_that_runs_out_of_range_is_seen(bits):
    """Both ends of every swing are found, where they are, at either word length."""
    top = 1 - 2.0 ** (1 - bits)
    wave = np.clip(sine(1.5), -1, top).astype(np.float32)
    spans = clipped_spans([wave])
    assert len(spans) == 22
    inside = np.zeros(wave.shape[1], bool)
    for start, stop in spans:
        inside[start:stop] = True
    np.testing.assert_array_equal(inside, (wave[0] >= top) | (wave[0] <= -1))


@pytest.mark.parametrize("gain", [0.5, 0.99, 1.0])
def test_a_peak_that_fits_is_not_clipped(gain):
    """A tone up to full scale has no flat tops."""
    assert clipped_spans([sine(gain)]) == ()


def test_float_beyond_full_scale_is_not_clipped():
    """Where one peak passes full scale no converter limited anything, however flat other tops are."""
    wave = np.clip(sine(1.5), -1, 1)
    wave[0, 7] = 1.2
    assert clipped_spans([wave]) == ()


def test_flat_tops_below_full_scale_are_the_gears_own():
    """A clipper inside the gear is sound."""
    assert clipped_spans([np.clip(sine(1.5), -0.5, 0.5)]) == ()


def test_channels_count_together():
    """A span is clipped when any channel is; two frames at full scale are not enough."""
    wave = np.zeros((2, 100), np.float32)
    wave[0, 10:14] = 1.0
    wave[1, 50:53] = -1.0
    wave[1, 70:72] = 1.0
    assert clipped_spans([wave]) == ((10, 14), (50, 53))
    assert clipped_spans([wave[:, :0]]) == ()


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 480])
def test_blocks_do_not_matter(frames):
    """Runs over the edges of blocks are found whole and once; what touches an edge is not taken for more than it is."""
    wave = np.zeros((2, 2100), np.float32)
    wave[0, :2] = 1.0  # too short, at the very start
    wave[0, 476:485] = 1.0
    wave[1, 958:961] = -1.0
    wave[0, 1439], wave[0, 1440:1442] = -1.0, 1.0  # one swing from end to end: no three of them are equal
    wave[0, 1918:1921], wave[1, 1921:1924] = 1.0, 1.0  # one channel goes on where the other ends
    blocks = (wave[:, start : start + frames] for start in range(0, wave.shape[1], frames))
    assert clipped_spans(blocks) == clipped_spans([wave]) == ((476, 485), (958, 961), (1918, 1924))


def test_one_block_beyond_full_scale_speaks_for_all():
    """A float recording that passes full scale anywhere was limited nowhere."""
    flat = np.clip(sine(1.5), -1, 1)
    assert clipped_spans([flat, 1.2 * flat]) == clipped_spans([1.2 * flat, flat]) == ()


def test_spans_that_lie_near_each_other_are_joined():
    """Up to the gap they become one, and what lies inside another is no end of it."""
    spans = [(0, 10), (2, 5), (10, 12), (15, 20), (24, 30)]
    assert joined_spans(spans) == [(0, 12), (15, 20), (24, 30)]
    assert joined_spans(spans, 3) == [(0, 20), (24, 30)]
    assert joined_spans([]) == []
