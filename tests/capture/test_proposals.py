"""Proposals: where the profile is unsure, in gaps, away from what is recorded and from the ends of ranges."""

import numpy as np
import pytest

from capture.plan import joining_plan
from capture.proposals import LEAST_AWAY, Proposal, propose
from capture.spread import evenly_placed
from profiler.doubt import Doubt
from profiler.knob import Knob, KnobSettings, positions_of
from profiler.session import CaptureSession, Dry, Gear, Take
from profiler.stimulus import Form, Stimulus

GAIN = Knob(id="gain", name="gain", maximum=10.0)
TONE = Knob(id="tone", name="tone", minimum=100.0, maximum=10_000.0, default=1000.0, scale="log")
VOICE = Knob(id="voice", name="voice", default="off", choices=("off", "on"))
KNOBS = (GAIN, TONE)
CORNERS: list[KnobSettings] = [{"gain": gain, "tone": tone} for gain in (0.0, 10.0) for tone in (100.0, 10_000.0)]


def unsure_of(gain: float, candidates: list[KnobSettings]) -> list[Doubt]:
    """Return doubts that grow a hundredfold towards a place of the gain."""
    return [
        Doubt(
            settings=each,
            sizes_differ=0.1 * float(np.exp(-abs(float(each["gain"]) - gain) * 2)) + 0.001,
            near_error=None,
        )
        for each in candidates
    ]


def blank(candidates: list[KnobSettings]) -> list[Doubt]:
    """Return doubts that know nothing."""
    return [Doubt(settings=each, sizes_differ=None, near_error=None) for each in candidates]


def apart(knobs: tuple[Knob, ...], one: KnobSettings, other: KnobSettings) -> float:
    """Return how far two settings are from each other."""
    return float(np.linalg.norm(positions_of(knobs, one) - positions_of(knobs, other)))


def test_unsure_proposals_stand_where_the_doubt_is_and_every_third_fills_a_gap():
    """The gain about which the profile is in doubt is proposed first; a gap is proposed whatever the doubt."""
    doubts = unsure_of(7.0, evenly_placed(KNOBS, 160))
    found = propose(KNOBS, doubts, learnt=CORNERS, count=6)
    assert [each.purpose for each in found] == ["unsure", "unsure", "gap"] * 2
    assert all(abs(float(each.settings["gain"]) - 7.0) < 1.5 for each in found if each.purpose == "unsure")
    assert "full and light differ by an ESR of" in found[0].reason
    assert found[2].reason.startswith("fills a gap")


def test_without_doubts_all_fill_gaps():
    """The first stands in the middle of the corners, and each is the furthest from all before."""
    found = propose(KNOBS, blank(evenly_placed(KNOBS, 160)), learnt=CORNERS, count=5)
    assert {each.purpose for each in found} == {"gap"}
    assert positions_of(KNOBS, found[0].settings) == pytest.approx([0.5, 0.5], abs=0.1)
    assert [each.away for each in found] == sorted((each.away for each in found), reverse=True)


def test_doubt_at_the_ends_does_not_draw_all_proposals_there():
    """A profile that is unsure next to an end of the gain gets a third of its proposals there at most."""
    found = propose(KNOBS, unsure_of(0.0, evenly_placed(KNOBS, 400)), learnt=[{"gain": 5.0, "tone": 1000.0}], count=9)
    at_end = [
        each for each in found if ((at := positions_of(KNOBS, each.settings)) <= 0.05).any() or (at >= 0.95).any()
    ]
    assert len(found) == 9
    assert 1 <= len(at_end) <= 3


def test_proposals_stand_apart_from_everything_recorded_and_from_each_other():
    """Held-out settings are not proposed either, be the doubt there as large as it may."""
    candidates = evenly_placed(KNOBS, 160)
    doubts = unsure_of(7.0, candidates)
    first = propose(KNOBS, doubts, learnt=CORNERS, count=1)[0].settings
    found = propose(KNOBS, doubts, learnt=CORNERS, apart=[first], count=12)
    settings = [first, *CORNERS, *(each.settings for each in found)]
    least = min(apart(KNOBS, one, other) for at, one in enumerate(settings) for other in settings[:at])
    assert least >= LEAST_AWAY - 1e-6


def test_a_switch_that_is_recorded_both_ways_leaves_nothing():
    """There are two settings and no more; with one recorded, the other is proposed."""
    candidates = evenly_placed((VOICE,), 50)
    assert len(candidates) == 2
    found: tuple[Proposal, ...] = propose((VOICE,), blank(candidates), learnt=[{"voice": "off"}], count=3)
    assert [each.settings for each in found] == [{"voice": "on"}]
    assert propose((VOICE,), blank(candidates), learnt=[{"voice": "off"}, {"voice": "on"}], count=3) == ()


def test_takes_that_join_a_session_have_numbers_and_playing_of_their_own():
    """They are as brief as the session's, and no seed comes twice."""

    def dry(form: Form, seed: int) -> Dry:
        stimulus = Stimulus(form=form, seed=seed, sample_rate=48_000, markers=())
        return Dry(file="", sha256="", frames=480_000, stimulus=stimulus)

    dries = (dry("short", 0), dry("brief", 1), dry("held-out", 100_000))
    takes = tuple(
        Take(
            number=number,
            dry=number,
            file="",
            sha256="",
            frames=480_000,
            settings=CORNERS[number],
            held_out=number == 2,
        )
        for number in range(3)
    )
    session = CaptureSession(
        gear=Gear(name="g", kind="files"), knobs=KNOBS, sample_rate=48_000, dries=dries, takes=takes
    )
    middle: KnobSettings = {"gain": 5.0, "tone": 1000.0}
    plan = joining_plan(session, [middle, CORNERS[3]], [{"gain": 2.0, "tone": 300.0}])
    assert [(take.number, take.form, take.held_out) for take in plan] == [
        (3, "brief", False),
        (4, "brief", False),
        (5, "held-out", True),
    ]
    assert [take.seconds for take in plan] == [10.0, 10.0, None]
    assert {take.seed for take in plan} == {2, 3, 100_001}
