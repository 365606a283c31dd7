"""From a session to a profile: read the examples, train, and write down where the profile comes from."""

import contextlib
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from profiler.audio import Samples
from profiler.effects import ConvolutionalEffect, DynamicsEffect, Effect, RecurrentEffect
from profiler.effects.network_shape import A2
from profiler.errors import TrainingError
from profiler.finding import Finding
from profiler.knob import default_settings, positions_width
from profiler.manifest import to_json
from profiler.profile import LearntSpan, LightEffect, LimitedBy, LoadedProfile, Profile, Provenance, Stage
from profiler.progress import ProgressCallback, never_back, unheard
from profiler.rendering import with_golden
from profiler.session import CaptureSession
from profiler.session_folder import SessionFolder
from profiler.split import Span, Split, divide
from profiler.training.audition import audition
from profiler.training.character import is_dynamics, sparse_positions
from profiler.training.checkpoint import Checkpoint, checkpoint_path, read_checkpoint, write_checkpoint
from profiler.training.course import LEAST_SECONDS_FOR_BOTH, Course, before_light, lightened
from profiler.training.device import PROCESSOR, device_name, placed
from profiler.training.examples import Examples, read_examples
from profiler.training.loop import Schedule
from profiler.training.outcome import outcome_findings
from profiler.training.state import TrainingState
from profiler.training.warm_start import WarmStart, refining_examples
from profiler.training.watch import Watch

__all__ = ["Schedule", "TrainingPlan", "train"]

_PREFIX, _LIGHT_PREFIX = "0.", "light.0."
_GOLDEN_SECONDS = 0.25
_LOOKED_AT_SECONDS = 600
# The levels at which the network's starting weights are about right; the scales bring any gear there.
_DRY_LEVEL, _WET_LEVEL = 0.15, 0.25

_NOTHING_NEW = Finding(
    kind="nothing-new",
    message="These takes bettered nothing without spoiling what the profile knew, so it is as it was. Record more of "
    "them, or train longer.",
    severity="warning",
)


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """What training is asked for, apart from the session.

    `noise_power` is the mean square of the noise in its takes, if it is known: at that, learning ends.
    """

    schedule: Schedule
    split: Split = field(default_factory=Split)
    seed: int = 0
    light: bool = True
    """Whether a light effect is trained as well, where the full one is dearer and there is time for both."""
    warm_start: WarmStart | None = None
    noise_power: float | None = None
    device: torch.device = PROCESSOR
    """Where convolutional effects learn."""

    @property
    def with_light(self) -> bool:
        """Whether there is time for a light effect: fresh ones in a short budget would both be poor."""
        budget = self.schedule.budget_seconds
        return self.light and (budget is None or budget >= LEAST_SECONDS_FOR_BOTH or self.warm_start is not None)

    @property
    def full_schedule(self) -> Schedule:
        """The schedule of the full effect."""
        return before_light(self.schedule) if self.with_light else self.schedule


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

    While it runs, a checkpoint lies beside `out`; with `resume` training goes on from there, and with the audition from
    its beginning. Call `forget_checkpoint` once the profile is written.

    Raises TrainingError, ProfileError, SplitError, SessionError or StorageError.
    """
    on_progress = never_back(on_progress)  # of those in the audition, one goes on from where it was
    learnt, _ = divide(folder.session, plan.split)
    start = plan.warm_start
    known: tuple[Effect, Effect | None] | None = None
    if start:
        examples, known_esr = refining_examples(start, folder, learnt, seed=plan.seed)
        light = start.light_effect()
        known = (placed(start.effect(), plan.device), light and placed(light, plan.device))
        watches = [Watch(examples, start=each, known_esr=known_esr) for each in known]
    else:
        examples = read_examples(folder, learnt)
        watches = [Watch(examples, noise_power=plan.noise_power)] * 2
    fingerprint = _fingerprint(folder, plan, learnt)
    checkpoint = checkpoint_path(out)
    kept = read_checkpoint(checkpoint, fingerprint=fingerprint) if resume else None
    if kept and kept.has_state:
        course = Course.restored(kept, plan.device)
    elif known:
        torch.manual_seed(plan.seed)
        course = Course(TrainingState.fresh(known[0], seed=plan.seed))
        watches[0].look(course.full)
    else:
        hear = partial(audition, seed=plan.seed, on_progress=on_progress, stopped=stopped)
        with _begun(checkpoint, fingerprint):
            course = Course(hear(_fresh_effects(folder, examples, plan), examples, plan.full_schedule))
        write_checkpoint(checkpoint, course.checkpoint(fingerprint))
    light = known[1] if known else lightened(course.full.effect, plan.seed)
    limited_by = course.run(
        examples,
        plan.schedule,
        watches,
        light=light if plan.with_light else None,
        refines=start is not None,
        seed=plan.seed,
        on_progress=on_progress,
        keep=lambda: write_checkpoint(checkpoint, course.checkpoint(fingerprint)),
        stopped=stopped,
    )
    return _finished(folder, plan, out, course, _provenance(folder, plan, learnt, course.full, limited_by), examples)


@contextlib.contextmanager
def _begun(checkpoint: Path, fingerprint: str) -> Iterator[None]:
    """Leave word of a training that has begun: killed in the audition, it goes on by beginning again."""
    write_checkpoint(checkpoint, Checkpoint(fingerprint=fingerprint, tensors={}, values={}))
    try:
        yield
    except TrainingError:
        checkpoint.unlink(missing_ok=True)
        raise


def _finished(
    folder: SessionFolder, plan: TrainingPlan, out: Path, course: Course, provenance: Provenance, examples: Examples
) -> LoadedProfile:
    """Return the profile that a course came to, with what is wrong with it."""
    state, start = course.full, plan.warm_start
    findings = [_NOTHING_NEW] if start and start.is_as_it_was(state.best) else []
    state.effect.cpu().load_state_dict(state.best)
    findings += (*course.findings, *outcome_findings(state.effect, examples))
    provenance = replace(provenance, findings=tuple(findings))
    loaded = _profile(folder, out, state.effect, start.profile if start else folder.session, provenance)
    if course.light is None or not (course.light.step or start):  # one that goes on is good before its first step
        return loaded
    return _with_light(loaded, course.light)


def forget_checkpoint(out: Path) -> None:
    """Remove the checkpoint beside a profile that is finished."""
    checkpoint_path(out).unlink(missing_ok=True)


def _fresh_effects(folder: SessionFolder, examples: Examples, plan: TrainingPlan) -> list[Effect]:
    """Return the effects that may suit the gear, the likelier first, where they learn."""
    dry, wet = examples.levels()
    torch.manual_seed(plan.seed)
    sizes: dict[str, Any] = {
        "knob_positions": positions_width(folder.session.knobs),
        "input_scale": _DRY_LEVEL / dry,
        "output_scale": wet / _WET_LEVEL,
    }
    if is_dynamics(examples):
        return [DynamicsEffect(**sizes)]
    sparse = sparse_positions(folder.session.knobs, examples)
    convolution = ConvolutionalEffect(**sizes, **A2.config, sparse=sparse)
    return [placed(convolution, plan.device), RecurrentEffect(**sizes, sparse=sparse)]


def _fingerprint(folder: SessionFolder, plan: TrainingPlan, learnt: Sequence[Span]) -> str:
    """Return a hash of all that two runs must share for one to go on where the other stopped."""
    told = {
        "session": hashlib.sha256(to_json(folder.session)).hexdigest(),
        "learnt": [asdict(span) for span in learnt],
        "plan": [plan.schedule.steps, plan.schedule.budget_seconds, plan.seed, plan.light],
        "versions": _versions(),
        "warm_start": plan.warm_start and plan.warm_start.sha256,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("tonecast", "torch", "numpy")}


def _provenance(
    folder: SessionFolder, plan: TrainingPlan, learnt: Sequence[Span], state: TrainingState, limited_by: LimitedBy
) -> Provenance:
    takes = {take.number: take for take in folder.session.takes}
    own = tuple(
        LearntSpan(
            sha256=takes[span.take].sha256,
            dry_sha256=folder.session.dries[takes[span.take].dry].sha256,
            start=span.start,
            stop=span.stop,
            settings=folder.track_of(takes[span.take]).visited(folder.session.knobs),
        )
        for span in learnt
    )
    start = plan.warm_start
    hold_outs = (*(start.profile.provenance.hold_outs if start else ()), *(rule.spelt for rule in plan.split.hold_outs))
    return Provenance(
        learnt=start.learnt_before(own) if start else own,
        hold_outs=tuple(dict.fromkeys(hold_outs)),
        seed=plan.seed,
        steps=state.step,
        seconds=round(state.seconds, 1),
        audio_seconds=round(state.audio_frames / folder.session.sample_rate, 1),
        limited_by=limited_by,
        curve=tuple(state.curve),
        versions=_versions(),
        warm_start=start.sha256 if start else None,
        device=device_name(state.effect.device),
    )


def _profile(
    folder: SessionFolder, out: Path, effect: Effect, owner: CaptureSession | Profile, provenance: Provenance
) -> LoadedProfile:
    """Return the profile of an effect; `owner` has its gear and knobs."""
    settings = default_settings(owner.knobs)
    dry = _loudest_stretch(folder)
    profile = Profile(
        name=out.stem,
        gear=owner.gear,
        knobs=owner.knobs,
        sample_rate=owner.sample_rate,
        stages=(Stage(kind=effect.kind, config=effect.config, prefix=_PREFIX),),
        latency_frames=effect.latency_frames,
        golden_settings=settings,
        provenance=provenance,
    )
    weights = {_PREFIX + name: tensor.numpy().copy() for name, tensor in effect.state_dict().items()}
    return with_golden(LoadedProfile(profile=profile, weights=weights, golden_dry=dry, golden_wet=np.zeros_like(dry)))


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
