"""How knobs are written and sent over MIDI."""

import numpy as np
import pytest

from capture.midi_map import MidiKnob, parse_midi_knob, positions_sent
from profiler.errors import KnobError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack

GAIN = Knob(id="gain", name="Gain", maximum=10.0)
FREQUENCY = Knob(id="frequency", name="Frequency", minimum=100.0, maximum=10_000.0, default=100.0, scale="log")
VOICE = Knob(id="voice", name="Voice", choices=("clean", "crunch", "lead"), default="clean")


@pytest.mark.parametrize(
    ("text", "knob", "value", "messages"),
    [
        ("gain=cc:74", GAIN, 10.0, [("control_change", 0, 74, 127)]),
        ("gain=cc:74@16", GAIN, 0.0, [("control_change", 15, 74, 0)]),
        ("gain=cc:74@2/20-120", GAIN, 5.0, [("control_change", 1, 74, 70)]),
        ("gain=cc:74/127-0", GAIN, 0.0, [("control_change", 0, 74, 127)]),
        ("frequency=cc:1", FREQUENCY, 1000.0, [("control_change", 0, 1, 64)]),
        ("gain=cc14:7", GAIN, 10.0, [("control_change", 0, 7, 127), ("control_change", 0, 39, 127)]),
        ("gain=cc14:7/0-1000", GAIN, 5.0, [("control_change", 0, 7, 3), ("control_change", 0, 39, 116)]),
        (
            "gain=nrpn:1:32",
            GAIN,
            10.0,
            [("control_change", 0, number, value) for number, value in ((99, 1), (98, 32), (6, 127), (38, 127))],
        ),
        ("gain=nrpn7:1:2", GAIN, 5.0, [("control_change", 0, at, value) for at, value in ((99, 1), (98, 2), (6, 64))]),
        ("voice=cc:20", VOICE, "crunch", [("control_change", 0, 20, 64)]),
        ("voice=pc@3", VOICE, "lead", [("program_change", 2, 0, 2)]),
        ("voice=pc/10-12", VOICE, "crunch", [("program_change", 0, 0, 11)]),
        ("gain=pc", GAIN, 7.0, [("program_change", 0, 0, 7)]),
    ],
)  # fmt: skip
def test_what_is_written_is_what_is_sent(text, knob, value, messages):
    """Controllers, NRPNs and programs, with their channel, values and bits, as the MIDI specification has them."""
    way = parse_midi_knob(text)
    assert way.messages(way.sent(knob, value)) == messages


def test_where_a_knob_comes_to_stand():
    """The value that MIDI has is at most half a step of it away, and sending that again sends the same."""
    for way, steps in ((parse_midi_knob("gain=cc:74"), 127), (parse_midi_knob("gain=nrpn:0:1"), 16_383)):
        for value in np.random.default_rng(0).uniform(0, 10, 50):
            reached = way.nearest(GAIN, float(value))
            assert abs(float(reached) - value) <= 5 / steps + 1e-6
            assert way.sent(GAIN, reached) == way.sent(GAIN, float(value))
    assert parse_midi_knob("voice=pc").nearest(VOICE, "lead") == "lead"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gain", "is not understood. Write KNOB=cc:NUMBER"),
        ("gain=cc", "is not understood"),
        ("gain=cc:74@", "is not understood"),
        ("gain=osc:1", "is not understood"),
        ("gain=cc:128", "cc has numbers from 0 to 127; found 128"),
        ("gain=cc14:32", "cc14 has numbers from 0 to 31; found 32"),
        ("gain=cc:74@17", "from 1 to 16; found 17"),
        ("gain=cc:74@0", "from 1 to 16; found 0"),
        ("gain=cc:74/0-128", "values from 0 to 127"),
        ("gain=nrpn:1:2/0-16384", "values from 0 to 16383"),
        ("gain=cc:74/5-5", "its ends must differ"),
    ],
)
def test_what_midi_does_not_have_is_told(text, words):
    """Each message shows what was expected."""
    with pytest.raises(KnobError, match=words):
        parse_midi_knob(text)


def test_switches_fit_their_values():
    """Three choices need three values."""
    with pytest.raises(KnobError, match="3 choices do not fit values 0 to 1"):
        MidiKnob(knob="voice", kind="cc", number=(20,), high=1).check_fits(VOICE)
    with pytest.raises(KnobError, match="cannot stand at 11"):
        parse_midi_knob("gain=cc:74").sent(GAIN, 11)


def test_ramps_are_sent_in_steps():
    """At each breakpoint, along its ramp, and at its end; a ramp that is interrupted stops there."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"gain": 0.0}),
            Breakpoint(frame=100, settings={"gain": 10.0}, ramp_frames=100),
            Breakpoint(frame=150, settings={"gain": 0.0}, ramp_frames=20),
        )
    )
    found = [(frame, float(at["gain"][0])) for frame, at in positions_sent(track, (GAIN,), step_frames=25)]
    expected = [(0, 0.0), (100, 0.0), (125, 0.25), (149, 0.49), (150, 0.5), (170, 0.0)]
    assert [frame for frame, _ in found] == [frame for frame, _ in expected]
    np.testing.assert_allclose([at for _, at in found], [at for _, at in expected], atol=1e-6)
