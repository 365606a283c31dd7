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
    assert [len(examples.watched), len(examples.guarded)] == [1, 1]


def test_takes_that_are_there_are_not_rehearsed(
    start: WarmStart, session: SessionFolder, monkeypatch: pytest.MonkeyPatch
):
    """With the old takes beside the new ones both are learnt as recorded, and the old are guarded."""
    monkeypatch.setattr(warm_start, "_rehearsal", None)
    with_playing(session, number=50)
    learnt, _ = divide(session.session, Split())
    examples, _ = refining_examples(start, session, learnt, seed=0)
    assert len(examples.watched) == len(examples.guarded) == 1
    assert examples.guarded[0].frames > examples.watched[0].frames
    without, _ = refining_examples(start, session, [span for span in learnt if span.take != 50], seed=0)
    assert without.guarded == ()


@pytest.mark.parametrize(("gain", "kept"), [(0.99, 0.99), (0.97, 0.97), (0.8, 1.0), (float("nan"), 1.0)])
def test_nothing_that_spoils_the_old_is_kept(gained: Callable[[float], Effect], gain: float, kept: float):
    """What nears the new is kept only while it strays from the old by less than a quarter more than the start erred."""
    dry = np.random.default_rng(0).normal(0, 0.3, RATE).astype(np.float32)
    zeros, ones = np.zeros(RATE, np.int32), np.ones(RATE, np.bool_)
    new, old = (Passage(dry=dry, wet=np.float32(to) * dry, knobs=zeros, counts=ones) for to in (0.5, 1.0))
    examples = Examples(learnt=(new, old), watched=(new,), guarded=(old,), positions=np.zeros((1, 0), np.float32))
    watch = Watch(examples, start=gained(1.0), known_esr=0.04)
    state = TrainingState.fresh(gained(1.0), seed=0)
    watch.look(state)
    for each in (state.effect, state.average):
        each.gain.data.fill_(gain)
    watch.look(state)
    assert float(state.best["gain"]) == pytest.approx(kept)


def test_stopping_costs_nothing(start: WarmStart, playing: Path, trained: Path, tmp_path: Path):
    """Stopped and gone on with, the weights are those of a training that was not; another start does not go on."""
    folder, out, done = SessionFolder.open(playing), tmp_path / "p.tonecast", list[Progress]()
    whole = train(folder, plan(start), tmp_path / "whole.tonecast")
    stopped = train(folder, plan(start), out, on_progress=done.append, stopped=lambda: bool(done))
    assert stopped.profile.provenance.steps < STEPS
    resumed = train(folder, plan(start), out, resume=True)
    assert all(np.array_equal(each, resumed.weights[name]) for name, each in whole.weights.items())
    assert resumed.profile.provenance.curve[0] == CurvePoint(
        seconds=resumed.profile.provenance.curve[0].seconds, step=0, esr=whole.profile.provenance.curve[0].esr
    )
    with pytest.raises(TrainingError, match="another session"):
        train(folder, plan(replace(start, sha256="0" * 64)), out, resume=True)


def test_what_is_held_out_is_not_learnt(start: WarmStart, playing: Path, tmp_path: Path):
    """Rules hold out of the new takes as ever, and stand beside those of the start."""
    told = replace(start.profile.provenance, hold_outs=("take:7",))
    other = replace(start, loaded=replace(start.loaded, profile=replace(start.profile, provenance=told)))
    split = Split(hold_outs=(HoldOut(kind="time", share=0.2),))
    refined = train(SessionFolder.open(playing), replace(plan(other, 1), split=split), tmp_path / "p.tonecast")
    assert refined.profile.provenance.hold_outs == ("take:7", "time=last:0.2")
    assert refined.profile.provenance.learnt[-1].stop < 0.81 * 11 * RATE


def changed_knob(knob: Knob) -> dict[str, Knob]:
    """Return knobs that are not the profile's, by what is wrong with them."""
    return {
        "knobs are other": replace(knob, id="other"),
        "-10 dB to 40": replace(knob, minimum=-10.0),
        "off, on": Knob(id=knob.id, name="x", choices=("off", "on"), default="on"),
    }


@pytest.mark.parametrize("wrong", ["knobs are other", "-10 dB to 40", "off, on"])
def test_other_knobs_are_refused(start: WarmStart, session: SessionFolder, wrong: str):
    """Knobs of another name, outside the profile's range or of another sort are told, with what was expected."""
    session.session = replace(session.session, knobs=(changed_knob(session.session.knobs[0])[wrong],))
    with pytest.raises(TrainingError, match=wrong) as told:
        start.check_kinship(session.session)
    assert "drive_db" in str(told.value)
    assert "without --warm-start" in str(told.value)


def test_no_knobs_and_another_rate_are_refused(start: WarmStart, session: SessionFolder):
    """A session without the knobs, and one at 44.1 kHz, are told as such."""
    with pytest.raises(TrainingError, match=r"knobs are none.*a column for each"):
        start.check_kinship(replace(session.session, knobs=()))
    with pytest.raises(TrainingError, match=r"44100 Hz.*48000 Hz"):
        start.check_kinship(replace(session.session, sample_rate=44_100))


def test_profiles_that_cannot_go_on_are_refused(
    start: WarmStart, convolutional: Callable[..., LoadedProfile], tmp_path: Path, trained: Path
):
    """An unknown kind, two stages, and a file that is no profile."""
    unknown = replace(start.profile.stages[0], kind="magic")
    with pytest.raises(ProfileError, match="magic"):
        replace(start, loaded=replace(start.loaded, profile=replace(start.profile, stages=(unknown,)))).effect()
    one = convolutional()
    two = replace(one.profile, stages=(one.profile.stages[0], replace(one.profile.stages[0], prefix="1.")))
    weights = dict(one.weights) | {"1." + name[2:]: each for name, each in one.weights.items()}
    with pytest.raises(TrainingError, match="2 stages"):
        WarmStart(loaded=replace(one, profile=two, weights=weights), sha256="").effect()
    shutil.copy(trained, tmp_path / "p.tonecast")
    (tmp_path / "p.tonecast").write_bytes(b"rubbish")
    with pytest.raises(ProfileError, match="not a whole profile"):
        WarmStart.read(tmp_path / "p.tonecast")


def test_an_effect_that_goes_on_can_learn(start: WarmStart):
    """Its parameters take gradients, and its scales are the profile's own."""
    effect = start.effect()
    assert all(each.requires_grad for each in effect.parameters())
    if isinstance(effect, ConvolutionalEffect):
        assert effect.config == dict(start.profile.stages[0].config)
