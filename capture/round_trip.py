"""The round trip: how late what came back through an interface is, measured on every take anew."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from capture.cut_off import cut_off_frame
from profiler.audio import Samples
from profiler.blips import BlipReading, read_blips
from profiler.checks.slips import find_slips
from profiler.errors import TakeRejectedError
from profiler.finding import Finding
from profiler.knob import KnobSettings
from profiler.mending import MOST_WANDER_FRAMES, check_timing
from profiler.recording import HeldRecording
from profiler.score import SILENCE_DB, level_db
from profiler.session import Take
from profiler.stimulus import Stimulus
from profiler.timing import POLARITY_CLEAR, Timing, measure_timing

__all__ = ["RoundTrip", "measure_round_trip"]

_AGREE_FRAMES = 0.5
# By how much filters of two settings seem to delay each other (see profiler.pair_timings); buffers move by blocks.
_FILTERS_DIFFER_FRAMES = 3.0
_SLACK_FRAMES = 0.25
_BLIPS_AGREE_FRAMES = 2
_BLIPS_STRAY_FRAMES = 12
_MATTERING_DRIFT_FRAMES = 0.5
_UNSURE_FRAMES = 1.0
_FILTERS_DELAY_SECONDS = 0.00125  # what is later than blips by more has slipped behind them
_LEAST_SECONDS = 1.0
_ODD_FRAMES = 2.0  # distorting amps in takes of seven seconds 0.7; what a lost buffer leaves, tens and more


@dataclass(frozen=True, kw_only=True)
class RoundTrip:
    """How late a take is: as measured, None when nothing came back, and as whole frames to take out."""

    latency_frames: int
    measured_frames: float | None
    polarity: Literal[-1, 1]
    findings: tuple[Finding, ...] = ()


def measure_round_trip(  # noqa: PLR0913 - two recordings and what is known of them
    stimulus: Stimulus,
    dry: Samples,
    wet: Samples,
    loopback: Samples | None,
    *,
    sample_rate: int,
    settings: KnobSettings | None = None,
    earlier: Sequence[Take] = (),
    one_clock: bool = False,
) -> RoundTrip:
    """Return the round trip of a take, from its loopback if it has one; all are of shape (frames,).

    Blips tell roughly, and whether all of them came equally late; the phase of all that was played tells a fraction of
    a frame. Takes are late by what they show themselves. Where that agrees with what an `earlier` one shows, as far as
    gear at other settings lets anyone know, its whole frames are taken, for a filter that is turned looks like delay.
    What looks like drift where there is but `one_clock` is the gear's doing: it distorts.
    A take that lost frames is as late as the longest part of it; the judge tells of the rest. Raises TakeRejectedError
    when the wet wanders, comes before the dry or has nothing to do with it, or when the loopback is silent.
    """
    reference, name = (wet, "return") if loopback is None else (loopback, "loopback")
    if level_db(reference[None]) < SILENCE_DB:
        if loopback is not None:
            raise TakeRejectedError(
                "The loopback is silent. Connect the second output to it, or leave --loopback away."
            )
        return _unheard(earlier)
    blips = _blips(stimulus, reference, sample_rate)
    timed = _until_cut_off(dry, reference, sample_rate)
    timing = measure_timing(*timed, sample_rate)
    timing, slipped = _before_it_slips(*timed, timing, sample_rate)
    if blips is not None and (timing.is_spread or not timing.is_clear):
        return _by_blips(blips, name)
    wander = _small_wander(timing)
    if not slipped and (wander is None or not _halves_agree(*timed, sample_rate)):
        check_timing(timing)
    if not slipped:
        timing = _not_before_blips(timing, blips, sample_rate)
    _check_sign(timing, sample_rate)
    latency = _whole_frames(timing, settings, earlier, exact=loopback is not None)
    found = _findings(timing, blips, len(dry), sample_rate, may_drift=not one_clock) + ([wander] if wander else [])
    if loopback is not None:
        found += _ahead(stimulus, wet, blips, sample_rate)
    return RoundTrip(
        latency_frames=latency,
        measured_frames=round(timing.frames, 3),
        polarity=_polarity(timing, earlier, exact=loopback is not None),
        findings=tuple(found),
    )


def _unheard(earlier: Sequence[Take]) -> RoundTrip:
    message = "The return is silent: the gear let nothing through, or it is not connected."
    silent = Finding(kind="silent", severity="warning", message=message)
    last = earlier[-1] if earlier else None
    return RoundTrip(
        latency_frames=last.latency_frames if last else 0,
        measured_frames=None,
        polarity=last.polarity if last else 1,
        findings=(silent,),
    )


def _blips(stimulus: Stimulus, samples: Samples, sample_rate: int) -> BlipReading | None:
    """Return what the blips say, if all came back and equally late."""
    part = stimulus.part("blips")
    if part is None:
        return None
    reading = read_blips(samples, start=part.start, sample_rate=sample_rate)
    whole = len(reading.latencies) == 3 and int(np.ptp(reading.latencies)) <= _BLIPS_AGREE_FRAMES
    return reading if whole else None


def _by_blips(blips: BlipReading, name: str) -> RoundTrip:
    latency = min(blips.latencies)
    message = (
        f"The {name} follows the dry only loosely, as through a reverb; blips arrive {latency} frames late, and that "
        "is taken out. A loopback cable would tell it surely."
    )
    found = Finding(kind="unsure-latency", severity="warning", message=message)
    return RoundTrip(
        latency_frames=latency, measured_frames=float(latency), polarity=blips.polarity or 1, findings=(found,)
    )


def _not_before_blips(timing: Timing, blips: BlipReading | None, sample_rate: int) -> Timing:
    """Return how late blips are where the phase is unsure and has it later: a wet moved too far comes before its dry.

    What distorts heavily behind filters shows the delay of whatever is loudest, 40 frames where blips come after 2.
    """
    late = None if blips is None else blips.latency_frames
    if late is None or timing.uncertainty_frames <= _UNSURE_FRAMES:
        return timing
    if not 0 < timing.frames - late <= _FILTERS_DELAY_SECONDS * sample_rate:
        return timing
    return replace(timing, frames=float(late))


def _until_cut_off(dry: Samples, wet: Samples, sample_rate: int) -> tuple[HeldRecording, HeldRecording]:
    """Return both up to where the wet is cut off, if that is long enough to be timed: the judge tells of it."""
    end = cut_off_frame(dry, wet, sample_rate)
    if end is None or end < _LEAST_SECONDS * sample_rate:
        return HeldRecording(dry), HeldRecording(wet)
    return HeldRecording(dry[:end]), HeldRecording(wet[:end])


def _before_it_slips(dry: HeldRecording, wet: HeldRecording, timing: Timing, sample_rate: int) -> tuple[Timing, bool]:
    """Return the timing of the longest part between slips where there are any, and whether there are."""
    if timing.is_spread or not timing.is_clear or timing.wander_frames <= MOST_WANDER_FRAMES:
        return timing, False
    late = round(timing.frames)
    slips = find_slips(dry.read(0, dry.frames), wet.read(late, wet.frames - min(late, 0)))
    edges = [0, *(slip.at for slip in slips), dry.frames]
    frames, start = max((stop - start, start) for start, stop in itertools.pairwise(edges))
    if not slips or frames < _LEAST_SECONDS * sample_rate:
        return timing, bool(slips)
    part = HeldRecording(wet.read(start, max(wet.frames - start, frames)))
    found = measure_timing(HeldRecording(dry.read(start, frames)), part, sample_rate)
    return (found if found.is_clear else timing), True


def _halves_agree(dry: HeldRecording, wet: HeldRecording, sample_rate: int) -> bool:
    """Return whether nothing was lost or put in on the way: both halves are late by the same."""
    middle = dry.frames // 2
    first, second = (
        measure_timing(HeldRecording(dry.read(start, frames)), HeldRecording(wet.read(start, frames)), sample_rate)
        for start, frames in ((0, middle), (middle, dry.frames - middle))
    )
    return first.is_clear and second.is_clear and abs(first.frames - second.frames) < _ODD_FRAMES


def _small_wander(timing: Timing) -> Finding | None:
    """Return a finding where a take seems to wander a little: one clock does not, but an amp in a short take may."""
    if not (timing.is_clear and timing.jump_second is None and MOST_WANDER_FRAMES < timing.wander_frames < _ODD_FRAMES):
        return None
    message = (
        f"The wet seems to wander against the dry by {timing.wander_frames:.1f} frames. Gear that distorts can look "
        "so; two interfaces whose clocks are not locked do so."
    )
    return Finding(kind="wander", severity="warning", message=message)


def _check_sign(timing: Timing, sample_rate: int) -> None:
    if timing.frames < -max(timing.uncertainty_frames, _AGREE_FRAMES):
        raise TakeRejectedError(
            f"The return comes {-timing.frames:.0f} frames ({-timing.frames / sample_rate * 1000:.1f} ms) before what "
            "was sent, which no gear does: frames were lost between two interfaces, or at the start. Record it again, "
            "through one interface."
        )


def _whole_frames(timing: Timing, settings: KnobSettings | None, earlier: Sequence[Take], *, exact: bool) -> int:
    """Return by how many whole frames to move a take back."""
    known = [take for take in earlier if take.measured_latency_frames is not None]
    for take in reversed(known):
        alike = exact or (settings is not None and take.settings == settings)
        agree = _AGREE_FRAMES if alike else max(_FILTERS_DIFFER_FRAMES, timing.uncertainty_frames)
        if abs(timing.frames - (take.measured_latency_frames or 0.0)) <= agree:
            return take.latency_frames
    unsure = timing.uncertainty_frames
    slack = _SLACK_FRAMES if unsure <= _AGREE_FRAMES or exact else -min(unsure, 1.0)
    return max(math.floor(timing.frames + slack), 0)


def _polarity(timing: Timing, earlier: Sequence[Take], *, exact: bool) -> Literal[-1, 1]:
    """Return which way up a take is; gear that swings both ways does not tell, and is as it was before."""
    if exact or timing.polarity_clearness > POLARITY_CLEAR or not earlier:
        return timing.polarity
    return earlier[-1].polarity


def _findings(
    timing: Timing, blips: BlipReading | None, frames: int, sample_rate: int, *, may_drift: bool
) -> list[Finding]:
    found = []
    if timing.polarity == -1 and timing.polarity_clearness > POLARITY_CLEAR:
        found.append(Finding(kind="polarity", message="The return is upside down; turned over."))
    if may_drift and abs(timing.drift_ppm) * 1e-6 * frames > _MATTERING_DRIFT_FRAMES:
        message = (
            f"The clocks of send and return drift apart by {timing.drift_ppm:+.1f} ppm, "
            f"{abs(timing.drift_ppm) * 1e-6 * frames:.1f} frames over the take. Use one interface for both, or lock "
            "their clocks."
        )
        found.append(Finding(kind="drift", severity="warning", message=message))
    apart = 0 if blips is None else abs((blips.latency_frames or 0) - timing.frames)
    if apart > _BLIPS_STRAY_FRAMES + timing.uncertainty_frames:
        message = (
            f"Blips arrive {apart / sample_rate * 1000:.1f} ms apart from the playing, which is what counts: latency "
            "is known to that only. A loopback cable would tell it surely."
        )
        found.append(Finding(kind="unsure-latency", severity="warning", message=message))
    return found


def _ahead(stimulus: Stimulus, wet: Samples, looped: BlipReading | None, sample_rate: int) -> list[Finding]:
    """Return a finding when the gear answers before the loopback does."""
    back = _blips(stimulus, wet, sample_rate)
    if back is None or looped is None:
        return []
    ahead = (looped.latency_frames or 0) - (back.latency_frames or 0)
    if ahead <= _BLIPS_AGREE_FRAMES:
        return []
    message = f"The return comes {ahead} frames before the loopback. Are the two channels swapped?"
    return [Finding(kind="latency", severity="warning", message=message)]
