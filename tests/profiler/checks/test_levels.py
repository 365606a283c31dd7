"""Levels, read in blocks."""

import numpy as np
import pytest

from profiler.checks.levels import level_findings, measure_levels

RATE = 48_000


def tone(gain, *, hz=110.0, offset=0.0):
    """Return a second of a tone, of shape (1, frames)."""
    return (gain * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE) + offset).astype(np.float32)[None]


def kinds(dry, wet, *, by_converter=True):
    """Return the kinds of findings on a take's levels."""
    found = level_findings(measure_levels([dry]), measure_levels([wet]), by_converter=by_converter)
    return [finding.kind for finding in found]


@pytest.mark.parametrize("frames", [1, 7, 480, RATE])
def test_levels_do_not_depend_on_the_blocks(frames):
    """Peak, RMS, DC and clipped runs come out the same from any blocks, runs across their edges too."""
    wave = np.clip(tone(1.4, offset=0.01), -1, 1)[:, : 2000 if frames == 1 else RATE]
    found = measure_levels(wave[:, start : start + frames] for start in range(0, wave.shape[1], frames))
    flat = np.abs(wave[0]) >= 1
    assert found.clipped_share == pytest.approx(flat.mean())
    assert found.clips == np.sum(np.diff(flat.astype(int)) == 1)
    assert found.peak_db == 0
    assert found.level_db == pytest.approx(10 * np.log10(np.mean(wave.astype(float) ** 2)), abs=1e-6)
    assert found.dc == pytest.approx(float(wave.astype(float).mean()), abs=1e-9)


def test_good_levels_need_no_word():
    """A take at ordinary levels has no findings."""
    assert kinds(tone(0.5), tone(0.3)) == []


def test_each_fault_has_its_finding():
    """Silence, clipping, a dry that drives nothing, a faint return and DC are told apart."""
    silent = np.zeros((1, RATE), np.float32)
    assert kinds(tone(0.5), silent) == ["silent"]
    assert kinds(silent, tone(0.5)) == ["silent"]
    assert kinds(tone(0.5), np.clip(tone(2), -1, 1)) == ["clipping"]
    assert kinds(tone(0.5), np.clip(tone(2), -1, 1), by_converter=False) == []
    assert kinds(tone(0.01), tone(0.3)) == ["quiet-dry"]
    assert kinds(tone(0.5), tone(0.002)) == ["quiet-wet"]
    assert kinds(tone(0.5), tone(0.3, offset=0.1)) == ["dc"]


def test_much_clipping_is_an_error():
    """Some clipped peaks are a warning; a recording that is clipped throughout is no recording of the gear."""
    few = tone(0.9)
    few[0, 100:110] = 1
    found = [
        level_findings(measure_levels([tone(0.5)]), measure_levels([wet]), by_converter=True)
        for wet in (few, np.clip(tone(2), -1, 1))
    ]
    assert [each[0].severity for each in found] == ["warning", "error"]
