"""Training from a session to a profile: exact by seed, safe when stopped or killed, blind to what is held out."""

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import profiler
from profiler.audio import Audio
from profiler.effects import Effect
from profiler.errors import SplitError, TrainingError
from profiler.knob import Knob
from profiler.profile import LoadedProfile
from profiler.progress import Progress
from profiler.rendering import ProfileProcessor
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder
from profiler.split import HoldOut, Split
from profiler.training import Schedule, TrainingPlan, forget_checkpoint, train
from profiler.training.audition import AUDITION_SHARE
from profiler.training.checkpoint import checkpoint_path
from profiler.training.examples import Examples, Passage
from profiler.training.outcome import outcome_findings
from profiler.training.windows import ROWS, WINDOW_FRAMES

STEPS = 80
ROUND = 16
AUDITIONED = 5  # steps, of 80
PLAN = TrainingPlan(schedule=Schedule(steps=STEPS), light=False)

KILLED = """
import sys
from pathlib import Path
from profiler.session_folder import SessionFolder
from profiler.training import Schedule, TrainingPlan, loop, train

def wait(told):
    if told.done > 0.3:
        print("kept", flush=True)
        sys.stdin.read()

if __name__ == "__main__":
    loop._KEEP_EVERY_SECONDS = 0
    plan = TrainingPlan(schedule=Schedule(steps=80), light=False)
    train(SessionFolder.open(Path(sys.argv[1])), plan, Path(sys.argv[2]), on_progress=wait)
"""
"""A training that stands still after a round, with a checkpoint on disk."""

KILLED_IN_THE_AUDITION = KILLED.replace("told.done > 0.3", "told.done > 0")


@pytest.fixture(scope="module")
def whole(captured: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedProfile:
    """What all the steps give that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole") / "drive.tonecast"
    return train(SessionFolder.open(captured), PLAN, out)


def same(one: Mapping[str, NDArray[np.float32]], other: Mapping[str, NDArray[np.float32]]) -> bool:
    """Whether two sets of weights are equal to the last bit."""
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def made(path: Path, dry: NDArray[np.float32], wet: NDArray[np.float32]) -> SessionFolder:
    """Return a session of one take of these signals."""
    knob = Knob(id="gain", name="gain")
    session = CaptureSession(gear=Gear(name="x", kind="plugin"), knobs=(knob,), sample_rate=48_000)
    folder = SessionFolder.create(path, session)
    number = folder.add_dry(Audio(samples=dry, sample_rate=48_000), None)
    take = Take(number=0, dry=number, file="", sha256="", frames=0, settings={"gain": 0.5})
    folder.add_take(take, Audio(samples=wet, sample_rate=48_000))
    return folder


def past_the_audition(done: list[Progress]) -> bool:
    """Whether the effect that was chosen has gone on for a round."""
    return bool(done) and done[-1].done > 2 * AUDITION_SHARE + 0.1


def test_the_same_seed_gives_the_same_weights(session: SessionFolder, whole: LoadedProfile, tmp_path: Path):
    """From another copy of the session, in another place, every weight is equal to the last bit."""
    again = train(session, PLAN, tmp_path / "again.tonecast")
    assert same(again.weights, whole.weights)
    assert np.array_equal(again.golden_wet, whole.golden_wet)


def test_another_seed_gives_other_weights(captured: Path, whole: LoadedProfile, tmp_path: Path):
    """The seed decides the starting weights and the excerpts."""
    other = train(SessionFolder.open(captured), replace(PLAN, seed=1), tmp_path / "other.tonecast")
    assert not any(np.array_equal(each, whole.weights.get(name, each + 1)) for name, each in other.weights.items())
    assert not np.array_equal(other.golden_wet, whole.golden_wet)
    assert other.profile.provenance.seed == 1


def test_the_error_falls(captured: Path, tmp_path: Path):
    """The watched error after a hundred steps is less than two thirds of that after one step."""
    plan = TrainingPlan(schedule=Schedule(steps=100))
    curve = train(SessionFolder.open(captured), plan, tmp_path / "p.tonecast").profile.provenance.curve
    first = train(SessionFolder.open(captured), TrainingPlan(schedule=Schedule(steps=1)), tmp_path / "p.tonecast")
    (start,) = first.profile.provenance.curve
    assert min(point.esr for point in curve) < 0.67 * start.esr


def test_a_profile_says_where_it_comes_from(captured: Path, whole: LoadedProfile):
    """Learnt frames by hash, seed, steps, audio heard and versions are written down; nothing held out is among them."""
    session = SessionFolder.open(captured).session
    told = whole.profile.provenance
    assert [(span.sha256, span.start, span.stop) for span in told.learnt] == [
        (session.takes[0].sha256, 0, session.takes[0].frames)
    ]
    assert (told.seed, told.steps, told.limited_by, told.hold_outs) == (0, STEPS, "steps", ())
    assert told.audio_seconds == pytest.approx(STEPS * ROWS * WINDOW_FRAMES / 48_000, abs=0.1)
    assert [point.step for point in told.curve] == [*range(AUDITIONED, STEPS, ROUND), STEPS]
    assert {"tonecast", "torch", "numpy"} <= told.versions.keys()
    assert whole.profile.knobs == session.knobs
    assert whole.profile.name == "drive"


def test_the_golden_pair_is_what_the_profile_plays(whole: LoadedProfile):
    """A stretch of the session's loudest dry and the profile's wet for it, at the default settings."""
    assert whole.golden_dry.shape == whole.golden_wet.shape == (1, 12_000)
    assert np.abs(whole.golden_dry).max() > 0.1
    wet = ProfileProcessor(whole, whole.profile.golden_settings).process(whole.golden_dry, 48_000)
    assert np.abs(wet - whole.golden_wet).max() < 1e-5


def test_a_stopped_training_gives_its_best_and_goes_on(captured: Path, tmp_path: Path):
    """Stopped half-way there is a profile to use, and with `resume` the training reaches its last step."""
    out, folder = tmp_path / "drive.tonecast", SessionFolder.open(captured)
    done: list[Progress] = []
    stopped = train(folder, PLAN, out, on_progress=done.append, stopped=lambda: past_the_audition(done))
    assert stopped.profile.provenance.limited_by == "interrupted"
    assert stopped.profile.provenance.steps == AUDITIONED + ROUND
    assert np.isfinite(ProfileProcessor(stopped).process(stopped.golden_dry, 48_000)).all()
    assert checkpoint_path(out).is_file()
    finished = train(folder, PLAN, out, resume=True)
    assert (finished.profile.provenance.limited_by, finished.profile.provenance.steps) == ("steps", STEPS)
    forget_checkpoint(out)
    assert list(tmp_path.iterdir()) == []
    forget_checkpoint(out)


def test_stopping_between_rounds_costs_nothing(captured: Path, whole: LoadedProfile, tmp_path: Path):
    """A training stopped after a round and gone on with takes the very steps of one that was not."""
    out, folder = tmp_path / "drive.tonecast", SessionFolder.open(captured)
    done: list[Progress] = []
    train(folder, PLAN, out, on_progress=done.append, stopped=lambda: past_the_audition(done))
    assert same(train(folder, PLAN, out, resume=True).weights, whole.weights)


def test_a_killed_training_goes_on_exactly(captured: Path, whole: LoadedProfile, tmp_path: Path):
    """Killed with SIGKILL after a checkpoint and gone on with, the weights are those of a training never killed."""
    out = tmp_path / "drive.tonecast"
    root = Path(profiler.__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(captured), str(out)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "kept\n"
        assert checkpoint_path(out).is_file()
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint_path(out).name]
    resumed = train(SessionFolder.open(captured), PLAN, out, resume=True)
    assert resumed.profile.provenance.steps == STEPS
    assert resumed.profile.provenance.curve[-1].step == STEPS
    assert same(resumed.weights, whole.weights)


def test_only_the_same_training_goes_on(session: SessionFolder, tmp_path: Path):
    """A checkpoint of another seed, length, split or session is refused, and so is none at all."""
    out = tmp_path / "drive.tonecast"
    with pytest.raises(TrainingError, match="no stopped training"):
        train(session, PLAN, out, resume=True)
    train(session, PLAN, out, stopped=lambda: True)
    split = Split(hold_outs=(HoldOut(kind="time", share=0.1),))
    for plan in (
        replace(PLAN, seed=1),
        replace(PLAN, schedule=Schedule(steps=STEPS + 1)),
        replace(PLAN, schedule=Schedule(budget_seconds=80.0)),
        replace(PLAN, split=split),
    ):
        with pytest.raises(TrainingError, match="another session, split, seed"):
            train(session, plan, out, resume=True)
    takes = session.session.takes
    session.session = replace(session.session, takes=(replace(takes[0], latency_frames=1), *takes[1:]))
    with pytest.raises(TrainingError, match="another session"):
        train(session, PLAN, out, resume=True)


def test_a_damaged_checkpoint_does_not_go_on(captured: Path, tmp_path: Path):
    """A checkpoint cut in half is a TrainingError; without `resume` training starts again over it."""
    out, folder = tmp_path / "drive.tonecast", SessionFolder.open(captured)
    train(folder, PLAN, out, stopped=lambda: True)
    checkpoint = checkpoint_path(out)
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(TrainingError, match="is damaged"):
        train(folder, PLAN, out, resume=True)
    fresh = train(folder, TrainingPlan(schedule=Schedule(steps=2)), out)
    assert fresh.profile.provenance.steps == 2


def test_held_out_audio_plays_no_part(session: SessionFolder, whole: LoadedProfile, tmp_path: Path):
    """With every held-out recording overwritten by rubbish, the weights are the same to the last bit."""
    held_out = [take for take in session.session.takes if take.held_out]
    assert len(held_out) == 3
    for take in held_out:
        (session.path / take.file).write_bytes(b"rubbish")
        (session.path / session.session.dries[take.dry].file).write_bytes(b"rubbish")
    assert same(train(session, PLAN, tmp_path / "p.tonecast").weights, whole.weights)


def test_a_rule_holds_out_as_well(session: SessionFolder, tmp_path: Path):
    """The last fifth of the time is not learnt, and the rule is written down; holding out all is a SplitError."""
    split = Split(hold_outs=(HoldOut(kind="time", share=0.2),))
    plan = TrainingPlan(schedule=Schedule(steps=1), split=split)
    told = train(session, plan, tmp_path / "p.tonecast").profile.provenance
    assert told.hold_outs == ("time=last:0.2",)
    assert told.learnt[0].stop == pytest.approx(0.8 * session.session.takes[0].frames, abs=1)
    everything = Split(hold_outs=(HoldOut(kind="take", take=0),))
    with pytest.raises(SplitError, match="leave nothing"):
        train(session, replace(plan, split=everything), tmp_path / "p.tonecast")


def test_too_little_audio_is_refused(tmp_path: Path):
    """A fiftieth of a second is answered with how much is needed."""
    sound = np.random.default_rng(0).normal(0, 0.2, (1, 1000)).astype(np.float32)
    with pytest.raises(TrainingError, match="1000 frames; at least 1024"):
        train(made(tmp_path / "s", sound, sound), PLAN, tmp_path / "p.tonecast")


def test_silence_is_refused(tmp_path: Path):
    """A wet that is all zeros has nothing to teach."""
    sound = np.random.default_rng(0).normal(0, 0.2, (1, 48_000)).astype(np.float32)
    with pytest.raises(TrainingError, match="silent"):
        train(made(tmp_path / "s", sound, np.zeros_like(sound)), PLAN, tmp_path / "p.tonecast")


def test_a_short_take_of_a_gain_can_be_learnt(tmp_path: Path):
    """Half a second, too short to keep any of it aside, still gives a profile that is nearer than silence."""
    sound = np.random.default_rng(0).normal(0, 0.2, (1, 24_000)).astype(np.float32)
    loaded = train(
        made(tmp_path / "s", sound, 0.5 * sound), replace(PLAN, schedule=Schedule(steps=40)), tmp_path / "p.tonecast"
    )
    wet = ProfileProcessor(loaded).process(sound, 48_000)
    assert loaded.profile.provenance.curve == ()
    assert float(np.sum((wet - 0.5 * sound) ** 2) / np.sum((0.5 * sound) ** 2)) < 0.6


def test_killed_in_the_audition_it_begins_again(captured: Path, whole: LoadedProfile, tmp_path: Path):
    """Killed while effects still compete, `resume` lets them compete again: the weights are the same in the end."""
    out = tmp_path / "drive.tonecast"
    command = [sys.executable, "-c", KILLED_IN_THE_AUDITION, str(captured), str(out)]
    with subprocess.Popen(
        command, cwd=Path(profiler.__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "kept\n"
        process.kill()
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint_path(out).name]
    with pytest.raises(TrainingError, match="another session, split, seed"):
        train(SessionFolder.open(captured), replace(PLAN, seed=1), out, resume=True)
    assert same(train(SessionFolder.open(captured), PLAN, out, resume=True).weights, whole.weights)


def test_a_useless_result_is_said(gained: Callable[[float], Effect]):
    """Weights that play nothing, upside down or something else are found; those that play the wet are not."""
    dry = np.random.default_rng(0).normal(0, 0.2, (1, 48_000)).astype(np.float32)
    zeros, ones = np.zeros(48_000, np.int32), np.ones(48_000, np.bool_)
    passage = Passage(dry=dry[0], wet=0.5 * dry[0], knobs=zeros, counts=ones)
    examples = Examples(learnt=(passage,), watched=(), positions=np.zeros((1, 0), np.float32))
    found = {gain: [each.kind for each in outcome_findings(gained(gain), examples)] for gain in (0.0, -0.5, 2.0, 0.6)}
    assert found == {0.0: ["silent-profile"], -0.5: ["upside-down"], 2.0: ["not-learnt"], 0.6: []}
