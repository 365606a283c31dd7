"""Going on from a profile: other takes refine it, what it knew stays, and what does not fit is refused."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from capture.plugin_rig import PluginRig
from profiler.audio import Audio
from profiler.effects import ConvolutionalEffect, Effect
from profiler.errors import ProfileError, TrainingError
from profiler.evaluation import evaluate
from profiler.knob import Knob
from profiler.knob_track import KnobTrack
from profiler.profile import CurvePoint, LearntSpan, LoadedProfile
from profiler.programme import programme
from profiler.progress import Progress
from profiler.rendering import ProfileProcessor
from profiler.score import energies
from profiler.session import CaptureSession, Take
from profiler.session_folder import SessionFolder
from profiler.split import HoldOut, Split, divide
from profiler.training import Schedule, TrainingPlan, WarmStart, train, warm_start
from profiler.training.examples import Examples, Passage
from profiler.training.state import TrainingState
from profiler.training.warm_start import refining_examples
from profiler.training.watch import Watch

RATE = 48_000
STEPS = 48
SETTINGS = {"drive_db": 30.0}


@pytest.fixture(autouse=True)
def short_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute of rehearsal is enough here."""
    monkeypatch.setattr(warm_start, "_REHEARSED_SECONDS", 30.0)


@pytest.fixture
def start(trained: Path) -> WarmStart:
    """The trained profile as a start."""
    return WarmStart.read(trained)


def with_playing(folder: SessionFolder, *, number: int) -> SessionFolder:
    """Add eleven seconds of other playing at one setting to a session."""
    session = folder.session
    dry = Audio(samples=0.3 * programme(77, sample_rate=RATE, frames=11 * RATE)[None], sample_rate=RATE)
    with PluginRig(session.gear, session.knobs, sample_rate=RATE) as rig:
        wet = rig.play(dry, KnobTrack.still(SETTINGS), on_done=lambda _: None)
    take = Take(number=number, dry=folder.add_dry(dry, None), file="", sha256="", frames=0, settings=SETTINGS)
    folder.add_take(take, wet)
    return folder


@pytest.fixture(scope="module")
def playing(captured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of new playing alone. Read only."""
    path = tmp_path_factory.mktemp("playing") / "session"
    session = replace(SessionFolder.open(captured).session, dries=(), takes=())
    with_playing(SessionFolder.create(path, session), number=0)
    return path


def plan(start: WarmStart, steps: int = STEPS) -> TrainingPlan:
    """Return a plan to go on from a profile."""
    return TrainingPlan(schedule=Schedule(steps=steps), warm_start=start)


def played(loaded: LoadedProfile, seed: int, drive: float) -> NDArray[np.float32]:
    """Return what a profile makes of six seconds of playing."""
    dry = programme(seed, sample_rate=RATE, frames=6 * RATE)[None]
    return ProfileProcessor(loaded, {"drive": drive}).process(dry, RATE)


def ratio(target: NDArray[np.float32], predicted: NDArray[np.float32]) -> float:
    """Return the ESR."""
    wrong, energy = energies(target, predicted)
    return wrong / energy


def test_new_takes_are_learnt_and_the_rest_stays(convolutional: Callable[..., LoadedProfile], tmp_path: Path):
    """Gear that is weaker at full drive than its profile, with the old takes there: only full drive changes."""
    loaded = convolutional(
        knobs=(Knob(id="drive", name="Drive", default=0.5),), channels=2, taps=[3, 3], dilations=[1, 2]
    )
    session = CaptureSession(gear=loaded.profile.gear, knobs=loaded.profile.knobs, sample_rate=RATE)
    folder = SessionFolder.create(tmp_path / "s", session)
    for number, (drive, gain) in enumerate(((0.0, 1.0), (0.5, 1.0), (1.0, 0.8))):
        dry = Audio(samples=programme(number, sample_rate=RATE, frames=6 * RATE)[None], sample_rate=RATE)
        wet = gain * played(loaded, number, drive)
        wet += np.random.default_rng(number).normal(0, 0.14 * np.sqrt(np.mean(wet**2)), wet.shape).astype(np.float32)
        take = Take(
            number=number, dry=folder.add_dry(dry, None), file="", sha256="", frames=0, settings={"drive": drive}
        )
        folder.add_take(take, Audio(samples=wet, sample_rate=RATE))
    known = [
        LearntSpan(sha256=take.sha256, dry_sha256="", start=0, stop=take.frames, settings=())
        for take in folder.session.takes[:2]
    ]
    told = replace(loaded.profile.provenance, learnt=tuple(known))
    start = WarmStart(loaded=replace(loaded, profile=replace(loaded.profile, provenance=told)), sha256="0")
    refined = train(folder, plan(start, 300), tmp_path / "p.tonecast")
    there = 0.8 * played(loaded, 7, 1.0)
    before, after = (ratio(there, played(each, 7, 1.0)) for each in (loaded, refined))
    assert after < 0.5 * before
    assert max(ratio(played(loaded, 7, drive), played(refined, 7, drive)) for drive in (0.0, 0.5)) < 0.01
    assert refined.profile.provenance.findings == ()


def test_the_refined_profile_says_what_it_went_on_from(start: WarmStart, captured: Path, playing: Path, tmp_path: Path):
    """The start's hash, all that it had learnt, and its gear, knobs and scales; its takes are still marked as seen."""
    refined = train(SessionFolder.open(playing), plan(start, 2), tmp_path / "p.tonecast")
    told, before = refined.profile.provenance, start.profile.provenance
    assert told.warm_start == start.sha256
    assert told.learnt[: len(before.learnt)] == before.learnt
    assert [span.sha256 for span in told.learnt[len(before.learnt) :]] == [
        take.sha256 for take in SessionFolder.open(playing).session.takes
    ]
    assert refined.profile.stages == start.profile.stages
    assert (refined.profile.gear, refined.profile.knobs) == (start.profile.gear, start.profile.knobs)
    rows = evaluate(refined, SessionFolder.open(captured)).takes
    assert sorted((row.take, row.seen) for row in rows) == [(0, True), (1, False), (2, False)]
    assert all(row.seen for row in evaluate(refined, SessionFolder.open(playing)).takes)


def test_a_rule_of_another_session_is_no_hindrance(start: WarmStart, captured: Path, session: SessionFolder):
    """A profile that held out a take which this session lacks is scored on it all the same."""
    told = replace(start.profile.provenance, hold_outs=("take:99", "drive_db=3", "time=last:0.1"))
    loaded = replace(start.loaded, profile=replace(start.profile, provenance=told))
    assert len(evaluate(loaded, SessionFolder.open(captured)).takes) == 3


def test_half_is_new_and_half_is_rehearsed(start: WarmStart, playing: Path):
    """The new takes' ten seconds come as often as half a minute of rehearsal, which visits the whole knob space."""
    folder = SessionFolder.open(playing)
    learnt, _ = divide(folder.session, Split())
    examples, _ = refining_examples(start, folder, learnt, seed=0)
    new = [each for each in examples.learnt if np.allclose(examples.positions[each.knobs], 0.75)]
    addresses = [passage.dry.ctypes.data for passage in new]
    assert len(new) > len(set(addresses))
    assert 0.4 < sum(passage.frames for passage in new) / examples.learnt_frames < 0.6
    old = np.concatenate([each.knobs for each in examples.learnt if each.dry.ctypes.data not in addresses])
    visited = examples.positions[np.unique(old)]
    assert visited.min() < 0.2
    assert visited.max() > 0.8
