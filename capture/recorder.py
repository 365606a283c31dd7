"""The recorder: carries out a plan on a rig, one take after the other, each safe on disk before the next begins."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from capture.plan import PlannedTake
from capture.rig import Played, Rig
from profiler.audio import Audio
from profiler.composer import compose
from profiler.errors import SessionError
from profiler.knob_track import KnobTrack
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.session import Take
from profiler.session_folder import SessionFolder
from profiler.stimulus import Stimulus

__all__ = ["PlayedTake", "keep_take", "play_take", "record"]

_SAME_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class PlayedTake(Played):
    """A planned take as it was played: its stimulus and dry too."""

    planned: PlannedTake
    stimulus: Stimulus
    dry: Audio


def record(
    folder: SessionFolder, rig: Rig, plan: Sequence[PlannedTake], *, on_progress: ProgressCallback = unheard
) -> None:
    """Record every planned take that the session does not have yet.

    Raises SessionError when the session was begun with another plan, or another process is recording into it; takes
    recorded so far stay.
    """
    with folder.writing():
        _record(folder, rig, plan, on_progress)


def _record(folder: SessionFolder, rig: Rig, plan: Sequence[PlannedTake], on_progress: ProgressCallback) -> None:
    for planned in plan:
        _check_same_plan(folder, planned)
    missing = [planned for planned in plan if folder.session.take(planned.number) is None]
    begun = time.monotonic()
    for number, planned in enumerate(missing):

        def tell(part: float, number: int = number) -> None:
            done = (number + part) / len(missing)
            left = (time.monotonic() - begun) * (1 - done) / done if done else None
            on_progress(
                Progress(step="capture", done=done, seconds_left=left, note=f"take {number + 1} of {len(missing)}")
            )

        tell(0.0)
        keep_take(folder, play_take(rig, planned, on_done=tell))


def play_take(rig: Rig, planned: PlannedTake, *, on_done: Callable[[float], None] = lambda _: None) -> PlayedTake:
    """Play a planned take on a rig and return what came back, which is not on disk yet.

    Raises GearError, or TakeRejectedError for what cannot be used.
    """
    stimulus, dry = compose(planned.form, seed=planned.seed, sample_rate=rig.sample_rate, seconds=planned.seconds)
    played = rig.record(stimulus, dry, _track(planned), on_done=on_done)
    return PlayedTake(planned=planned, stimulus=stimulus, dry=dry, **vars(played))


def keep_take(folder: SessionFolder, played: PlayedTake) -> Take:
    """Put what was played into a session, in place of a take of that number. Raises StorageError."""
    planned, track = played.planned, played.track or _track(played.planned)
    moves = planned.settings is None
    take = Take(
        number=planned.number,
        dry=folder.add_dry(played.dry, played.stimulus),
        file="",
        sha256="",
        frames=0,
        settings=None if moves else track.breakpoints[0].settings,
        latency_frames=played.latency_frames,
        measured_latency_frames=played.measured_latency_frames,
        polarity=played.polarity,
        masked=played.masked,
        held_out=planned.held_out,
        replicate_of=planned.replicate_of,
        findings=played.findings,
    )
    return folder.add_take(take, played.wet, track if moves else None, loopback=played.loopback)


def _track(planned: PlannedTake) -> KnobTrack:
    return planned.track or KnobTrack.still(planned.settings or {})


def _check_same_plan(folder: SessionFolder, planned: PlannedTake) -> None:
    take = folder.session.take(planned.number)
    if take is None:
        return
    stimulus = folder.session.dries[take.dry].stimulus
    found = (take.settings, take.held_out, take.replicate_of, stimulus and (stimulus.form, stimulus.seed))
    wanted = (planned.settings, planned.held_out, planned.replicate_of, (planned.form, planned.seed))
    if found != wanted or not _lasts_and_moves_as(folder, take, planned):
        raise SessionError(
            f"{folder.path} was begun with another plan: its take {planned.number} differs. "
            "Give the same options to go on with it, or choose another folder."
        )


def _lasts_and_moves_as(folder: SessionFolder, take: Take, planned: PlannedTake) -> bool:
    if planned.track is not None:
        return folder.track_of(take) == planned.track
    seconds = folder.session.dries[take.dry].frames / folder.session.sample_rate
    return planned.seconds is None or abs(seconds - planned.seconds) < _SAME_SECONDS
