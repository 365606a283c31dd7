"""Slips: frames lost or put in for good, found behind any gear, and gear that moves by itself taken for none."""

import numpy as np
import pytest

from profiler.checks import check_session
from profiler.checks.slips import Slip, find_slips, in_words, lags_between
from profiler.plugins import HostedPlugin

RATE = 48_000
GUITARIX = "lv2:http://guitarix.sourceforge.net/plugins/"
CALF = "lv2:http://calf.sourceforge.net/plugins/"
PLUGINS = {
    "amp": (f"{GUITARIX}gx_amp#GUITARIX", {}),
    "driven amp": (f"{GUITARIX}gx_amp#GUITARIX", {"PreGain": 15.0, "Drive": 0.9, "Distortion": 80.0}),
    "fuzz": (f"{GUITARIX}gx_fuzzface_#_fuzzface_", {"FUZZ": 1.0}),
    "muff": (f"{GUITARIX}gx_bmp_#_bmp_", {"SUSTAIN": 1.0}),
    "tape": (f"{GUITARIX}gxtape#tape", {}),
    "compressor": (f"{CALF}MonoCompressor", {"ratio": 10.0}),
}
SIZES = [-64, 256, -1024, 3097]


def noisy(wet, seed=1):
    """Return the wet with noise 20 dB below it."""
    level = np.sqrt(np.mean(np.square(wet, dtype=np.float64))) / 10
    return (wet + np.random.default_rng(seed).normal(0, level, len(wet))).astype(np.float32)


def slipped(wet, at, frames):
    """Return the wet with frames put in at a place, or taken out."""
    return np.concatenate([wet[:at], np.zeros(max(frames, 0), np.float32), wet[at - min(frames, 0) :]])


def is_told(found, at, frames):
    """Tell whether a slip, and no other, is found to half a second, and its size to a dozen frames."""
    return len(found) == 1 and abs(found[0].at - at) < RATE // 2 and abs(found[0].frames - frames) <= 12


@pytest.mark.parametrize("gear", ["gain", "distortion", "fuzz", "compressor", "ladder", "phaser behind distortion"])
@pytest.mark.parametrize("frames", SIZES)
def test_frames_lost_and_put_in_are_told(play, playing, gear, frames):
    """Where, to a fraction of a second, and how many, through noise too."""
    at = 11 * RATE
    assert is_told(find_slips(playing, slipped(noisy(play(gear, playing)), at, frames)), at, frames)


@pytest.mark.parametrize(
    "gear", ["chorus", "delay", "fuzz", "hard gate", "reverb", "slow levelling", "tremolo before distortion", "vibrato"]
)
def test_gear_slips_nowhere(play, stimulus, gear):
    """Neither test tones nor playing through gear that moves, echoes or shuts look like lost frames."""
    _, dry = stimulus
    assert find_slips(dry, noisy(play(gear, dry))) == []


def test_a_tape_that_wows_slips_nowhere(playing):
    """A lag that swings by half a millisecond at once a second and flutters too is no lost block."""
    seconds = np.arange(len(playing)) / RATE
    late = 24 * np.sin(2 * np.pi * 0.9 * seconds) + 3 * np.sin(2 * np.pi * 9 * seconds)
    assert find_slips(playing, noisy(np.interp(np.arange(len(playing)) - late, np.arange(len(playing)), playing))) == []


@pytest.mark.usefixtures("lv2")
@pytest.mark.parametrize("gear", PLUGINS)
def test_real_plugins_are_told_apart_from_lost_frames(playing, gear):
    """A good take through other people's effects has no slip; with frames cut out of it by hand it has that one."""
    uri, settings = PLUGINS[gear]
    with HostedPlugin(uri, settings=settings) as plugin:
        wet = noisy(plugin.process(playing[None], RATE)[0])
    assert find_slips(playing, wet) == []
    for number, frames in enumerate(SIZES[1:]):
        at = (5 + 5 * number) * RATE
        assert is_told(find_slips(playing, slipped(wet, at, frames)), at, frames)


def test_lost_and_put_in_again_are_two(play, playing):
    """What is made up for a few seconds later is told twice."""
    wet = slipped(slipped(play("distortion", playing), 9 * RATE, -512), 14 * RATE, 512)
    first, second = find_slips(playing, wet)
    assert (first.frames, second.frames) == (pytest.approx(-512, abs=4), pytest.approx(512, abs=4))


def test_long_takes_are_gone_through_in_stretches(playing):
    """A slip is found once, wherever it lies, in takes that are longer than a stretch."""
    dry = np.tile(playing, 5)  # two minutes
    for at in (3 * RATE, 70 * RATE, 80 * RATE, 117 * RATE):
        assert is_told(find_slips(dry, slipped(0.5 * dry, at, -480)), at, -480)


def test_takes_too_short_or_silent_have_none():
    """There is nothing to compare, and no error."""
    for frames in (0, 1, 20_000, 60_000):
        assert find_slips(np.zeros(frames, np.float32), np.zeros(frames + 9, np.float32)) == []
        assert find_slips(np.ones(frames, np.float32), np.zeros(9, np.float32)) == []


def test_words_and_lags():
    """How many, which way, how long and where; lags are counted from where most of the take is."""
    assert "about 256 frames (5.3 ms) were lost about 2.0 s into the take" in in_words(
        [Slip(at=2 * RATE, frames=-256)], RATE
    )
    two = [Slip(at=RATE, frames=64), Slip(at=2 * RATE, frames=-32)]
    assert "frames were lost or put in 2 times, first about 1.0 s" in in_words(two, RATE)
    assert "about 64 frames (1.3 ms) too many came in" in in_words(two, RATE)
    assert lags_between(two, 4 * RATE, 4) == (-32.0, 32.0, 0.0, 0.0)


def test_a_session_is_told_of_its_holes(record, play, playing):
    """Recordings that people bring are told of a slip, and of what it costs; it is no drift besides."""
    wet = play("distortion", playing)
    folder = record((playing, wet), (playing, slipped(wet, 18 * RATE, 700)))
    bad, good = check_session(folder).takes  # worst first
    assert not {finding.kind for finding in good.findings} & {"hole", "latency-jump", "drift"}
    assert {finding.kind for finding in bad.findings} & {"hole", "latency-jump", "drift"} == {"hole"}
    (limit,) = [each for each in bad.limits if each.cause == "timing"]
    assert 0.1 < limit.esr < 1.2


def test_plugins_are_not_looked_at(record, playing):
    """What a plugin's host records has no interface to lose anything."""
    folder = record((playing, slipped(playing, 12 * RATE, 700)), kind="plugin")
    (check,) = check_session(folder).takes
    assert "hole" not in {finding.kind for finding in check.findings}
