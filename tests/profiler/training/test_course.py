"""The course of a training: a light effect after the full one, exact by seed, safe when stopped or killed."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import profiler
from profiler.effects import ConvolutionalEffect, Effect, RecurrentEffect
from profiler.effects.network_shape import LIGHT
from profiler.effects.sizes import sized
from profiler.errors import TrainingError
from profiler.evaluation import evaluate
from profiler.profile import LoadedProfile, Size
from profiler.progress import Progress, unheard
from profiler.rendering import ProfileProcessor
from profiler.session_folder import SessionFolder
from profiler.training import Schedule, TrainingPlan, WarmStart, train
from profiler.training.checkpoint import checkpoint_path
from profiler.training.course import LIGHT_SHARE, Course, after_full, before_light, lightened
from profiler.training.examples import Examples, Passage
from profiler.training.state import TrainingState
from profiler.training.watch import Watch

STEPS, ROUND = 112, 16
LIGHT_STEPS = 62  # a quarter of the work of 112 steps of 11,712 multiply-adds, in steps of 5,320
PLAN = TrainingPlan(schedule=Schedule(steps=STEPS))

KILLED = """
import sys
from pathlib import Path
from profiler.session_folder import SessionFolder
from profiler.training import Schedule, TrainingPlan, loop, train

def wait(told):
    if told.done > 0.9:
        print("kept", flush=True)
        sys.stdin.read()

if __name__ == "__main__":
    loop._KEEP_EVERY_SECONDS = 0
    plan = TrainingPlan(schedule=Schedule(steps=112))
    train(SessionFolder.open(Path(sys.argv[1])), plan, Path(sys.argv[2]), on_progress=wait)
"""
"""A training that stands still while the light effect learns, with a checkpoint on disk."""


@pytest.fixture(scope="module")
def told() -> list[Progress]:
    """What was told of the progress of `whole`."""
    return []


@pytest.fixture(scope="module")
def whole(captured: Path, tmp_path_factory: pytest.TempPathFactory, told: list[Progress]) -> LoadedProfile:
    """What all the steps give that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole") / "drive.tonecast"
    return train(SessionFolder.open(captured), PLAN, out, on_progress=told.append)


def same(one: Mapping[str, NDArray[np.float32]], other: Mapping[str, NDArray[np.float32]]) -> bool:
    """Whether two sets of weights are equal to the last bit."""
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def clipped() -> Examples:
    """Return a second of noise, and what a soft clipper makes of it."""
    rng = np.random.default_rng(0)

    def passage(frames: int) -> Passage:
        dry = rng.normal(0, 0.2, frames).astype(np.float32)
        knobs = np.zeros(frames, np.int32)
        return Passage(dry=dry, wet=np.tanh(3 * dry), knobs=knobs, counts=np.ones(frames, np.bool_))

    positions = np.asarray([[0.5]], np.float32)
    return Examples(learnt=(passage(48_000),), watched=(passage(9600),), positions=positions)


def course_of(effect: type[Effect], **sizes: object) -> Course:
    """Return the course of an effect before its first step."""
    torch.manual_seed(0)
    return Course(TrainingState.fresh(effect(knob_positions=1, shaper=4, **sizes), seed=0))


def small_convolution() -> Course:
    """Return the course of a network of five layers, which is dearer than a light one and hears 40 frames back."""
    sizes = {"channels": 16, "taps": [6] * 5, "dilations": [1] * 5, "input_scale": 0.5, "output_scale": 2.0}
    return course_of(ConvolutionalEffect, **sizes)


def run(course: Course, *, with_light: bool = True, stop_at: float = 2.0) -> tuple[str, list[Progress]]:
    """Run a course of all the steps, or up to some progress; return what ended it and what it told."""
    told: list[Progress] = []
    ended = course.run(
        examples := clipped(),
        Schedule(steps=STEPS),
        [Watch(examples)] * 2,
        light=lightened(course.full.effect, 0) if with_light else None,
        refines=False,
        seed=0,
        on_progress=told.append,
        keep=lambda: None,
        stopped=lambda: bool(told) and told[-1].done >= stop_at,
    )
    return ended, told


@pytest.fixture
def light_diverges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every step of a light effect lead nowhere."""
    apply = TrainingState.apply

    def diverges(state: TrainingState, gradients: list[torch.Tensor], rate: float) -> bool:
        return state.effect.multiply_adds > 6000 and apply(state, gradients, rate)

    monkeypatch.setattr(TrainingState, "apply", diverges)


@pytest.mark.usefixtures("light_diverges")
def test_a_light_effect_that_diverges_costs_no_more_than_itself():
    """The full effect is learnt by then, so it is kept, and a finding tells why there is no other."""
    course = small_convolution()
    ended, _ = run(course)
    assert (ended, course.full.step, course.light) == ("steps", STEPS, None)
    (finding,) = course.findings
    assert (finding.kind, finding.severity) == ("no-light", "warning")
    assert finding.message.startswith("There is no light size: Training diverged after 0 steps.")


def test_a_profile_has_both_sizes(whole: LoadedProfile):
    """Beside the full effect lies a light one of 5,320 multiply-adds a frame that has learnt and plays."""
    light = whole.profile.light
    assert light is not None
    (stage,) = light.stages
    assert (stage.kind, stage.prefix, light.steps) == ("convolutional", "light.0.", LIGHT_STEPS)
    assert LIGHT.config.items() <= stage.config.items()
    full_config = whole.profile.stages[0].config
    assert all(stage.config[name] == full_config[name] for name in ("input_scale", "output_scale", "sparse"))
    heard = ProfileProcessor(sized(whole, Size.LIGHT)).process(whole.golden_dry, 48_000)
    # 62 steps are few: silence would be 1 away.
    assert 0 < float(np.sum((heard - whole.golden_wet) ** 2) / np.sum(whole.golden_wet**2)) < 0.7
    assert np.abs(ProfileProcessor(whole).process(whole.golden_dry, 48_000) - whole.golden_wet).max() < 1e-5


def test_a_light_effect_changes_nothing_of_the_full_one(captured: Path, whole: LoadedProfile, tmp_path: Path):
    """Left out, there is none, and the full effect's weights are the same to the last bit."""
    alone = train(SessionFolder.open(captured), replace(PLAN, light=False), tmp_path / "p.tonecast")
    assert alone.profile.light is None
    assert alone.profile.provenance.steps == whole.profile.provenance.steps == STEPS
    assert same(alone.weights, sized(whole, Size.FULL).weights)


def test_both_sizes_go_on_from_a_profile(captured: Path, whole: LoadedProfile, tmp_path: Path):
    """A warm start refines the light effect that a profile has, as it does the full one; no size gets worse."""
    folder, start = SessionFolder.open(captured), WarmStart(loaded=whole, sha256="0")
    refined = train(folder, replace(PLAN, warm_start=start), tmp_path / "p.tonecast")
    assert refined.profile.light is not None
    assert whole.profile.light is not None
    assert refined.profile.light.stages == whole.profile.light.stages
    for size in Size:
        before, after = (evaluate(sized(each, size), folder, only_unseen=True).esr for each in (whole, refined))
        assert after < before
    without = WarmStart(loaded=sized(whole, Size.FULL), sha256="0")
    alone = train(folder, replace(PLAN, warm_start=without), tmp_path / "q.tonecast")
    assert alone.profile.light is None


@pytest.mark.usefixtures("light_diverges")  # of a test, so the module's profile is there before
def test_a_light_effect_that_diverges_when_it_is_refined_stays_as_it_was(
    captured: Path, whole: LoadedProfile, tmp_path: Path
):
    """A profile loses nothing by being refined: the light effect that it had is still there, and still plays."""
    folder, start = SessionFolder.open(captured), WarmStart(loaded=whole, sha256="0")
    refined = train(folder, replace(PLAN, warm_start=start), tmp_path / "p.tonecast")
    assert refined.profile.provenance is not None
    assert "light-as-it-was" in [finding.kind for finding in refined.profile.provenance.findings]
    assert refined.profile.light is not None
    known, kept = (dict(each.weights) for each in (sized(whole, Size.LIGHT), sized(refined, Size.LIGHT)))
    assert same(known, kept)


def test_refining_that_is_stopped_at_once_keeps_the_light_effect(captured: Path, whole: LoadedProfile, tmp_path: Path):
    """Who stops before the light effect's turn still has the one that the profile had."""
    start = WarmStart(loaded=whole, sha256="0")
    plan = replace(PLAN, warm_start=start)
    stopped = train(SessionFolder.open(captured), plan, tmp_path / "p.tonecast", stopped=lambda: True)
    known, kept = (dict(each.weights) for each in (sized(whole, Size.LIGHT), sized(stopped, Size.LIGHT)))
    assert same(known, kept)


def test_progress_is_that_of_both(whole: LoadedProfile, told: list[Progress]):
    """The full effect is learnt at four fifths, the light one at the end; the time left is the rest of both.

    It never goes back, though an effect that was chosen in the audition goes on from before the others' turns.
    """
    assert told == sorted(told, key=lambda each: each.done)
    assert whole.profile.light is not None
    later = [each for each in told if each.done > 0.79]
    assert all(earlier.done < after.done for earlier, after in pairwise(later))
    steps = (*range(0, LIGHT_STEPS, ROUND), LIGHT_STEPS)
    assert [each.done for each in later] == pytest.approx([0.8 + 0.2 * step / LIGHT_STEPS for step in steps])
    assert told[-1].done == 1
    assert told[-1].seconds_left == 0
    assert later[1].seconds_left == pytest.approx(whole.profile.light.seconds * (1 - ROUND / LIGHT_STEPS), rel=0.9)


def test_a_training_killed_while_the_light_one_learns_goes_on_exactly(
    captured: Path, whole: LoadedProfile, tmp_path: Path
):
    """Killed with SIGKILL and gone on with, both effects' weights are those of a training never killed."""
    out = tmp_path / "drive.tonecast"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(captured), str(out)],
        cwd=Path(profiler.__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "kept\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint_path(out).name]
    done: list[Progress] = []
    resumed = train(SessionFolder.open(captured), PLAN, out, resume=True, on_progress=done.append)
    assert min(each.done for each in done) > 0.9
    assert same(resumed.weights, whole.weights)
    assert resumed.profile.light is not None
    assert resumed.profile.light.steps == LIGHT_STEPS
    with pytest.raises(TrainingError, match="another session, split, seed"):
        train(SessionFolder.open(captured), replace(PLAN, light=False), out, resume=True)


def test_what_is_stopped_early_has_what_was_learnt_so_far():
    """Stopped while the full effect learns there is no light one yet; stopped later, it is as far as it came."""
    early, late = small_convolution(), small_convolution()
    ended, _ = run(early, stop_at=0.1)
    assert (ended, early.full.step, early.light) == ("interrupted", ROUND, None)
    ended, _ = run(late, stop_at=0.85)
    assert late.light is not None
    assert (ended, late.full.step, late.light.step) == ("interrupted", STEPS, ROUND)
    assert late.light.best_esr == min(point.esr for point in late.light.curve)
    resumed = Course.restored(late.checkpoint("mine"))
    assert run(resumed)[0] == "steps"
    whole = small_convolution()
    run(whole)
    assert resumed.light is not None
    assert whole.light is not None
    for mine, theirs in ((resumed.full, whole.full), (resumed.light, whole.light)):
        assert mine.step == theirs.step > ROUND
        assert all(torch.equal(tensor, theirs.best[name]) for name, tensor in mine.best.items())


@pytest.mark.parametrize("with_light", [True, False])
def test_only_a_dear_effect_needs_a_light_one(*, with_light: bool):
    """A recurrent effect is cheaper than a light one; and nobody gets one who wants none. All the time is theirs."""
    for course in (course_of(RecurrentEffect, hidden=4, features=2), small_convolution()):
        ended, told = run(course, with_light=with_light)
        expected = with_light and course.full.effect.kind == "convolutional"
        assert (ended, course.full.step, course.light is not None) == ("steps", STEPS, expected)
        assert told[-1].done == 1


def test_both_share_the_time():
    """The light effect has what is left of a budget, never nothing; of a number of steps it has a fifth of the work."""
    course, light = small_convolution(), ConvolutionalEffect(knob_positions=1, **LIGHT.config)
    assert before_light(Schedule(budget_seconds=300)).budget_seconds == pytest.approx((1 - LIGHT_SHARE) * 300)
    course.full.seconds = 243.0
    assert after_full(Schedule(budget_seconds=300), course.full, light).budget_seconds == 57
    course.full.seconds = 310.0
    assert after_full(Schedule(budget_seconds=300), course.full, light).budget_seconds == 15
    assert before_light(Schedule(steps=1000)).steps == 1000
    steps = after_full(Schedule(steps=1000), course.full, light).steps
    works = [1000 * course.full.effect.multiply_adds, steps * light.multiply_adds]
    assert works[1] / sum(works) == pytest.approx(LIGHT_SHARE, rel=0.01)


@pytest.mark.parametrize(
    ("schedule", "both"),
    [(Schedule(budget_seconds=60), False), (Schedule(budget_seconds=120), True), (Schedule(steps=3), True)],
)
def test_a_short_budget_is_the_full_effects_alone(schedule: Schedule, *, both: bool):
    """In a minute two effects would both be poor; who counts steps wants both; --no-light is always obeyed."""
    assert TrainingPlan(schedule=schedule).with_light == both
    assert not TrainingPlan(schedule=schedule, light=False).with_light


def test_a_budget_is_kept():
    """Both effects together take the time that was given, and each has learnt for its part of it."""
    course = small_convolution()
    course.run(
        examples := clipped(),
        Schedule(budget_seconds=1.0),
        [Watch(examples)] * 2,
        light=lightened(course.full.effect, 0),
        refines=False,
        seed=0,
        on_progress=unheard,
        keep=lambda: None,
        stopped=lambda: False,
    )
    assert course.light is not None
    assert course.full.step > 0
    assert course.light.step > 0
    assert course.full.seconds >= 0.8
    assert course.full.seconds + course.light.seconds >= 1.0
