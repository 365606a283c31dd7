"""Which knobs work, which do nothing, and where that cannot be told."""

import numpy as np
import pytest

from profiler.checks import check_session
from profiler.checks.knob_regression import check_knobs_by_regression, describe_segment
from profiler.knob import Knob

RATE = 48_000
DRIVE, TONE, IDLE = (Knob(id=name, name=name.capitalize(), default=0.5) for name in ("drive", "tone", "idle"))


def gear(dry, settings):
    """Drive into a soft clipper, and a tone knob behind it that only acts on what is driven hard."""
    driven = 0.99 * np.tanh(dry * (1 + 20 * settings["drive"]))
    return (driven + settings.get("tone", 0) * settings["drive"] * np.diff(driven, prepend=0)).astype(np.float32)


def segments_of(playing, knobs, *, seconds, noise=0.0):
    """Return the segments of a moving take: new settings every second, at random."""
    rng = np.random.default_rng(2)
    for start in range(0, int(seconds) * RATE, RATE):
        at = start % (len(playing) - RATE)
        dry = playing[at : at + RATE] * rng.uniform(0.2, 1)
        settings = {knob.id: float(rng.random()) for knob in knobs}
        wet = gear(dry, settings) + rng.normal(0, noise, RATE).astype(np.float32)
        segment = describe_segment(settings, dry, wet, RATE)
        if segment is not None:
            yield segment


def verdicts(found):
    """Return the verdict by knob."""
    return {each.knob: each.verdict for each in found}


def test_moving_takes_tell_knobs_apart(playing):
    """While all knobs move at once, over changing playing, those that work are told from the one that does not."""
    knobs = (DRIVE, TONE, IDLE)
    found = verdicts(check_knobs_by_regression(knobs, list(segments_of(playing, knobs, seconds=180))))
    assert found["drive"] == "works"
    assert found["tone"] == "works"
    assert found["idle"] != "works"


def test_a_knob_is_only_called_idle_when_the_data_show_it(playing):
    """Gear that is the same at all settings: seen in three minutes; nothing is claimed from twenty seconds."""
    level = Knob(id="level", name="Level", default=0.5)

    def moving(seconds):
        rng = np.random.default_rng(3)
        for start in range(0, seconds * RATE, RATE):
            at = start % (len(playing) - RATE)
            settings = {"level": float(rng.random()), "idle": float(rng.random())}
            dry = playing[at : at + RATE]
            segment = describe_segment(settings, dry, dry * np.float32(0.2 + settings["level"]), RATE)
            if segment is not None:
                yield segment

    many = verdicts(check_knobs_by_regression((level, IDLE), list(moving(180))))
    few = verdicts(check_knobs_by_regression((level, IDLE), list(moving(20))))
    assert many == {"level": "works", "idle": "does nothing"}
    assert few["idle"] == "cannot tell"


def test_takes_of_the_same_playing(record, playing):
    """Pairs that differ in one knob settle it: one works, one does nothing and is named."""
    dry = playing[: 4 * RATE]
    corners = [{"drive": drive, "idle": idle} for drive in (0.0, 1.0) for idle in (0.0, 1.0)]
    check = check_session(record(*((dry, gear(dry, each), each) for each in corners), knobs=(DRIVE, IDLE)))
    assert verdicts(check.knobs) == {"drive": "works", "idle": "does nothing"}
    assert [finding.kind for finding in check.findings if finding.severity == "warning"] == ["little", "idle-knob"]
    assert "idle" in check.findings[-1].message


@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_one_pair_among_several_knobs_is_too_little(record, playing, noise):
    """Another knob may be what hides this one, so a single pair claims nothing."""
    dry = playing[: 4 * RATE]
    rng = np.random.default_rng(0)
    settings = [{"drive": 0.0, "tone": 0.0}, {"drive": 0.0, "tone": 1.0}, {"drive": 0.7, "tone": 0.3}]
    takes = ((dry, gear(dry, each) + rng.normal(0, noise, len(dry)), each) for each in settings)
    assert verdicts(check_session(record(*takes, knobs=(DRIVE, TONE))).knobs)["tone"] == "cannot tell"


def test_noise_may_hide_a_knob(record, playing):
    """When takes are as different at equal settings, nothing is said about the knob."""
    dry = playing[: 4 * RATE]
    rng = np.random.default_rng(0)
    takes = ((dry, dry + rng.normal(0, 0.01, len(dry)), {"idle": at}) for at in (0.0, 0.0, 1.0, 1.0))
    assert verdicts(check_session(record(*takes, knobs=(IDLE,))).knobs) == {"idle": "cannot tell"}
