"""Mending: what is done to a recording whose timing was measured, so that all takes of a session run with their dry."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from profiler.errors import TakeRejectedError
from profiler.finding import Finding
from profiler.timing import CLEAR, Timing

__all__ = ["MOST_WANDER_FRAMES", "Mending", "check_timing", "mending_alike", "mendings"]

MOST_WANDER_FRAMES = 0.6  # regulated clocks 0.8 and more, tape above; gear of all kinds 0.3 at most
_AGREE_FRAMES = 0.5
_ALIKE_FRAMES = 0.1
_SURE_FRAMES = 0.6
_SLACK_FRAMES = 0.25  # what looks later than it is by up to the rest of a frame is not taken for more
_SPREAD_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class Mending:
    """How a wet is kept: frame m of it is the recording at `start + m * step`; `latency_frames` of that are left over.

    Latency and polarity stay in the recording and are undone when it is read; a fraction of a frame and a drifting
    clock can only be mended in the recording itself.
    """

    latency_frames: int
    polarity: Literal[-1, 1]
    start: float = 0.0
    step: float = 1.0
    findings: tuple[Finding, ...] = ()

    @property
    def is_resampled(self) -> bool:
        """Whether the recording is read between its frames."""
        return (self.start, self.step) != (0.0, 1.0)

    def place_of(self, frame: float) -> float:
        """Return where a frame of the recording comes to lie."""
        return (frame - self.start) / self.step


def check_timing(timing: Timing) -> None:
    """Raise TakeRejectedError when a wet does not run with its dry, with the reason and what to do."""
    if timing.clearness < CLEAR:
        raise TakeRejectedError(
            f"The wet does not follow the dry anywhere: the best match is {timing.clearness:.1f} times the next, and "
            f"{CLEAR} times are needed. Is it another recording, or has it no passage in common with the dry?"
        )
    if timing.wander_frames > MOST_WANDER_FRAMES and timing.jump_second is not None:
        raise TakeRejectedError(
            f"The wet jumps against the dry at {timing.jump_second:.1f} s: frames were lost or put in. Record it "
            "again, with larger buffers."
        )
    if timing.wander_frames > MOST_WANDER_FRAMES:
        raise TakeRejectedError(
            f"The wet wanders against the dry by {timing.wander_frames:.1f} frames and more, so that no delay fits. A "
            "tape machine, an unlocked clock or a vibrato does that. Record it with one clock for both ways."
        )


def mendings(timings: Sequence[Timing], standing: Sequence[object], sample_rate: int) -> list[Mending]:
    """Return what to do to each take of a session; `standing` says for each where the knobs stood.

    Takes that agree as far as their filters let anyone know are taken to share one latency, the least of them; less
    than what a filter can look like is taken for none. Where that is unsure, up to two frames are left in, since a wet
    that came early could not be learnt by anything that hears no future. A take that surely differs from the rest is
    moved by its own latency, fraction included when that is sure, so that what is left over is the same in all. Between
    takes of equal settings it is, as the same filters mislead both alike.
    """
    sharp = sorted((each for each in timings if not each.is_spread), key=lambda each: each.frames)
    if not sharp:
        return [_spread(each, sample_rate) for each in timings]
    middle = sharp[(len(sharp) - 1) // 2]  # of two the one that is less late, which may be none
    together = [each for each in sharp if _agree(each, middle)]
    unsure = sorted(each.uncertainty_frames for each in together)[len(together) // 2]
    aligned = abs(middle.frames) <= max(unsure, _AGREE_FRAMES)
    least = min(each.frames for each in together)
    shared = 0 if aligned else math.floor(least + (_SLACK_FRAMES if unsure < _SURE_FRAMES else -min(unsure, 1.0)))
    known = [stands for each, stands in zip(timings, standing, strict=True) if each in together]
    out = []
    for timing, stands in zip(timings, standing, strict=True):
        if timing.is_spread:
            out.append(_spread(timing, sample_rate))
        elif _agree(timing, middle):
            out.append(_mended(timing, shared, timing.frames - shared, sample_rate))
        else:
            unsure_of = _ALIKE_FRAMES if stands in known else timing.uncertainty_frames
            out.append(_alone(timing, middle.frames - shared, unsure_of, sample_rate))
    return out


def mending_alike(timing: Timing, sample_rate: int) -> Mending:
    """Return what to do to a take timed beside the same sound, so that it has no lateness of its own any more."""
    return _spread(timing, sample_rate) if timing.is_spread else _alone(timing, 0.0, _ALIKE_FRAMES, sample_rate)


def _agree(one: Timing, other: Timing) -> bool:
    return abs(one.frames - other.frames) <= max(one.uncertainty_frames, other.uncertainty_frames, _AGREE_FRAMES)


def _alone(timing: Timing, left_over: float, unsure_of: float, sample_rate: int) -> Mending:
    """Return the mending of a take with a latency of its own, after which as much is left over as in the rest."""
    latency = round(timing.frames - left_over)
    fraction = timing.frames - left_over - latency
    is_sure = abs(fraction) > unsure_of
    return _mended(timing, latency, left_over if is_sure else timing.frames - latency, sample_rate)


def _mended(timing: Timing, latency: int, left_over: float, sample_rate: int) -> Mending:
    step = 1 + timing.drift_ppm * 1e-6
    start = timing.frames - (latency + left_over) * step
    moved = timing.drift_ppm != 0 or abs(timing.frames - latency - left_over) > 1e-9
    return Mending(
        latency_frames=latency,
        polarity=timing.polarity,
        start=start if moved else 0.0,
        step=step,
        findings=tuple(_findings(timing, latency, sample_rate)),
    )


def _spread(timing: Timing, sample_rate: int) -> Mending:
    """Return the mending of a take without a single arrival: it is only moved when it is far away."""
    near = abs(timing.frames) <= _SPREAD_SECONDS * sample_rate
    latency = 0 if near else math.floor(timing.frames - timing.uncertainty_frames)
    ms = timing.frames / sample_rate * 1000
    done = "taken for the gear's own and left" if near else "moved back"
    message = f"The sound arrives spread out, from about {ms:.0f} ms on, as through a reverb; {done}."
    return Mending(latency_frames=latency, polarity=1, findings=(Finding(kind="unsure-latency", message=message),))


def _findings(timing: Timing, latency: int, sample_rate: int) -> list[Finding]:
    found = []
    late = "late" if timing.frames > 0 else "early"
    amount = f"{abs(timing.frames):.1f} frames ({abs(timing.frames) / sample_rate * 1000:.2f} ms) {late}"
    if latency:
        sure = f" Known to {timing.uncertainty_frames:.1f} frames." if timing.uncertainty_frames > 1 else ""
        found.append(Finding(kind="latency", message=f"The wet is {amount}; moved back.{sure}"))
    elif abs(timing.frames) > max(2.0, timing.uncertainty_frames):
        message = f"The wet is {amount}, as filters can be; left as it is."
        found.append(Finding(kind="unsure-latency", message=message))
    if timing.drift_ppm:
        way = "fast" if timing.drift_ppm > 0 else "slow"
        message = f"The recorder's clock ran {abs(timing.drift_ppm):.1f} ppm {way}; brought onto the dry's."
        found.append(Finding(kind="drift", message=message))
    if timing.polarity == -1:
        found.append(Finding(kind="polarity", message="The wet is upside down; turned over."))
    return found
