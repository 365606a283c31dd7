"""Moving takes of hardware: knobs that turn themselves while it plays, and the track along which they were heard to.

A message does not sound when it is sent. It waits for the next block of the sound server and for the gear, and gear has
the sound that was handed over some blocks before. By how much, a trial in the same stream tells, just before the take.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from capture.follower import Follower
from capture.interface import Meter, Returned, play_and_record
from capture.knob_trial import HeardMoves, KnobTrial, trial_ends
from capture.knob_turner import KnobTurner, Sent
from profiler.audio import Samples
from profiler.clipping import joined_spans
from profiler.errors import TakeRejectedError
from profiler.finding import Finding
from profiler.knob import Knob, KnobSettings
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.session import Wiring

__all__ = ["MovingReturn", "hear_knobs", "play_moving"]

_UNHEARD = (
    "What MIDI turns is not heard in the return: knobs were turned to and fro, and it stayed the same or changed at "
    "odd times. Are the port, the channel and the numbers of --midi right, and does the gear listen to them?"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class MovingReturn:
    """What came back, and `moves`: what was sent, each with the frame of the return at which it was heard."""

    returned: Returned
    moves: tuple[tuple[int, Sent], ...]
    heard: HeardMoves

    def track(self, first: KnobSettings, latency_frames: int) -> KnobTrack:
        """Return the track along which the dry was heard to be played, when the return is so many frames late."""
        settings, points = dict(first), {0: dict(first)}
        for frame, sent in self.moves:
            settings |= sent.settings
            points[max(frame - latency_frames, 0)] = dict(settings)
        return KnobTrack(breakpoints=tuple(Breakpoint(frame=frame, settings=points[frame]) for frame in sorted(points)))

    def unsure(self) -> tuple[tuple[int, int], ...]:
        """Return the spans of the return in which it is not known whether a move was heard already."""
        stray, frames = self.heard.stray_frames, len(self.returned.wet)
        around = [(max(frame - stray, 0), min(frame + stray, frames)) for frame, _ in self.moves]
        return tuple(joined_spans([(start, stop) for start, stop in around if start < stop], 0))

    def finding(self, sample_rate: int) -> Finding:
        """Say how late knobs were heard, and how sure that is."""
        late, stray = (1000 * each / sample_rate for each in (self.heard.frames, self.heard.stray_frames))
        message = (
            f"What MIDI turned was heard in the return {late:.0f} ms after it was sent, give or take {stray:.0f} ms. "
            "The knob track says when it was heard; what is not sure is neither learnt nor scored."
        )
        return Finding(kind="knob-delay", message=message)


def play_moving(  # noqa: PLR0913 - what is played, through what, and who listens
    wiring: Wiring,
    dry: Samples,
    track: KnobTrack,
    knobs: Sequence[Knob],
    turner: KnobTurner,
    *,
    sample_rate: int,
    on_meter: Callable[[Meter], None] = lambda _: None,
) -> MovingReturn:
    """Play a dry of shape (frames,) while the knobs follow a track, after a trial that tells how late they are heard.

    Raises GearError as `play_and_record` does or when the knobs do not follow, TakeRejectedError when they are not
    heard.
    """
    trial = KnobTrial.of(sample_rate)
    first = track.visited(knobs)[0]
    moved = [knob for knob in knobs if any(knob.id in point.settings for point in track.breakpoints[1:])]
    begin = len(trial.dry)
    rest = begin - sample_rate // 2  # in the silence between, so that the knobs have settled when the take begins
    before = [*trial.breakpoints(trial_ends(moved, first)), Breakpoint(frame=rest, settings=first)]
    after = [replace(point, frame=point.frame + begin) for point in track.breakpoints[1:]]
    whole = KnobTrack(breakpoints=(*before, *after))
    turner.turn(whole.breakpoints[0].settings)
    follower = Follower(turner, whole, sample_rate)

    def hear(meter: Meter) -> None:
        follower.hear(meter)
        on_meter(meter)

    with follower.following():
        returned = play_and_record(wiring, np.concatenate([trial.dry, dry]), sample_rate, on_meter=hear)
    sent = follower.sent()
    jumps = len(trial.jumps)
    heard = trial.heard(returned.wet, [frame for frame, _ in sent[:jumps]])
    if heard is None:
        raise TakeRejectedError(_UNHEARD)
    return MovingReturn(
        returned=_from(returned, begin),
        moves=tuple((round(frame) + heard.frames - begin, each) for frame, each in sent[jumps:] if frame >= begin),
        heard=heard,
    )


def hear_knobs(
    wiring: Wiring, knob: Knob, others: KnobSettings, turner: KnobTurner, *, sample_rate: int
) -> HeardMoves | None:
    """Turn one knob to and fro with the others at rest. Return when that was heard, or None. Raises GearError."""
    trial = KnobTrial.of(sample_rate)
    track = KnobTrack(breakpoints=tuple(trial.breakpoints(trial_ends([knob], others))))
    turner.turn(track.breakpoints[0].settings)
    follower = Follower(turner, track, sample_rate)
    with follower.following():
        returned = play_and_record(wiring, trial.dry, sample_rate, on_meter=follower.hear)
    return trial.heard(returned.wet, [frame for frame, _ in follower.sent()])


def _from(returned: Returned, begin: int) -> Returned:
    """Return what came back from a frame on."""
    loopback = None if returned.loopback is None else returned.loopback[begin:]
    flagged = tuple(frame - begin for frame in returned.flagged if frame >= begin)
    return replace(returned, wet=returned.wet[begin:], loopback=loopback, flagged=flagged)
