"""Channels between a dry and a plugin."""

import numpy as np
import pytest

from profiler.plugins.channels import Sides, gathered, spread

LEFT_RIGHT = np.asarray([[1, 2, 3], [5, 6, 7]], np.float32)


def test_mono_goes_everywhere_and_sides_in_turns():
    """One channel feeds every input; two feed four as left, right, left, right."""
    assert np.array_equal(spread(LEFT_RIGHT[:1], 3), LEFT_RIGHT[[0, 0, 0]])
    assert np.array_equal(spread(LEFT_RIGHT, 4), LEFT_RIGHT[[0, 1, 0, 1]])


def test_outputs_become_what_was_fed():
    """To mono belongs the mean of the outputs, to stereo the first two, or one output on both sides."""
    assert np.array_equal(gathered(LEFT_RIGHT, 1), [[3, 4, 5]])
    assert np.array_equal(gathered(LEFT_RIGHT, 2), LEFT_RIGHT)
    assert np.array_equal(gathered(LEFT_RIGHT[:1], 2), LEFT_RIGHT[[0, 0]])


def test_sides_are_told_apart():
    """Equal sides and a single one have no difference; a side at half level has 20 log10(0.5 / 1.5) dB."""
    for wet in (LEFT_RIGHT[:1], LEFT_RIGHT[[0, 0]]):
        same = Sides()
        same.hear(wet)
        assert same.side_db is None
    half = Sides()
    for _ in range(2):
        half.hear(np.stack([LEFT_RIGHT[0], LEFT_RIGHT[0] / 2]))
    assert half.side_db == pytest.approx(20 * np.log10(0.5 / 1.5))
