"""Holes of single blocks: told from the data, beside gear that has memory, and in a loopback to the frame."""

import numpy as np
import pytest

from capture.holes import find_lost_blocks, find_lost_in_loopback, loopback_findings, lost_findings
from capture.plan import PlannedTake
from capture.recorder import PlayedTake
from capture.round_trip import measure_round_trip
from capture.take_judge import judge_take
from profiler.audio import Audio
from profiler.composer import compose
from profiler.plugins import HostedPlugin

RATE = 48_000
BLOCK = 1024
GUITARIX = "lv2:http://guitarix.sourceforge.net/plugins/"
PLUGINS = {
    "amp": (f"{GUITARIX}gx_amp#GUITARIX", {}),
    "muff": (f"{GUITARIX}gx_bmp_#_bmp_", {"SUSTAIN": 1.0}),
    "preamp": (f"{GUITARIX}gx_jcm800pre_#_jcm800pre_", {}),
    "compressor": ("lv2:urn:zamaudio:ZamComp", {"thr": -40.0, "rat": 10.0}),
}
STIMULUS, DRY = compose("brief", seed=5, sample_rate=RATE, seconds=12.0)
PLAYED = DRY.samples[0]
LATE = 4000


def driven(dry):
    """Return the dry through something that bends it, with noise 30 dB below it."""
    wet = 0.5 * np.tanh(4 * dry)
    return (wet + np.random.default_rng(2).normal(0, 0.03 * np.std(wet), len(wet))).astype(np.float32)


def loud_block(number):
    """Return where a loud block begins whose dry is not like the one before it."""
    blocks = PLAYED[: len(PLAYED) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64)
    level = np.sum(blocks**2, axis=1)
    alike = np.sum(blocks[1:] * blocks[:-1], axis=1) / np.sqrt(level[1:] * level[:-1] + 1e-9)
    good = 1 + np.flatnonzero((level[1:] > np.median(level)) & (np.abs(alike) < 0.3))
    return int(good[number * len(good) // 5]) * BLOCK


def lost(wet, **more):
    """Return the starts of lost blocks."""
    return [each.start for each in find_lost_blocks(PLAYED, wet, block_frames=BLOCK, first=0, **more)]


@pytest.mark.usefixtures("lv2")
@pytest.mark.parametrize("gear", PLUGINS)
def test_a_block_that_came_twice_is_told_without_a_flag(gear):
    """Sent twice to gear with memory, or recorded twice: nearly the block before, which the dry is not."""
    uri, settings = PLUGINS[gear]
    sent = PLAYED.copy()
    at, later = loud_block(1), loud_block(3)
    sent[at : at + BLOCK] = sent[at - BLOCK : at]
    with HostedPlugin(uri, settings=settings) as plugin:
        good, wet = (plugin.process(each[None], RATE)[0][: len(PLAYED)].copy() for each in (PLAYED, sent))
    assert lost(good) == []
    if gear != "amp":  # its memory is longer than a block
        assert at in lost(wet)
    good[later : later + BLOCK] = good[later - BLOCK : later]
    (block,) = find_lost_blocks(PLAYED, good, block_frames=BLOCK, first=0)
    assert (block.start, block.stop, block.kind) == (later, later + BLOCK, "again")
    (finding,) = lost_findings([block], RATE)
    assert (
        f"the block of 1024 frames (21.3 ms) {later / RATE:.2f} s into the take is the one before it" in finding.message
    )
    assert finding.severity == "error"


@pytest.mark.parametrize("block", [256, 512, 1024])
def test_other_sound_near_a_flag_is_told(block):
    """A block that holds something else counts where the driver spoke of lost ones, also when it spoke too late."""
    wet, at = driven(PLAYED), loud_block(2)
    flag = at + 17 * block
    found = find_lost_blocks(PLAYED, wet, block_frames=block, first=0, flagged=[flag])
    assert found == []
    wet[at : at + block] = np.random.default_rng(3).normal(0, np.std(wet), block)
    assert find_lost_blocks(PLAYED, wet, block_frames=block, first=0) == []
    found = find_lost_blocks(PLAYED, wet, block_frames=block, first=0, flagged=[flag])
    assert [(each.start, each.kind) for each in found] == [(at, "other")]


def test_blocks_that_the_dry_repeats_are_not_lost():
    """A loop of exactly a block, and silence, are played so."""
    loop = np.tile(np.random.default_rng(1).normal(0, 0.1, BLOCK), 200).astype(np.float32)
    assert find_lost_blocks(loop, 0.5 * loop, block_frames=BLOCK, first=0) == []
    assert find_lost_blocks(0 * loop, 0 * loop, block_frames=BLOCK, first=0, flagged=[0]) == []
    assert find_lost_blocks(loop[:5000], loop[:5000], block_frames=BLOCK, first=0, flagged=[0]) == []


def test_a_loopback_tells_to_the_frame():
    """Every way of losing frames shows there exactly; a cable that is a little dull and noisy is none."""
    cable = np.convolve(PLAYED, [0.7, 0.2])[: len(PLAYED)] + np.random.default_rng(1).normal(0, 1e-5, len(PLAYED))
    cable = cable.astype(np.float32)
    assert loopback_findings(PLAYED, cable, RATE) == []
    for frames, fill in ((64, 0.0), (256, None), (1024, None)):
        at = loud_block(2)
        broken = cable.copy()
        broken[at : at + frames] = cable[at - frames : at] if fill is None else fill
        found = find_lost_in_loopback(PLAYED, broken, RATE)
        assert found
        assert at - 64 < found[0][0] <= at + 64
        assert found[-1][1] <= at + frames + 64
        (finding,) = loopback_findings(PLAYED, broken, RATE)
        assert f"not what was sent {found[0][0] / RATE:.2f} s into the take" in finding.message
    (finding,) = loopback_findings(PLAYED, np.delete(cable, np.s_[7 * RATE : 7 * RATE + 3097]), RATE)
    assert "about 3097 frames (64.5 ms) were lost" in finding.message
    assert find_lost_in_loopback(PLAYED, driven(PLAYED) ** 2, RATE) == []  # no cable


@pytest.mark.parametrize("frames", [-64, -3097, 256, 1024])
def test_a_take_that_slipped_is_kept_out_by_the_judge(frames):
    """It is as late as its longer part, no round trip that cannot be, and the judge says where and how much."""
    planned = PlannedTake(number=0, form="brief", seed=5, seconds=12.0, settings={})
    at = 4 * RATE
    whole = np.concatenate([np.zeros(LATE), driven(PLAYED), np.zeros(RATE - LATE)]).astype(np.float32)
    wet = np.concatenate([whole[: at + LATE], np.zeros(max(frames, 0)), whole[at + LATE - min(frames, 0) :]])
    wet = wet.astype(np.float32)
    trip = measure_round_trip(STIMULUS, PLAYED, wet, None, sample_rate=RATE)
    assert trip.latency_frames == pytest.approx(LATE + frames, abs=3)
    heard = Audio(samples=wet[None], sample_rate=RATE)
    take = PlayedTake(
        wet=heard,
        latency_frames=trip.latency_frames,
        findings=trip.findings,
        planned=planned,
        stimulus=STIMULUS,
        dry=DRY,
    )
    (hole,) = [each for each in judge_take(take) if each.kind == "hole"]
    assert hole.severity == "error"
    assert ("were lost" if frames < 0 else "too many came in") in hole.message
    told = float(hole.message.split("about ")[1].split(" frames")[0])
    assert told == pytest.approx(abs(frames), abs=6)
