"""From a session to a profile: read the examples, train, and write down where the profile comes from."""

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from profiler.audio import Samples
from profiler.effects import ConvolutionalEffect, DynamicsEffect, Effect, RecurrentEffect
from profiler.effects.network_shape import A2
from profiler.effects.threads import on_one_thread
from profiler.knob import default_settings, positions_of, positions_width
from profiler.manifest import to_json
from profiler.profile import LearntSpan, LightEffect, LimitedBy, LoadedProfile, Profile, Provenance, Stage
from profiler.progress import ProgressCallback, unheard
from profiler.session_folder import SessionFolder
from profiler.split import Span, Split, divide
from profiler.training.audition import audition
from profiler.training.character import is_dynamics, sparse_positions
from profiler.training.checkpoint import checkpoint_path, read_checkpoint, write_checkpoint
from profiler.training.course import Course, before_light
from profiler.training.examples import Examples, read_examples
from profiler.training.loop import Schedule
from profiler.training.state import TrainingState

__all__ = ["Schedule", "TrainingPlan", "train"]

_PREFIX, _LIGHT_PREFIX = "0.", "light.0."
_GOLDEN_SECONDS = 0.25
_LOOKED_AT_SECONDS = 600
# The levels at which the network's starting weights are about right; the scales bring any gear there.
_DRY_LEVEL, _WET_LEVEL = 0.15, 0.25


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """What training is asked for, apart from the session."""

    schedule: Schedule
    split: Split = field(default_factory=Split)
    seed: int = 0
    light: bool = True
    """Whether a light effect is trained as well, where the full one is dearer."""


def train(
    folder: SessionFolder,
    plan: TrainingPlan,
    out: Path,
    *,
    resume: bool = False,
    on_progress: ProgressCallback = unheard,
    stopped: Callable[[], bool] = lambda: False,
) -> LoadedProfile:
    """Train a profile of a session's gear and return it, without a score and not yet written.

    While it runs, a checkpoint lies beside `out`; with `resume` training goes on from there. Call
    `forget_checkpoint` once the profile is written. Raises TrainingError, SplitError, SessionError or StorageError.
    """
    learnt, _ = divide(folder.session, plan.split)
    examples = read_examples(folder, learnt)
    fingerprint = _fingerprint(folder, plan, learnt)
    checkpoint = checkpoint_path(out)
    if resume:
        course = Course.restored(read_checkpoint(checkpoint, fingerprint=fingerprint))
    else:
        effects = _fresh_effects(folder, examples, plan.seed)
        schedule = before_light(plan.schedule) if plan.light else plan.schedule
        course = Course(audition(effects, examples, schedule, seed=plan.seed, on_progress=on_progress, stopped=stopped))
    limited_by = course.run(
        examples,
        plan.schedule,
        with_light=plan.light,
        seed=plan.seed,
        on_progress=on_progress,
        keep=lambda: write_checkpoint(checkpoint, course.checkpoint(fingerprint)),
        stopped=stopped,
    )
    state = course.full
    state.effect.load_state_dict(state.best)
    loaded = _profile(folder, out, state.effect, _provenance(folder, plan, learnt, state, limited_by))
    return _with_light(loaded, course.light) if course.light and course.light.step else loaded


def forget_checkpoint(out: Path) -> None:
    """Remove the checkpoint beside a profile that is finished."""
    checkpoint_path(out).unlink(missing_ok=True)


def _fresh_effects(folder: SessionFolder, examples: Examples, seed: int) -> list[Effect]:
    """Return the effects that may suit the gear, the likelier first."""
    dry, wet = examples.levels()
    torch.manual_seed(seed)
    sizes: dict[str, Any] = {
        "knob_positions": positions_width(folder.session.knobs),
        "input_scale": _DRY_LEVEL / dry,
        "output_scale": wet / _WET_LEVEL,
    }
    if is_dynamics(examples):
        return [DynamicsEffect(**sizes)]
    sparse = sparse_positions(folder.session.knobs, examples)
    return [ConvolutionalEffect(**sizes, **A2.config, sparse=sparse), RecurrentEffect(**sizes, sparse=sparse)]


def _fingerprint(folder: SessionFolder, plan: TrainingPlan, learnt: Sequence[Span]) -> str:
    """Return a hash of all that two runs must share for one to go on where the other stopped."""
    told = {
        "session": hashlib.sha256(to_json(folder.session)).hexdigest(),
        "learnt": [asdict(span) for span in learnt],
        "plan": [plan.schedule.steps, plan.schedule.budget_seconds, plan.seed, plan.light],
        "versions": _versions(),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("tonecast", "torch", "numpy")}


def _provenance(
    folder: SessionFolder, plan: TrainingPlan, learnt: Sequence[Span], state: TrainingState, limited_by: LimitedBy
) -> Provenance:
    takes = {take.number: take for take in folder.session.takes}
    return Provenance(
        learnt=tuple(
            LearntSpan(
                sha256=takes[span.take].sha256,
                dry_sha256=folder.session.dries[takes[span.take].dry].sha256,
                start=span.start,
                stop=span.stop,
                settings=folder.track_of(takes[span.take]).visited(folder.session.knobs),
            )
            for span in learnt
        ),
        hold_outs=tuple(rule.spelt for rule in plan.split.hold_outs),
        seed=plan.seed,
        steps=state.step,
        seconds=round(state.seconds, 1),
        audio_seconds=round(state.audio_frames / folder.session.sample_rate, 1),
        limited_by=limited_by,
        curve=tuple(state.curve),
        versions=_versions(),
    )


def _profile(folder: SessionFolder, out: Path, effect: Effect, provenance: Provenance) -> LoadedProfile:
    session = folder.session
    settings = default_settings(session.knobs)
    dry = _loudest_stretch(folder)
    with on_one_thread(), torch.no_grad():
        knobs = torch.from_numpy(positions_of(session.knobs, settings))[None, None]
        wet, _ = effect(torch.from_numpy(dry), knobs, effect.initial_state(1))
    profile = Profile(
        name=out.stem,
        gear=session.gear,
        knobs=session.knobs,
        sample_rate=session.sample_rate,
        stages=(Stage(kind=effect.kind, config=effect.config, prefix=_PREFIX),),
        latency_frames=effect.latency_frames,
        golden_settings=settings,
        provenance=provenance,
    )
    weights = {_PREFIX + name: tensor.numpy().copy() for name, tensor in effect.state_dict().items()}
    return LoadedProfile(profile=profile, weights=weights, golden_dry=dry, golden_wet=wet.numpy())


def _with_light(loaded: LoadedProfile, state: TrainingState) -> LoadedProfile:
    """Return the profile with its light effect in it."""
    light = LightEffect(
        stages=(Stage(kind=state.effect.kind, config=state.effect.config, prefix=_LIGHT_PREFIX),),
        steps=state.step,
        seconds=round(state.seconds, 1),
    )
    weights = {_LIGHT_PREFIX + name: tensor.numpy() for name, tensor in state.best.items()}
    return replace(loaded, profile=replace(loaded.profile, light=light), weights={**loaded.weights, **weights})


def _loudest_stretch(folder: SessionFolder) -> Samples:
    """Return the loudest stretch of the session's first dry signal, of shape (1, frames): the golden pair's dry."""
    first = folder.session.takes[0]
    frames = min(folder.session.dries[first.dry].frames, _LOOKED_AT_SECONDS * folder.session.sample_rate)
    dry = folder.excerpt(first, 0, frames)[0].mean(axis=0)
    length = min(int(_GOLDEN_SECONDS * folder.session.sample_rate), len(dry))
    starts = range(0, len(dry) - length + 1, max(length // 2, 1))
    loudest = max(starts, key=lambda start: float(np.square(dry[start : start + length]).sum()))
    return dry[None, loudest : loudest + length].copy()
