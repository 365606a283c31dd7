"""Profiles."""

import json
from dataclasses import FrozenInstanceError

import pytest

from profiler.errors import ManifestError
from profiler.knob import Knob
from profiler.manifest import from_json, to_json
from profiler.profile import PROFILE_VERSIONS, CurvePoint, LearntSpan, Profile, Provenance, Stage
from profiler.score import Aliasing, Listening, Score, TakeScore
from profiler.session import Gear

HEARD = Listening(mr_stft=0.3, mfcc_l1=None, listening_score=None, loudness_difference=-0.5)
PROFILE = Profile(
    name="Drive",
    gear=Gear(name="Pedal", kind="plugin"),
    knobs=(Knob(id="drive", name="Drive"), Knob(id="mode", name="Mode", choices=("a", "b"), default="a")),
    sample_rate=48_000,
    stages=(
        Stage(kind="filter", config={"taps": 64, "phase": "linear", "bands": [1.5, None]}, prefix="0."),
        Stage(kind="recurrent", config={}, prefix="1."),
    ),
    latency_frames=12,
    golden_settings={"drive": 0.5, "mode": "b"},
    provenance=Provenance(
        learnt=(LearntSpan(sha256="ab", dry_sha256="cd", start=0, stop=10, settings=({"drive": 1.0},)),),
        hold_outs=("time=last:0.2", "take:7"),
        seed=3,
        steps=60,
        seconds=1.5,
        audio_seconds=20.0,
        limited_by="steps",
        curve=(CurvePoint(seconds=0.5, step=10, esr=0.25),),
        versions={"torch": "2.13.0"},
    ),
    score=Score(
        esr=0.1,
        esr_median=0.1,
        esr_worst=0.2,
        floor=None,
        takes=(
            TakeScore(
                take=1,
                knobs=None,
                seconds=2.0,
                seen=False,
                settings_seen=True,
                material_seen=False,
                esr=None,
                esr_pre_emphasis=None,
                target_db=-120.0,
                predicted_db=-90.0,
                error_energy=0.0,
                target_energy=0.0,
                listening=HEARD,
                grade="usable",
            ),
        ),
        listening=HEARD,
        grade="good",
        aliasing=Aliasing(gear_db=-71.0, profile_db=-64.5),
    ),
)


def test_a_profile_survives_its_document():
    """Any number of stages, switches, scores and where it comes from: all is in profile.json."""
    assert from_json(Profile, to_json(PROFILE), source="here", versions=PROFILE_VERSIONS) == PROFILE


def test_a_profile_of_before_listening_is_read():
    """A document without the fields that came later is a profile without what they say."""
    document = json.loads(to_json(PROFILE))
    for scored in (document["score"], *document["score"]["takes"]):
        del scored["listening"], scored["grade"]
    del document["score"]["aliasing"]
    read = from_json(Profile, json.dumps(document).encode(), source="here", versions=PROFILE_VERSIONS)
    assert read.score.aliasing is None
    assert (read.score.listening, read.score.grade, read.score.takes[0].grade) == (None, None, None)
    assert read.score.esr == PROFILE.score.esr


def test_a_new_profile_has_a_version_that_is_read():
    """What this program writes, it reads."""
    assert PROFILE.version == PROFILE_VERSIONS[-1]


def test_a_profile_does_not_change():
    """Profiles are values: a changed one is another one."""
    with pytest.raises(FrozenInstanceError):
        PROFILE.name = "Other"


@pytest.mark.parametrize(
    ("found", "replaced", "place"),
    [
        (b'"limited_by": "steps"', b'"limited_by": "boredom"', "provenance.limited_by"),
        (b'"sample_rate": 48000', b'"sample_rate": "fast"', "sample_rate"),
        (b'"kind": "filter",', b"", r"stages\.0\.kind"),
        (b'"kind": "plugin"', b'"kind": "spaceship"', r"gear\.kind"),
    ],
)
def test_a_profile_that_says_something_else_names_the_place(found, replaced, place):
    """A damaged field is told by its path."""
    damaged = to_json(PROFILE).replace(found, replaced)
    assert damaged != to_json(PROFILE)
    with pytest.raises(ManifestError, match=f"at {place}, "):
        from_json(Profile, damaged, source="here")
