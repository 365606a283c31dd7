"""The knob trial: when a move is heard, told from the return alone, whatever the gear does to the sound."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter

from capture.knob_trial import KnobTrial, trial_ends
from profiler.knob import Knob

RATE = 48_000
TRIAL = KnobTrial.of(RATE)
ROUND_TRIP = 700


def returned(late: list[int], gear: Callable[[np.ndarray, bool], np.ndarray]) -> np.ndarray:
    """Return what comes back of gear that is at either end, when each jump is heard so late."""
    one, other = (gear(TRIAL.dry, end) for end in (False, True))
    at_other = np.zeros(len(TRIAL.dry) + ROUND_TRIP, np.bool_)
    for number, (jump, frames) in enumerate(zip(TRIAL.jumps, late, strict=True)):
        at_other[jump + frames :] = number % 2 == 0
    late_one, late_other = (np.pad(each, (ROUND_TRIP, 0)) for each in (one, other))
    noise = np.random.default_rng(2).normal(0, 1e-4, len(at_other))
    return (np.where(at_other, late_other, late_one) + noise).astype(np.float32)


@pytest.mark.parametrize(
    "gear",
    [
        lambda dry, end: np.tanh(dry * (8 if end else 2)),
        lambda dry, end: lfilter([0.2], [1, -0.8], dry) if end else dry,
        lambda dry, end: dry * (0.0 if end else 1.0),
    ],
    ids=["gain", "tone", "mute"],
)
def test_moves_are_heard_when_they_were(gear: Callable[[np.ndarray, bool], np.ndarray]):
    """The middle of single delays to a few frames, and how far they stray."""
    late = [900, 2900, 1400, 2000, 2400, 1100, 1900]
    heard = TRIAL.heard(returned(late, gear), TRIAL.jumps)
    assert heard is not None
    assert heard.frames == pytest.approx(1900, abs=8)
    assert heard.stray_frames == pytest.approx(1000, abs=8)


def test_knobs_that_do_nothing_or_come_at_odd_times_are_not_heard():
    """The same sound at both ends tells nothing, nor do moves that have nothing to do with what was sent."""
    same = returned([900] * 7, lambda dry, _: np.tanh(2 * dry))
    assert TRIAL.heard(same, TRIAL.jumps) is None
    odd = returned([100, 14_000, 100, 14_000, 100, 14_000, 100], lambda dry, end: dry * (2.0 if end else 1.0))
    assert TRIAL.heard(odd, TRIAL.jumps) is None
    assert TRIAL.heard(same, TRIAL.jumps[:3]) is None


def test_knobs_jump_between_places_that_differ():
    """A quarter and three quarters of a knob's way, and the first and the last choice of a switch."""
    knobs = (
        Knob(id="gain", name="Gain", maximum=10.0),
        Knob(id="voice", name="Voice", choices=("a", "b", "c"), default="a"),
    )
    one, other = trial_ends(knobs, {"tone": 3.0})
    assert one == {"tone": 3.0, "gain": 2.5, "voice": "a"}
    assert other == {"tone": 3.0, "gain": 7.5, "voice": "c"}
