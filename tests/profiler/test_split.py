"""Splits."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import SplitError
from profiler.knob import Knob
from profiler.session import CaptureSession, Dry, Gear, Take
from profiler.split import HoldOut, Span, Split, divide, parse_hold_out
from profiler.stimulus import Marker, Stimulus

KNOBS = (
    Knob(id="amp.gain", name="Gain", maximum=1),
    Knob(id="amp.mode", name="Mode", choices=("4", "8", "all"), default="4"),
)
STIMULUS = Stimulus(
    form="short",
    seed=0,
    sample_rate=100,
    markers=(Marker(name="programme", start=0, stop=800), Marker(name="held-out", start=800, stop=1000)),
)


def take(number: int, gain: float = 0.5, mode: str = "4", **more) -> Take:
    """Return a take of 1000 frames."""
    settings = {"amp.gain": gain, "amp.mode": mode}
    return Take(**{"number": number, "dry": 0, "file": "", "sha256": "", "frames": 1000, "settings": settings, **more})


def session(*takes: Take, stimulus: Stimulus | None = None) -> CaptureSession:
    """Return a session of these takes, all of one dry signal."""
    dry = Dry(file="", sha256="", frames=1000, stimulus=stimulus)
    gear = Gear(name="Amp", kind="plugin")
    return CaptureSession(gear=gear, knobs=KNOBS, sample_rate=100, dries=(dry,), takes=takes)


def span(number: int, start: int = 0, stop: int = 1000) -> Span:
    """Return a span of a take, the whole of it if nothing else is said."""
    return Span(take=number, start=start, stop=stop)


def divided(found: CaptureSession, *rules: str):
    """Divide a session by rules as they are typed."""
    return divide(found, Split(hold_outs=tuple(parse_hold_out(rule) for rule in rules)))


def frames_of(spans) -> set[tuple[int, int]]:
    """Return every take and frame that spans hold."""
    return {(each.take, frame) for each in spans for frame in range(each.start, each.stop)}


rules = st.one_of(
    st.floats(0.001, 0.9).map(lambda share: f"time=last:{share:.3f}"),
    st.integers(0, 4).map(lambda number: f"take:{number}"),
    st.sampled_from(["gain=0", "amp.gain=0.5", "mode=8", "mode=all"]),
)
sessions = st.builds(
    lambda takes, stimulus: session(
        *(
            take(number, gain, mode, frames=frames, latency_frames=latency, held_out=held_out)
            for number, (gain, mode, frames, latency, held_out) in enumerate(takes)
        ),
        stimulus=stimulus,
    ),
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.5]),
            st.sampled_from(["4", "8"]),
            st.integers(0, 1200),
            st.integers(-50, 50),
            st.booleans(),
        ),
        max_size=5,
    ),
    st.sampled_from([None, STIMULUS]),
)


@given(sessions, st.lists(rules, max_size=3))
def test_nothing_learnt_is_scored(found, texts):
    """Whatever the rules, no frame is both learnt and scored, and no frame lies outside its recording."""
    try:
        learnt, scored = divided(found, *texts)
    except SplitError:
        return
    assert learnt
    heard, judged = frames_of(learnt), frames_of(scored)
    assert not heard & judged
    for number, frame in heard | judged:
        recorded = found.takes[number]
        assert 0 <= frame < 1000
        assert 0 <= frame + recorded.latency_frames < recorded.frames
    for each in itertools.chain(learnt, scored):
        assert each.start <= each.stop
    assert not {number for number, _ in heard} & {each.number for each in found.takes if each.held_out}


@given(
    st.one_of(
        st.builds(HoldOut, kind=st.just("take"), take=st.integers(0)),
        st.builds(HoldOut, kind=st.just("time"), share=st.integers(1, 9000).map(lambda part: part / 10_000)),
        st.builds(
            HoldOut,
            kind=st.just("knob"),
            knob=st.sampled_from(["gain", "amp.gain"]),
            value=st.floats(allow_nan=False).map(str) | st.text(min_size=1),
        ),
    )
)
def test_a_rule_reads_back_as_spelt(rule):
    """The text in a profile is the rule that made it."""
    assert parse_hold_out(rule.spelt) == rule


@pytest.mark.parametrize(
    "text", ["", "gain", "gain=", "=5", "take:", "take:-1", "take:x", "time=0.2", "time=first:0.2", "last:0.2"]
)
def test_a_misspelt_rule_shows_the_grammar(text):
    """The message quotes what was typed and shows what could be."""
    with pytest.raises(SplitError, match=r"is not understood. Write time=last:0\.2, gain=0\.5 or take:7"):
        parse_hold_out(text)


@pytest.mark.parametrize("share", ["0", "0.95", "1", "20", "0.2.3", "."])
def test_a_share_leaves_something_to_learn(share):
    """A tenth of the time at least is for learning, and a share of nothing is a mistake."""
    with pytest.raises(SplitError, match=r"the share lies between 0 and 0\.9"):
        parse_hold_out(f"time=last:{share}")


def test_without_rules_everything_is_learnt():
    """A session that marks nothing gives every frame to training."""
    assert divided(session(take(0), take(1))) == ((span(0), span(1)), ())


def test_the_last_share_of_every_take_is_held_out():
    """The share is of each take's own length; of several shares the largest counts."""
    found = session(take(0), take(1, frames=500))
    expected = ((span(0, 0, 800), span(1, 0, 400)), (span(0, 800, 1000), span(1, 400, 500)))
    assert divided(found, "time=last:0.2") == expected
    assert divided(found, "time=last:0.05", "time=last:0.2") == expected


def test_takes_with_a_knob_at_a_value_are_held_out():
    """A knob's short name will do, and a value that differs by a rounding is the same."""
    found = session(take(0, 0.0), take(1, 0.1 + 0.2), take(2, 1.0))
    for rule in ("amp.gain=0.3", "gain=0.3", "gain=.30"):
        assert divided(found, rule) == ((span(0), span(2)), (span(1),))


@pytest.mark.parametrize(("rule", "held_out"), [("mode=8", 1), ("amp.mode=all", 2)])
def test_takes_with_a_switch_at_a_choice_are_held_out(rule, held_out):
    """A choice that looks like a number is a choice all the same."""
    found = session(take(0), take(1, mode="8"), take(2, mode="all"))
    learnt, scored = divided(found, rule)
    assert scored == (span(held_out),)
    assert {each.take for each in learnt} == {0, 1, 2} - {held_out}


def test_rules_add_up():
    """Each rule holds out more."""
    found = session(take(0, 0.0), take(1, 0.5), take(2, 1.0))
    learnt, scored = divided(found, "take:0", "gain=1", "time=last:0.1")
    assert learnt == (span(1, 0, 900),)
    assert scored == (span(0, 900, 1000), span(1, 900, 1000), span(2, 900, 1000))


def test_what_the_session_holds_out_always_is():
    """Held-out takes, their replicates, and the held-out part of a stimulus are never learnt."""
    found = session(take(0), take(1, held_out=True), take(2, replicate_of=1), take(3, replicate_of=0))
    assert divided(found) == ((span(0), span(3)), (span(1), span(2)))
    with_part = session(take(0), take(1, held_out=True), stimulus=STIMULUS)
    assert divided(with_part) == ((span(0, 0, 800),), (span(0, 800, 1000), span(1, 800, 1000)))


def test_holding_out_a_replicate_holds_out_what_it_repeats():
    """Either of two takes of the same playing at the same settings takes the other with it."""
    found = session(take(0), take(1), take(2, replicate_of=1))
    for rule in ("take:1", "take:2"):
        assert divided(found, rule) == ((span(0),), (span(1), span(2)))


def test_frames_without_a_dry_or_a_wet_are_left_out():
    """A late wet ends early: what was not recorded is neither learnt nor scored."""
    found = session(take(0, latency_frames=30), take(1, frames=1200), take(2, frames=10, latency_frames=50))
    assert divided(found) == ((span(0, 0, 970), span(1)), ())


def test_moving_takes_stand_at_no_value():
    """A take along a knob track is not at a setting, so a knob's rule does not match it."""
    found = session(take(0, settings=None, knob_track="takes/000.knobs.json"), take(1))
    assert divided(found, "gain=0.5") == ((span(0),), (span(1),))


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("take:9", "no take 9 to hold out. Its takes: 0, 1"),
        ("gain=0.7", r"no take with amp\.gain=0\.7 to hold out"),
        ("gain=3", "amp.gain cannot stand at 3"),
        ("gain=loud", "takes a number; found 'loud'"),
        ("gain=nan", "cannot stand at nan"),
        ("mode=2", "no position '2'; it takes 4, 8, all"),
        ("treble=0.5", "'treble' is not a knob"),
    ],
)
def test_a_rule_that_holds_nothing_out_is_refused(rule, says):
    """A rule that matches no take would silently hold nothing out."""
    with pytest.raises(SplitError, match=says):
        divided(session(take(0), take(1)), rule)


def test_holding_everything_out_is_refused():
    """Training needs something to learn from."""
    for found, rule in ((session(take(0)), "take:0"), (session(take(0), take(1)), "gain=0.5")):
        with pytest.raises(SplitError, match="nothing to learn from"):
            divided(found, rule)
    with pytest.raises(SplitError, match="nothing to learn from"):
        divided(session())
