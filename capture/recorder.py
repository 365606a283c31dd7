"""The recorder: carries out a plan on a rig, one take after the other, each safe on disk before the next begins."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from capture.plan import PlannedTake
from capture.rig import Rig
from profiler.audio import Audio
from profiler.blips import read_blips
from profiler.composer import compose
from profiler.errors import SessionError
from profiler.finding import Finding
from profiler.knob_track import KnobTrack
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.score import SILENCE_DB, level_db
from profiler.session import Take
from profiler.session_folder import SessionFolder
from profiler.stimulus import Stimulus

__all__ = ["PlayedTake", "keep_take", "play_take", "record"]

_SAME_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class PlayedTake:
    """A planned take as it was played: stimulus, dry and wet, and what they show."""

    planned: PlannedTake
    stimulus: Stimulus
    dry: Audio
    wet: Audio
    findings: tuple[Finding, ...] = ()


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


def play_take(rig: Rig, planned: PlannedTake, *, on_done: Callable[[float], None]) -> PlayedTake:
    """Play a planned take on a rig and return what came back, which is not on disk yet. Raises GearError."""
    stimulus, dry = compose(planned.form, seed=planned.seed, sample_rate=rig.sample_rate, seconds=planned.seconds)
    wet = rig.play(dry, _track(planned), on_done=on_done)
    findings = (*_findings(stimulus, dry, wet), *rig.findings())
    return PlayedTake(planned=planned, stimulus=stimulus, dry=dry, wet=wet, findings=findings)


def keep_take(folder: SessionFolder, played: PlayedTake) -> Take:
    """Put what was played into a session, in place of a take of that number. Raises StorageError."""
    planned = played.planned
    take = Take(
        number=planned.number,
        dry=folder.add_dry(played.dry, played.stimulus),
        file="",
        sha256="",
        frames=0,
        settings=planned.settings,
        held_out=planned.held_out,
        replicate_of=planned.replicate_of,
        findings=played.findings,
    )
    return folder.add_take(take, played.wet, planned.track)


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
    seconds = take.frames / folder.session.sample_rate
    return planned.seconds is None or abs(seconds - planned.seconds) < _SAME_SECONDS


def _findings(stimulus: Stimulus, dry: Audio, wet: Audio) -> list[Finding]:
    """Return what a plugin's take shows. Its host takes latency out, so what is left is sound and stays."""
    if level_db(wet.samples) < SILENCE_DB and level_db(dry.samples) >= SILENCE_DB:
        return [Finding(kind="silent", severity="warning", message="The wet is silent: the gear let nothing through.")]
    blips = stimulus.part("blips")
    if blips is None:
        return []
    reading = read_blips(wet.samples[0], start=blips.start, sample_rate=wet.sample_rate)
    found = []
    if reading.latency_frames:
        message = f"Blips come through {reading.latency_frames} frames late; this is learnt as part of the sound."
        found.append(Finding(kind="latency", message=message))
    if reading.polarity == -1:
        found.append(Finding(kind="polarity", message="The gear turns the signal upside down; this is learnt too."))
    return found
