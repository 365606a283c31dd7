"""Pairs: other people's dry and wet recordings, sorted out and taken into a session.

Files are read in pieces, so their length does not matter. Every row is first listened to and its timing measured;
when all are known they are kept, one after the other, each whole on disk before the next.
"""

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from profiler.audio import AudioStream, Samples
from profiler.audio_file import reading
from profiler.clipping import joined_spans
from profiler.errors import AudioError, ProfilerError, SessionError, TakeRejectedError
from profiler.finding import Finding
from profiler.hearing import Hearing, hear, looks_swapped
from profiler.mending import Mending, check_timing, mendings
from profiler.pair_timings import HeardPair, agreed_timings, recordings
from profiler.pairs_table import PairRow, PairsTable
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.recording import FileRecording, Recording
from profiler.replicates import compared, findings_of
from profiler.session import Take
from profiler.session_folder import SessionFolder
from profiler.storage import sha256_of
from profiler.timing import measure_timing
from profiler.varispeed import read_along

__all__ = ["Refusal", "Taking", "common_rate", "keep_pair", "listened", "take_in"]

_BLOCK_FRAMES = 1 << 18
_HEARD, _TIMED, _KEPT = 0.5, 0.25, 0.25
_MOST_MASKS = 2000
_MASK_MARGIN_SECONDS = 0.0005
_MASK_GAP_SECONDS = 0.005


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A line of the table that was not taken in, and why."""

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Taking:
    """How pairs are taken in: at which rate, and whether dry and wet stay as named even where they look swapped."""

    sample_rate: int
    keep_order: bool
    hear: "functools._lru_cache_wrapper[Hearing]" = field(default_factory=lambda: functools.lru_cache(maxsize=64)(hear))


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
    folder: SessionFolder, table: PairsTable, *, keep_order: bool = False, on_progress: ProgressCallback = unheard
) -> tuple[Refusal, ...]:
    """Take every row of a table into a session, or those that it does not have yet, and return the refused ones.

    Rates are converted to the session's, channels to mono. A wet that is upside down, late, early or drifting is
    mended, clipped frames are masked, a replicate at another level is brought level, all with a finding. A row that
    cannot be used is refused with its reason and the rest goes on; `keep_order` takes dry and wet as they are named
    even where they look swapped. Raises SessionError when nothing is left, StorageError when the disk refuses.
    """
    begun = time.monotonic()

    def tell(done: float, note: str) -> None:
        left = (time.monotonic() - begun) * (1 - done) / done
        on_progress(Progress(step="files", done=done, seconds_left=left, note=note))

    taking = Taking(sample_rate=folder.session.sample_rate, keep_order=keep_order)
    refused: list[Refusal] = []
    heard: list[HeardPair] = []
    with folder.writing():
        for number, row in enumerate(table.rows):
            try:
                heard.append(listened(taking, row))
            except (ProfilerError, OSError) as error:
                refused.append(Refusal(line=row.line, reason=str(error)))
            tell((number + 1) / len(table.rows) * _HEARD, "listening")
        if not heard:
            reasons = "\n  ".join(f"line {each.line}: {each.reason}" for each in refused)
            raise SessionError(f"None of the takes can be used:\n  {reasons}")
        standing = [each.row.settings or each.row.track for each in heard]
        timings = agreed_timings(
            heard, folder.session.sample_rate, on_done=lambda done: tell(_HEARD + done * _TIMED, "timing")
        )
        mended = mendings(timings, standing, folder.session.sample_rate)
        for number, (each, mending) in enumerate(zip(heard, mended, strict=True)):
            keep_pair(folder, each, mending, number=number)
            tell(1 - (1 - (number + 1) / len(heard)) * _KEPT, "keeping")
    return tuple(refused)


def listened(taking: Taking, row: PairRow) -> HeardPair:
    """Return what the two files of a row sound like and how they run. Raises TakeRejectedError that says why not."""
    dry, wet = taking.hear(row.dry), hear(row.wet)
    if row.track is not None and dry.sample_rate != taking.sample_rate:
        raise TakeRejectedError(
            f"{row.dry.name} is at {dry.sample_rate} Hz and has a knob track, whose frames count at that rate; the "
            f"session is at {taking.sample_rate} Hz. Bring such takes at one rate."
        )
    with recordings(row, dry, wet, taking.sample_rate) as (one, other):
        _check_not_the_same(one, other)
        if not taking.keep_order and (sign := looks_swapped(dry, wet)):
            raise TakeRejectedError(
                f"Dry and wet look swapped: {sign}. Exchange the two columns, or run it with --keep-order if they are "
                "right."
            )
        timing = measure_timing(one, other, taking.sample_rate)
    check_timing(timing)
    return HeardPair(row=row, dry=dry, wet=wet, timing=timing)


def _check_not_the_same(dry: Recording, wet: Recording) -> None:
    if dry.frames != wet.frames:
        return
    for start in range(0, dry.frames, _BLOCK_FRAMES):
        if not np.array_equal(dry.read(start, _BLOCK_FRAMES), wet.read(start, _BLOCK_FRAMES)):
            return
    raise TakeRejectedError("The wet is the dry itself: nothing was recorded through the gear.")


def keep_pair(folder: SessionFolder, heard: HeardPair, mending: Mending, *, number: int) -> None:
    """Keep a pair as the take of that number, mended. Raises SessionError when that is another take already."""
    row, rate = heard.row, folder.session.sample_rate
    source = sha256_of(row.wet)
    masked = _masked(heard.wet, mending, rate)
    take = Take(
        number=number,
        dry=_dry(folder, heard),
        file="",
        sha256="",
        frames=0,
        settings=row.settings,
        latency_frames=mending.latency_frames,
        polarity=mending.polarity,
        masked=masked,
        findings=(*mending.findings, *_findings(heard.wet, masked, rate)),
        source_sha256=source,
    )
    kept = folder.session.take(number)
    if kept is not None:
        if not _is_of_the_same_row(kept, take):
            raise SessionError(f"{folder.path} was begun with another table. Bring this one into a new folder.")
        return
    first = next((each for each in folder.session.takes if _is_replicate(each, take)), None)
    if first is not None and row.settings is not None:
        take = replace(take, replicate_of=first.number)
    with reading(row.wet) as reader:
        recording = FileRecording(reader, rate, heard.wet.channels)
        take = folder.add_take(take, _stream(recording, mending, rate), row.track)
    if take.replicate_of is not None and first is not None:
        _bring_level(folder, first, take)


def _dry(folder: SessionFolder, heard: HeardPair) -> int:
    with reading(heard.row.dry) as reader:
        recording = FileRecording(reader, folder.session.sample_rate, heard.dry.channels)
        as_it_is = Mending(latency_frames=0, polarity=1)
        stream = _stream(recording, as_it_is, folder.session.sample_rate)
        return folder.add_dry(stream, None, source_sha256=sha256_of(heard.row.dry))


def _stream(recording: Recording, mending: Mending, sample_rate: int) -> AudioStream:
    frames = int(mending.place_of(recording.frames - 1)) + 1

    def blocks() -> Iterator[Samples]:
        if mending.is_resampled:
            along = read_along(recording, start=mending.start, step=mending.step, frames=frames)
            yield from (block[None] for block in along)
            return
        for start in range(0, frames, _BLOCK_FRAMES):
            yield recording.read(start, min(_BLOCK_FRAMES, frames - start))[None]

    return AudioStream(blocks=blocks(), channels=1, frames=frames, sample_rate=sample_rate)


def _is_of_the_same_row(kept: Take, take: Take) -> bool:
    ours, theirs = (
        (each.dry, each.settings, each.source_sha256, each.latency_frames, each.polarity) for each in (take, kept)
    )
    return ours == theirs


def _is_replicate(one: Take, other: Take) -> bool:
    return (one.dry, one.settings) == (other.dry, other.settings) and one.replicate_of is None


def _bring_level(folder: SessionFolder, first: Take, take: Take) -> None:
    """Compare a replicate with its first take, which may show that it was recorded at another level."""
    comparison = compared(folder, first, take)
    found = findings_of(comparison, first)
    if comparison.gain_db or found:
        folder.keep(replace(take, gain_db=comparison.gain_db, findings=(*take.findings, *found)))


def _masked(wet: Hearing, mending: Mending, sample_rate: int) -> tuple[tuple[int, int], ...]:
    """Return the clipped spans of a wet on the clock it is kept on, near ones joined until they are not too many."""
    ratio = sample_rate / wet.sample_rate
    margin = int(_MASK_MARGIN_SECONDS * sample_rate) + 1
    spans = [
        (
            max(int(mending.place_of(start * ratio)) - margin, 0),
            int(np.ceil(mending.place_of(stop * ratio))) + margin,
        )
        for start, stop in wet.clipped
    ]
    gap = int(_MASK_GAP_SECONDS * sample_rate)
    while len(spans := joined_spans(spans, gap)) > _MOST_MASKS:
        gap *= 2
    return tuple(spans)


def _findings(wet: Hearing, masked: Sequence[tuple[int, int]], sample_rate: int) -> list[Finding]:
    found = []
    if masked:
        seconds = sum(stop - start for start, stop in masked) / sample_rate
        message = (
            f"The recording clipped at {len(wet.clipped)} places; {seconds:.2f} s about them are neither learnt nor "
            "scored. Record it quieter."
        )
        found.append(Finding(kind="clipped", severity="warning", message=message))
    if len(wet.channels) < wet.file_channels:
        carrying = ", ".join(str(channel + 1) for channel in wet.channels)
        message = f"Of {wet.file_channels} channels only {carrying} carries the sound; the others are left out."
        found.append(Finding(kind="channels", message=message))
    return found
