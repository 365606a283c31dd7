"""The warm start: training goes on from a profile with other takes, and rehearses what the profile knew before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from profiler.composer import compose
from profiler.effects import Effect
from profiler.effects.kinds import build_stages
from profiler.effects.sizes import sized
from profiler.errors import TrainingError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.profile import LearntSpan, LoadedProfile, Profile, Size
from profiler.profile_file import load
from profiler.rendering import ProfileProcessor
from profiler.session import CaptureSession
from profiler.session_folder import SessionFolder
from profiler.split import Span
from profiler.storage import sha256_of
from profiler.training.examples import Apart, Examples, Passage, read_examples, with_some_watched

__all__ = ["WarmStart", "refining_examples"]

_REHEARSED_SECONDS = 120.0
_JUMP_SECONDS = (1.0, 2.0)
_REHEARSAL_SEED = 5_000_011  # apart from those of captures: rehearsal is other playing than what was recorded
_MOST_REPEATS = 64
_APART = Apart(share=0.1, from_frames=240_000)  # what is new may be short, and what is guarded must not be lost
_NO_MATTER = 1e-3
"""An ESR below which it is of no matter whether what was known before errs a little more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WarmStart:
    """A profile to go on from, and the hash of its file."""

    loaded: LoadedProfile
    sha256: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the profile. Raises ProfileError that says what is wrong with it."""
        return cls(loaded=load(path), sha256=sha256_of(path))

    @property
    def profile(self) -> Profile:
        """What the profile says of itself."""
        return self.loaded.profile

    def effect(self) -> Effect:
        """Return the profile's effect, ready to learn. Raises ProfileError, or TrainingError for several stages."""
        stages = build_stages(self.loaded)
        if len(stages) > 1:
            raise TrainingError(
                f"Profile {self.profile.name!r} has {len(stages)} stages; training goes on from profiles of one. "
                "Train without --warm-start."
            )
        return stages[0].train().requires_grad_(requires_grad=True)

    def light_effect(self) -> Effect | None:
        """Return the profile's light effect, ready to learn; None where it has none."""
        if self.profile.light is None:
            return None
        return replace(self, loaded=sized(self.loaded, Size.LIGHT)).effect()

    def check_kinship(self, session: CaptureSession) -> None:
        """Raise TrainingError unless the session has the profile's knobs, in ranges that it knows, and its rate."""
        if session.sample_rate != self.profile.sample_rate:
            raise TrainingError(
                f"The session is at {session.sample_rate} Hz; profile {self.profile.name!r} is at "
                f"{self.profile.sample_rate} Hz. Record at its rate, or train without --warm-start."
            )
        found, known = ({knob.id: knob for knob in owner.knobs} for owner in (session, self.profile))
        if found.keys() != known.keys():
            raise TrainingError(
                f"The session's knobs are {_listed(found)}; those of profile {self.profile.name!r} are "
                f"{_listed(known)}. Record with the same knobs (in takes.csv: a column for each of them), or train "
                "without --warm-start."
            )
        for knob in known.values():
            if not _fits(found[knob.id], knob):
                raise TrainingError(
                    f"Knob {knob.id} is {_spelt(found[knob.id])} in the session and {_spelt(knob)} in profile "
                    f"{self.profile.name!r}. Record inside the profile's range, or train without --warm-start."
                )

    def is_as_it_was(self, weights: Mapping[str, Tensor]) -> bool:
        """Return whether these weights are the profile's own."""
        return all(torch.equal(weights[name], tensor) for name, tensor in self.effect().state_dict().items())

    def learnt_before(self, own: Sequence[LearntSpan]) -> tuple[LearntSpan, ...]:
        """Return what the profile had learnt, and then what is learnt now."""
        before = self.profile.provenance.learnt
        return (*before, *(span for span in own if span not in before))


def refining_examples(
    start: WarmStart, folder: SessionFolder, learnt: Sequence[Span], *, seed: int
) -> tuple[Examples, float]:
    """Return what to learn from to go on from a profile, and by how much the profile errs on what it rehearses.

    About half of it are takes that the profile had not heard. The other half is what it knew: those of its takes that
    the session has, and unless it has all of them, synthesised playing through the profile itself at settings from its
    whole knob space. Raises TrainingError, SessionError.
    """
    start.check_kinship(folder.session)
    hashes = {take.number: take.sha256 for take in folder.session.takes}
    known = {span.sha256 for span in start.profile.provenance.learnt}
    old = [span for span in learnt if hashes[span.take] in known]
    new = [span for span in learnt if hashes[span.take] not in known]
    parts = [read_examples(folder, old, knobs=start.profile.knobs, apart=_APART)] if old else []
    rehearsed = not known or not known <= set(hashes.values())
    if rehearsed:
        parts.append(_rehearsal(start.loaded, seed))
    if not new:
        return joined(parts), 0.0
    fresh = read_examples(folder, new, knobs=start.profile.knobs, apart=_APART)
    examples = _half_and_half(fresh, joined(parts)) if parts else fresh
    return examples, _known_esr(start.profile) if rehearsed else 0.0


def _rehearsal(loaded: LoadedProfile, seed: int) -> Examples:
    """Return synthesised playing through a profile, its knobs jumping all over their ranges."""
    profile, rate = loaded.profile, loaded.profile.sample_rate
    _, dry = compose("moving", seed=seed + _REHEARSAL_SEED, sample_rate=rate, seconds=_REHEARSED_SECONDS)
    track = _wandering(profile.knobs, frames=dry.frames, sample_rate=rate, seed=seed)
    wet = ProfileProcessor(loaded, track=track, oversampling=1).process(dry.samples, rate)
    table, index = track.motion(profile.knobs).table(dry.frames)
    passage = Passage(dry=dry.samples[0], wet=wet[0], knobs=index, counts=np.ones(dry.frames, np.bool_))
    return with_some_watched([passage], table, _APART)


def _wandering(knobs: Sequence[Knob], *, frames: int, sample_rate: int, seed: int) -> KnobTrack:
    """Return a track that jumps to settings from the whole knob space every second or two."""
    rng = np.random.default_rng([seed, _REHEARSAL_SEED])
    points: list[Breakpoint] = []
    frame = 0
    while frame < frames and (knobs or not points):
        settings = {knob.id: knob.value_at(float(rng.beta(0.8, 0.8))) for knob in knobs}
        points.append(Breakpoint(frame=frame, settings=settings))
        frame += int(rng.uniform(*_JUMP_SECONDS) * sample_rate)
    return KnobTrack(breakpoints=tuple(points))


def joined(parts: Sequence[Examples]) -> Examples:
    """Return examples of several sources as one."""
    learnt: list[Passage] = []
    watched: list[Passage] = []
    settings = 0
    for part in parts:
        learnt += [passage.with_settings_after(settings) for passage in part.learnt]
        watched += [passage.with_settings_after(settings) for passage in part.watched]
        settings += len(part.positions)
    positions = np.concatenate([part.positions for part in parts])
    return Examples(learnt=tuple(learnt), watched=tuple(watched), positions=positions)


def _half_and_half(new: Examples, old: Examples) -> Examples:
    """Return examples of which either kind is about a half, the shorter one repeated, and old ones are guarded."""
    ratio = old.learnt_frames / max(new.learnt_frames, 1)
    times = (min(max(round(ratio), 1), _MOST_REPEATS), min(max(round(1 / max(ratio, 1e-6)), 1), _MOST_REPEATS))
    both = joined([replace(new, learnt=new.learnt * times[0]), replace(old, learnt=old.learnt * times[1])])
    watched = both.watched[: len(new.watched)]
    return replace(both, watched=watched, guarded=both.watched[len(new.watched) :])


def _known_esr(profile: Profile) -> float:
    """Return by how much the profile itself errs on what it knew: what strays less from it may still be as good."""
    scored = profile.score.esr if profile.score else None
    watched = min((point.esr for point in profile.provenance.curve), default=0.0)
    return max(scored or watched, _NO_MATTER)


def _fits(found: Knob, known: Knob) -> bool:
    if found.choices or known.choices:
        return found.choices == known.choices
    slack = 1e-6 * (known.maximum - known.minimum)
    return known.minimum - slack <= found.minimum and found.maximum <= known.maximum + slack


def _spelt(knob: Knob) -> str:
    return ", ".join(knob.choices) if knob.choices else f"{knob.spelt(knob.minimum)} to {knob.spelt(knob.maximum)}"


def _listed(ids: dict[str, Knob]) -> str:
    return ", ".join(ids) or "none"
