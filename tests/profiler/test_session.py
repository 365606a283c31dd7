"""Capture sessions."""

from dataclasses import replace

import pytest

from profiler.errors import ManifestError, SessionError
from profiler.finding import Finding
from profiler.knob import Knob
from profiler.manifest import from_json, to_json
from profiler.session import SESSION_VERSIONS, CaptureSession, Dry, Gear, Take, described
from profiler.stimulus import Marker, Stimulus

DRIVE = Knob(id="drive", name="Drive", unit="dB", maximum=40)
MODE = Knob(id="mode", name="Mode", choices=("soft", "hard"), default="soft")
STIMULUS = Stimulus(form="short", seed=1, sample_rate=48_000, markers=(Marker(name="blips", start=0, stop=9),))
SESSION = CaptureSession(
    gear=Gear(name="Pedal", kind="plugin"),
    knobs=(DRIVE, MODE),
    sample_rate=48_000,
    dries=(Dry(file="dry/000.wav", sha256="a", frames=10, stimulus=STIMULUS), Dry(file="d", sha256="b", frames=1)),
    takes=(
        Take(number=0, dry=0, file="t", sha256="c", frames=10, settings={"drive": 3.5, "mode": "hard"}),
        Take(number=4, dry=1, file="u", sha256="d", frames=9, knob_track="k", latency_frames=-3, polarity=-1),
        Take(
            number=7,
            dry=0,
            file="v",
            sha256="e",
            frames=10,
            held_out=True,
            replicate_of=0,
            findings=(Finding(kind="silent", message="No sound.", severity="warning"),),
        ),
    ),
)


def test_a_session_survives_its_document():
    """Everything a session says is in its JSON."""
    assert from_json(CaptureSession, to_json(SESSION), source="here", versions=SESSION_VERSIONS) == SESSION
    assert SESSION.version == SESSION_VERSIONS[-1]


def test_takes_are_found_by_number():
    """Numbers are the takes' own, not their places in the list."""
    assert SESSION.take(4) is SESSION.takes[1]
    assert SESSION.take(1) is None


def test_takes_of_one_number_are_refused():
    """Two takes of one number could not be told apart in a split."""
    with pytest.raises(SessionError, match="found take 4 more than once"):
        replace(SESSION, takes=(SESSION.takes[1], SESSION.takes[1]))


@pytest.mark.parametrize("dry", [2, -1])
def test_a_take_of_a_dry_that_is_not_there_is_refused(dry):
    """A damaged session.json is found when it is read, not in the middle of training."""
    with pytest.raises(SessionError, match=f"Take 4 names dry {dry}; the session has 2"):
        replace(SESSION, takes=(replace(SESSION.takes[1], dry=dry),))
    damaged = to_json(SESSION).replace(b'"dry": 1', b'"dry": %d' % dry)
    with pytest.raises(ManifestError, match="here is not a valid CaptureSession: Take 4 names dry"):
        from_json(CaptureSession, damaged, source="here")


def test_settings_are_described_on_one_line():
    """People read names and units; moving knobs and no knobs are said so."""
    assert described(SESSION.knobs, {"drive": 3.5, "mode": "hard"}) == "Drive 3.5 dB, Mode hard"
    assert described(SESSION.knobs, None) == "moving knobs"
    assert described((), {}) == "no knobs"
