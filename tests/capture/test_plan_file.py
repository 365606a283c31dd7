"""plan.json: what it keeps, and that nothing strange in it goes unnoticed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capture.plan import PlannedTake, moving_plan
from capture.plan_file import PlanFile, next_number, read_plan, write_plan
from profiler.errors import ManifestError, SessionError
from profiler.knob import Knob
from profiler.session import CaptureSession, Dry, Gear, Take
from profiler.stimulus import Stimulus

KNOBS = (
    Knob(id="gain", name="Gain", maximum=10.0),
    Knob(id="bright", name="Bright", choices=("off", "on"), default="off"),
)
SESSION = CaptureSession(gear=Gear(name="Amp", kind="plugin"), knobs=KNOBS, sample_rate=8000)
FIRST = PlannedTake(number=0, form="short", seed=1, settings={"gain": 2.0, "bright": "on"})
TAKES = [
    FIRST,
    PlannedTake(number=1, form="held-out", seed=9, settings={"gain": 5.0, "bright": "on"}, held_out=True),
    replace(FIRST, number=2, replicate_of=0),
]


def noted(**values: float | str) -> PlanFile:
    """Return the plan with values noted for its first step."""
    plan = PlanFile.of(TAKES)
    return plan.with_step(replace(plan.steps[0], noted=values))


def test_what_is_written_is_read_again(tmp_path: Path):
    """Settings, notes, skips and knob tracks come back as they were."""
    for plan in (
        noted(gain=2.5),
        PlanFile.of(TAKES).with_step(replace(PlanFile.of(TAKES).steps[1], skipped=True)),
        PlanFile.of(moving_plan(KNOBS, sample_rate=8000, minutes=0.5, replicate=True)),
    ):
        write_plan(tmp_path, plan)
        assert read_plan(tmp_path, SESSION) == plan
    assert noted(gain=2.5).steps[0].take == replace(FIRST, settings={"gain": 2.5, "bright": "on"})


def test_no_plan_is_told(tmp_path: Path):
    """A session that was recorded otherwise has none."""
    with pytest.raises(SessionError, match="not begun as a guided capture"):
        read_plan(tmp_path, SESSION)


def at(*place: str | int, value: Any) -> Callable[[Any], None]:
    """Return an edit that puts a value at a place of the document."""

    def edit(document: Any) -> None:
        for part in place[:-1]:
            document = document[part]
        document[place[-1]] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (at("version", value=1), "format version 1"),
        (at("steps", value=[]), "0 steps"),
        (at("steps", value="all"), "steps, "),
        (at("steps", 1, "planned", "number", value=0), "step 1 is numbered 0"),
        (at("steps", 0, "planned", "form", value="opera"), r"steps\.0\.planned\.form"),
        (at("steps", 0, "planned", "seed", value=-1), "step 0 has the seed -1"),
        (at("steps", 0, "planned", "seconds", value=1e15), r"step 0 lasts 1e\+15 s"),
        (at("steps", 0, "planned", "seconds", value=0), "step 0 lasts 0 s"),
        (at("steps", 0, "planned", "settings", value=None), "step 0 must have settings or a knob track"),
        (at("steps", 0, "planned", "settings", value={"gain": 1}), "step 0 sets gain"),
        (at("steps", 0, "planned", "settings", "gain", value=11), "gain cannot stand at 11"),
        (at("steps", 0, "planned", "settings", "bright", value="dim"), "no position 'dim'"),
        (at("steps", 0, "planned", "track", value={"breakpoints": []}), "knob track must say"),
        (at("steps", 0, "noted", value={"volume": 1}), "'volume' is not a knob of this session"),
        (at("steps", 0, "noted", value={"gain": "much"}), "takes a number; found 'much'"),
        (at("steps", 1, "noted", value={"gain": 2}), "step 1 is held out, and stands where step 2 does"),
        (at("steps", 2, "planned", "replicate_of", value=2), "step 2 repeats 2"),
        (at("steps", 2, "planned", "replicate_of", value=-1), "step 2 repeats -1"),
        (at("steps", 2, "planned", "replicate_of", value=1), "step 2 repeats 1"),
    ],
)
def test_a_strange_plan_is_refused(tmp_path: Path, edit: Callable[[Any], None], words: str):
    """Whatever is wrong, the message names the file and the place."""
    write_plan(tmp_path, PlanFile.of(TAKES))
    document = json.loads((tmp_path / "plan.json").read_text())
    edit(document)
    (tmp_path / "plan.json").write_text(json.dumps(document))
    with pytest.raises(ManifestError, match=words) as error:
        read_plan(tmp_path, SESSION)
    assert str(tmp_path / "plan.json") in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b'{"steps": NaN}', b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_torn_plan_is_refused(tmp_path: Path, content: bytes):
    """What is no document of this kind is a ManifestError."""
    (tmp_path / "plan.json").write_bytes(content)
    with pytest.raises(ManifestError, match=r"plan\.json"):
        read_plan(tmp_path, SESSION)


@pytest.mark.parametrize(
    "change",
    [{"held_out": True}, {"replicate_of": 5}, {"settings": None}, {"settings": {"gain": 1.0}}],
    ids=str,
)
def test_takes_that_are_not_of_the_plan_are_refused(tmp_path: Path, change: dict[str, Any]):
    """The plan of another session in this folder is told, not gone on with."""
    write_plan(tmp_path, PlanFile.of(TAKES))
    dry = Dry(file="", sha256="", frames=1, stimulus=Stimulus(form="short", seed=1, sample_rate=8000, markers=()))
    take = Take(number=0, dry=0, file="", sha256="", frames=1, settings=FIRST.settings)
    session = replace(SESSION, dries=(dry,), takes=(take,))
    assert read_plan(tmp_path, session).takes == tuple(TAKES)
    with pytest.raises(ManifestError, match=r"take \d of session.json is not in the plan"):
        read_plan(tmp_path, replace(session, takes=(replace(take, **change),)))


def test_takes_may_join_behind_a_plan(tmp_path: Path):
    """Playing and proposals are numbered after all that is planned, and the plan goes on beside them."""
    dry = Dry(file="", sha256="", frames=1)
    assert next_number(tmp_path, SESSION) == 0
    write_plan(tmp_path, PlanFile.of(TAKES))
    assert next_number(tmp_path, SESSION) == len(TAKES)
    joined = Take(number=len(TAKES), dry=0, file="", sha256="", frames=1, settings=FIRST.settings)
    session = replace(SESSION, dries=(dry,), takes=(joined,))
    assert read_plan(tmp_path, session).takes == tuple(TAKES)
    assert next_number(tmp_path, session) == len(TAKES) + 1
