"""The judge and the round trip: what a recording shows is told, and what was not lost is not made up."""

from dataclasses import replace

import numpy as np
import pytest

from capture.plan import PlannedTake
from capture.recorder import PlayedTake
from capture.round_trip import measure_round_trip
from capture.take_judge import judge_take
from profiler.audio import Audio
from profiler.composer import compose
from profiler.errors import TakeRejectedError
from profiler.session import Take

RATE = 48_000
PLANNED = PlannedTake(number=0, form="brief", seed=5, seconds=8.0, settings={})
STIMULUS, DRY = compose("brief", seed=5, sample_rate=RATE, seconds=8.0)
PLAYED = DRY.samples[0]


def late(wet: np.ndarray, frames: int) -> np.ndarray:
    """Return a wet that comes that much later, and goes on for a second."""
    return np.concatenate([np.zeros(frames), wet, np.zeros(RATE - frames)]).astype(np.float32)


def driven() -> np.ndarray:
    """Return the dry through something that bends it, with a little noise."""
    return 0.5 * np.tanh(4 * PLAYED) + np.random.default_rng(2).normal(0, 1e-4, len(PLAYED))


def errors(wet: np.ndarray, repeats: np.ndarray | None = None) -> set[str]:
    """Return the kinds of findings for which a wet that is 700 frames late should be recorded again."""
    heard = Audio(samples=late(wet, 700)[None], sample_rate=RATE)
    take = PlayedTake(wet=heard, latency_frames=700, planned=PLANNED, stimulus=STIMULUS, dry=DRY)
    again = None if repeats is None else Audio(samples=repeats[None].astype(np.float32), sample_rate=RATE)
    return {each.kind for each in judge_take(take, repeats=again) if each.severity == "error"}


def test_a_good_take_passes():
    """Drive and a little noise are no reason to record again, nor is a replicate that is the same but for noise."""
    assert errors(driven(), driven() + np.random.default_rng(3).normal(0, 1e-4, len(PLAYED))) == set()


def test_what_is_wrong_with_a_take_is_told():
    """Clipping, holes, hum, silence, a cable that came off, and a knob that was turned: each by its own kind."""
    wet = driven()
    assert "clipping" in errors(np.clip(4 * wet, -1, 1))
    holes = wet.copy()
    for at in range(3 * RATE, 6 * RATE, RATE // 2):
        holes[at : at + 256] = 0
    assert "dropouts" in errors(holes)
    seconds = np.arange(len(wet)) / RATE
    hum = sum(np.sin(2 * np.pi * 50 * number * seconds) / number for number in (1, 2, 3, 5))
    assert "hum" in errors(0.1 * wet + 0.02 * hum)
    assert errors(np.zeros(len(wet))) == {"silent"}
    assert "cut-off" in errors(np.where(np.arange(len(wet)) < 5 * RATE, wet, 0.0))
    assert "disagreement" in errors(wet, 0.5 * np.tanh(2 * PLAYED))


@pytest.mark.parametrize("frames", [0, 64, 1337, 9600])
@pytest.mark.parametrize("sign", [1, -1])
def test_latency_and_polarity_are_those_of_the_take(frames: int, sign: int):
    """Whatever the delay, it is found to the frame, and which way up."""
    trip = measure_round_trip(STIMULUS, PLAYED, late(sign * PLAYED, frames), None, sample_rate=RATE)
    assert (trip.latency_frames, trip.polarity) == (frames, sign)
    assert trip.measured_frames == pytest.approx(frames, abs=0.1)


def test_takes_that_agree_share_whole_frames_and_others_do_not():
    """A frame more is another latency at the same settings, and a filter's doing at others."""
    first = Take(number=0, dry=0, file="", sha256="", frames=1, settings={"a": 1.0}, latency_frames=700)
    first = replace(first, measured_latency_frames=700.0)
    for settings, expected in (({"a": 1.0}, 701), ({"a": 2.0}, 700)):
        trip = measure_round_trip(
            STIMULUS, PLAYED, late(PLAYED, 701), None, sample_rate=RATE, settings=settings, earlier=[first]
        )
        assert trip.latency_frames == expected
    trip = measure_round_trip(STIMULUS, PLAYED, late(PLAYED, 956), None, sample_rate=RATE, earlier=[first])
    assert trip.latency_frames == 956


def test_timing_that_cannot_be_is_refused():
    """A return ahead of its dry, one that wanders, and a silent loopback are no numbers to keep."""
    early = np.concatenate([PLAYED[300:], np.zeros(RATE)]).astype(np.float32)
    with pytest.raises(TakeRejectedError, match=r"comes 300 frames .* before what"):
        measure_round_trip(STIMULUS, PLAYED, early, None, sample_rate=RATE)
    wandering = np.interp(
        np.arange(len(PLAYED)) + 30 * np.sin(np.arange(len(PLAYED)) / RATE), np.arange(len(PLAYED)), PLAYED
    )
    with pytest.raises(TakeRejectedError, match="wanders against the dry"):
        measure_round_trip(STIMULUS, PLAYED, late(wandering, 300), None, sample_rate=RATE)
    with pytest.raises(TakeRejectedError, match="loopback is silent"):
        measure_round_trip(STIMULUS, PLAYED, late(PLAYED, 9), np.zeros(len(PLAYED), np.float32), sample_rate=RATE)


def test_clocks_that_drift_apart_are_told():
    """A recorder that runs 50 ppm slow gives a finding with the amount."""
    at = np.arange(len(PLAYED)) * (1 + 50e-6)
    slow = np.interp(at, np.arange(len(PLAYED)), PLAYED)
    trip = measure_round_trip(STIMULUS, PLAYED, late(slow, 480), None, sample_rate=RATE)
    (found,) = [each for each in trip.findings if each.kind == "drift"]
    assert found.severity == "warning"
    assert float(found.message.split("by ")[1].split(" ppm")[0]) == pytest.approx(-50, abs=5)
    one = measure_round_trip(STIMULUS, PLAYED, late(slow, 480), None, sample_rate=RATE, one_clock=True)
    assert "drift" not in {each.kind for each in one.findings}  # one interface: the gear looks like it
