"""The course of a training: the full effect first, then, where that is a dear one, a light one of the same gear.

Both learn by the same loop from the same takes, each with a schedule of its own that ends in small steps.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from profiler.effects import ConvolutionalEffect, Effect
from profiler.effects.network_shape import LIGHT
from profiler.errors import TrainingError
from profiler.finding import Finding
from profiler.profile import LimitedBy
from profiler.progress import ProgressCallback, within
from profiler.training.checkpoint import Checkpoint
from profiler.training.device import PROCESSOR
from profiler.training.examples import Examples
from profiler.training.loop import Schedule, fit
from profiler.training.recipe import refining
from profiler.training.state import TrainingState
from profiler.training.watch import Watch

__all__ = ["LEAST_SECONDS_FOR_BOTH", "LIGHT_SHARE", "Course", "after_full", "before_light", "lightened"]

LIGHT_SHARE = 0.2
"""How much of the time is the light effect's."""

LEAST_SECONDS_FOR_BOTH = 100.0
"""Budgets below this are the full effect's alone: a minute for both left it with half as much error again on an amp."""

_LEAST_SHARE = 0.05
_LIGHT = "light."


@dataclass(eq=False)
class Course:
    """Where a training stands: with the full effect, and once that is learnt with the light one."""

    full: TrainingState
    light: TrainingState | None = None
    findings: tuple[Finding, ...] = ()
    """What went wrong and was got over."""

    def run(  # noqa: PLR0913 - what the loop takes, and whether there is a light one
        self,
        examples: Examples,
        schedule: Schedule,
        watches: Sequence[Watch],
        *,
        light: Effect | None,
        refines: bool,
        seed: int,
        on_progress: ProgressCallback,
        keep: Callable[[], None],
        stopped: Callable[[], bool],
    ) -> LimitedBy:
        """Train to the end of the schedule, or until `stopped` says so; the best weights are in each state's `best`.

        `watches` are one for the full effect and one for the light one, `light` is where that begins, or None for none.
        With `refines` both were trained before and go on slowly. Returns what limited the full effect, unless the light
        one was interrupted. Raises TrainingError as `fit` does for the full effect: a light one that diverges is left
        out, or stays as it was before it was refined, with a finding.
        """
        with_light = light is not None
        share = 1 - LIGHT_SHARE if with_light else 1.0
        if refines:
            self.full.recipe = refining(self.full.recipe)
            if light is not None and self.light is None:  # there from the start: whatever stops this, it is not lost
                self.light = TrainingState.fresh(light, seed=seed)
                watches[1].look(self.light)
        limited_by = fit(
            self.full,
            examples,
            before_light(schedule) if with_light else schedule,
            on_progress=within(on_progress, start=0.0, share=share),
            keep=lambda _: keep(),
            stopped=stopped,
            watch=watches[0],
        )
        if light is None or limited_by == "interrupted":
            return limited_by
        if self.light is None:
            self.light = TrainingState.fresh(light, seed=seed)
        if refines:
            self.light.recipe = refining(self.light.recipe)
        try:
            ended = fit(
                self.light,
                examples,
                after_full(schedule, self.full, self.light.effect),
                on_progress=within(on_progress, start=share, share=1 - share),
                keep=lambda _: keep(),
                stopped=stopped,
                watch=watches[1],
            )
        except TrainingError as error:
            if refines:  # what it was before is its best yet
                self.findings = (_light_as_it_was(error),)
            else:
                self.light, self.findings = None, (_no_light(error),)
            return limited_by
        return ended if ended == "interrupted" else limited_by

    def checkpoint(self, fingerprint: str) -> Checkpoint:
        """Return everything that it takes to go on exactly, with either effect."""
        kept = self.full.checkpoint(fingerprint)
        if self.light is None:
            return kept
        light = self.light.checkpoint(fingerprint)
        return replace(
            kept,
            tensors={**kept.tensors, **{_LIGHT + name: tensor for name, tensor in light.tensors.items()}},
            values={**kept.values, _LIGHT: light.values},
        )

    @classmethod
    def restored(cls, checkpoint: Checkpoint, device: torch.device = PROCESSOR) -> Self:
        """Return the course that a checkpoint was taken of, to go on with it on the device."""
        parts: dict[str, dict[str, Tensor]] = {_LIGHT: {}, "": {}}
        for name, tensor in checkpoint.tensors.items():
            prefix = _LIGHT if name.startswith(_LIGHT) else ""
            parts[prefix][name.removeprefix(prefix)] = tensor
        full = TrainingState.restored(replace(checkpoint, tensors=parts[""]), device)
        if _LIGHT not in checkpoint.values:
            return cls(full)
        light = replace(checkpoint, tensors=parts[_LIGHT], values=checkpoint.values[_LIGHT])
        return cls(full, TrainingState.restored(light, device))


def _no_light(error: TrainingError) -> Finding:
    message = f"There is no light size: {error} Train with another --seed, or be content with the full one."
    return Finding(kind="no-light", message=message, severity="warning")


def _light_as_it_was(error: TrainingError) -> Finding:
    message = f"The light size learnt nothing new: {error} It stays as it was."
    return Finding(kind="light-as-it-was", message=message, severity="warning")


def before_light(schedule: Schedule) -> Schedule:
    """Return the schedule of a full effect that a light one follows: all of the steps, or less of the time."""
    if schedule.budget_seconds is None:
        return schedule
    return Schedule(budget_seconds=(1 - LIGHT_SHARE) * schedule.budget_seconds)


def after_full(schedule: Schedule, full: TrainingState, light: Effect) -> Schedule:
    """Return the schedule of a light effect that follows a full one: what is left of the time.

    Where steps are counted it is as many as its share of the time pays for, going by multiply-adds.
    """
    if schedule.budget_seconds is not None:
        # Less than its share where the full one took longer, and no more where that ended early.
        left = min(schedule.budget_seconds - full.seconds, LIGHT_SHARE * schedule.budget_seconds)
        return Schedule(budget_seconds=max(left, _LEAST_SHARE * schedule.budget_seconds))
    share = LIGHT_SHARE / (1 - LIGHT_SHARE) * full.effect.multiply_adds / light.multiply_adds
    return Schedule(steps=math.ceil(share * (schedule.steps or 0)))


def lightened(effect: Effect, seed: int) -> ConvolutionalEffect | None:
    """Return a fresh light effect of what a full one was made for, on its device; None where that one is cheap."""
    if not isinstance(effect, ConvolutionalEffect):
        return None
    torch.manual_seed(seed)
    return ConvolutionalEffect(**{**effect.config, **LIGHT.config}).to(effect.device)
