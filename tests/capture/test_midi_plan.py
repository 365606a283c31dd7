"""Plans of gear that turns its own knobs."""

import itertools

import pytest

from capture.hands import guided_plan
from capture.midi_map import parse_midi_knob
from capture.midi_plan import as_sent
from capture.plan import moving_plan
from profiler.knob import Knob

KNOBS = (Knob(id="gain", name="Gain", maximum=10.0), Knob(id="tone", name="Tone", maximum=10.0))
SENT_AS = {"gain": parse_midi_knob("gain=cc:74")}


def test_knobs_stand_where_midi_can_put_them():
    """At one of 128 places, fixed or moving; a knob that a hand turns stands at round values."""
    plan = as_sent(guided_plan(KNOBS, self_turning=SENT_AS), KNOBS, SENT_AS)
    for take in plan:
        assert take.settings is not None
        gain, tone = (float(take.settings[id_]) for id_ in ("gain", "tone"))
        assert gain * 12.7 == pytest.approx(round(gain * 12.7), abs=1e-9)
        assert tone == pytest.approx(round(tone), abs=1e-9)
    assert any(float(take.settings["gain"]) % 1 > 0.1 for take in plan if take.settings)  # not on a dial's marks
    track = as_sent(moving_plan(KNOBS[:1], sample_rate=8000, minutes=1), KNOBS, SENT_AS)[0].track
    assert track is not None
    gains = [float(point.settings["gain"]) * 12.7 for point in track.breakpoints]
    assert gains == pytest.approx([round(each) for each in gains], abs=1e-9)


def test_the_order_spares_the_hand():
    """Knobs that MIDI turns may go to and fro; the hand's is turned less often than in the order for two hands."""

    def turns(**options: object) -> int:
        tones = [take.settings["tone"] for take in guided_plan(KNOBS, **options) if take.settings]
        return sum(one != other for one, other in itertools.pairwise(tones))

    assert turns(self_turning={"gain"}) < turns()
