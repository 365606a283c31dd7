"""Pairs: other people's dry and wet recordings, sorted out and taken into a session."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import soxr

from profiler.audio import Audio, Samples
from profiler.audio_file import read_audio, reading
from profiler.errors import AudioError, ProfilerError, SessionError, TakeRejectedError
from profiler.finding import Finding
from profiler.lateness import LONGEST_SECONDS, Lateness, measure_lateness
from profiler.pairs_table import PairRow, PairsTable
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.score import SILENCE_DB, level_db
from profiler.session import Take
from profiler.session_folder import SessionFolder

__all__ = ["Refusal", "common_rate", "take_in"]

_CLEAR = 2.5
_ALIGNED_WITHIN = 8.0
_SURELY_EARLY = 2.0
_SPREAD_OF_ONE = 4.0
_MARGIN = 1
_SHORTEST_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A line of the table that was not taken in, and why."""

    line: int
    reason: str


def common_rate(table: PairsTable) -> int:
    """Return the rate that a session of these pairs has: that of the first dry that can be read.

    Raises SessionError when none can.
    """
    for row in table.rows:
        try:
            with reading(row.dry) as reader:
                return reader.sample_rate
        except AudioError:
            continue
    raise SessionError("None of the dry files can be read. Expected WAV, FLAC, AIFF, OGG or MP3.")


def take_in(
    folder: SessionFolder, table: PairsTable, *, on_progress: ProgressCallback = unheard
) -> tuple[Refusal, ...]:
    """Take every row of a table into a session, or those that it does not have yet, and return the refused ones.

    Rates are converted to the session's, channels to mono. A wet that is upside down or late is mended, with a
    finding. A row that cannot be used is refused with its reason and the rest goes on. Raises SessionError when
    nothing is left, StorageError when the disk refuses.
    """
    refused: list[Refusal] = []
    measured: list[tuple[PairRow, Lateness]] = []
    begun = time.monotonic()

    def tell(done: float, note: str) -> None:
        left = (time.monotonic() - begun) * (1 - done) / done
        on_progress(Progress(step="files", done=done, seconds_left=left, note=note))

    for number, row in enumerate(table.rows):
        try:
            dry, wet = _read(row, folder.session.sample_rate)
            measured.append((row, _measured(dry, wet)))
        except (ProfilerError, OSError) as error:
            refused.append(Refusal(line=row.line, reason=str(error)))
        tell((number + 1) / len(table.rows) / 2, "listening")
    if not measured:
        reasons = "\n  ".join(f"line {each.line}: {each.reason}" for each in refused)
        raise SessionError(f"None of the takes can be used:\n  {reasons}")
    latencies = _latencies([lateness for _, lateness in measured])
    for number, ((row, lateness), latency) in enumerate(zip(measured, latencies, strict=True)):
        _keep(folder, row, number=number, latency=latency, lateness=lateness)
        tell(0.5 + (number + 1) / len(measured) / 2, "keeping")
    return tuple(refused)


def _read(row: PairRow, sample_rate: int) -> tuple[Audio, Audio]:
    dry, wet = read_audio(row.dry), read_audio(row.wet)
    if row.track is not None and dry.sample_rate != sample_rate:
        raise TakeRejectedError(
            f"{row.dry.name} is at {dry.sample_rate} Hz and has a knob track, whose frames count at that rate; the "
            f"session is at {sample_rate} Hz. Bring such takes at one rate."
        )
    for name, audio in ((row.dry.name, dry), (row.wet.name, wet)):
        if audio.seconds < _SHORTEST_SECONDS:
            raise TakeRejectedError(f"{name} lasts {audio.seconds:.3g} s; at least {_SHORTEST_SECONDS} s are needed.")
        if level_db(audio.samples) < SILENCE_DB:
            raise TakeRejectedError(f"{name} is silent. Check what was recorded.")
    return _converted(dry, sample_rate), _converted(wet, sample_rate)


def _converted(audio: Audio, sample_rate: int) -> Audio:
    mono: Samples = audio.mono()
    if audio.sample_rate != sample_rate:
        mono = np.asarray(soxr.resample(mono, audio.sample_rate, sample_rate), np.float32)
    return Audio(samples=np.ascontiguousarray(mono[None]), sample_rate=sample_rate)


def _measured(dry: Audio, wet: Audio) -> Lateness:
    if dry.frames == wet.frames and np.array_equal(dry.samples, wet.samples):
        raise TakeRejectedError("The wet is the dry itself: nothing was recorded through the gear.")
    lateness = measure_lateness(dry.samples[0], wet.samples[0], dry.sample_rate)
    if lateness.clearness < _CLEAR:
        raise TakeRejectedError(
            f"The wet does not follow the dry anywhere within {LONGEST_SECONDS:g} s: the best match is "
            f"{lateness.clearness:.1f} times the next, and {_CLEAR} times are needed. Is it another recording?"
        )
    return lateness


def _latencies(found: Sequence[Lateness]) -> list[int]:
    """Return the whole frames to take out of each take.

    Filters move the match by a few frames, so takes that agree within four frames are taken to share one latency,
    the least of them, and less than eight frames is taken for none. A frame is left in, since a wet that came
    early could not be learnt by anything that hears no future.
    """
    least, most = (bound(each.frames for each in found) for bound in (min, max))
    if most - least <= _SPREAD_OF_ONE:
        return [_whole(least)] * len(found)
    return [_whole(each.frames) for each in found]


def _whole(frames: float) -> int:
    return 0 if abs(frames) < _ALIGNED_WITHIN else math.floor(frames) - _MARGIN


def _keep(folder: SessionFolder, row: PairRow, *, number: int, latency: int, lateness: Lateness) -> None:
    dry, wet = _read(row, folder.session.sample_rate)
    take = Take(
        number=number,
        dry=folder.add_dry(dry, None),
        file="",
        sha256="",
        frames=0,
        settings=row.settings,
        latency_frames=latency,
        polarity=lateness.polarity,
        findings=_findings(latency, lateness, folder.session.sample_rate),
    )
    kept = folder.session.take(number)
    if kept is not None:
        ours = (take.dry, take.settings, take.latency_frames, take.polarity)
        same = (kept.dry, kept.settings, kept.latency_frames, kept.polarity) == ours
        if not same or not np.array_equal(folder.wet_of(kept).samples, wet.samples):
            raise SessionError(f"{folder.path} was begun with another table. Bring this one into a new folder.")
        return
    first = next((each for each in folder.session.takes if _is_replicate(each, take)), None)
    if first is not None and row.settings is not None:
        take = replace(take, replicate_of=first.number)
    folder.add_take(take, wet, row.track)


def _is_replicate(one: Take, other: Take) -> bool:
    return (one.dry, one.settings) == (other.dry, other.settings) and one.replicate_of is None


def _findings(latency: int, lateness: Lateness, sample_rate: int) -> tuple[Finding, ...]:
    found = []
    if latency:
        late = "late" if latency > 0 else "early"
        message = f"The wet is {abs(latency)} frames ({abs(latency) / sample_rate * 1000:.1f} ms) {late}; moved back."
        found.append(Finding(kind="latency", message=message))
    elif lateness.frames < -_SURELY_EARLY:
        message = f"The wet seems {-lateness.frames:.0f} frames early; a filter can look like that, so it was left."
        found.append(Finding(kind="unsure-latency", message=message))
    if lateness.polarity == -1:
        found.append(Finding(kind="polarity", message="The wet is upside down; turned over."))
    return tuple(found)
