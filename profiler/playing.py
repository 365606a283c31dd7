"""Playing: recordings of one's own playing, added to a session that is there, so that training goes on with them.

A profile of the session may have learnt a part of the latency, as the sound of the gear. What is added is timed beside
what the profile itself plays at those settings, so that it goes on with the new takes as with the old ones.
"""

from collections.abc import Sequence
from dataclasses import replace

from profiler.audio import Samples
from profiler.errors import KnobError, ProfilerError, SessionError, TakeRejectedError
from profiler.knob import Knob
from profiler.knob_track import KnobTrack
from profiler.mending import check_timing, mending_alike
from profiler.pair_timings import HeardPair, recordings
from profiler.pairs import Refusal, Taking, keep_pair, listened
from profiler.pairs_table import PairRow, PairsTable
from profiler.profile import LoadedProfile
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.recording import HeldRecording, Recording
from profiler.rendering import ProfileProcessor
from profiler.session import described
from profiler.session_folder import SessionFolder
from profiler.storage import sha256_of
from profiler.timing import Timing, measure_timing

__all__ = ["add_playing", "timing_beside"]


def add_playing(
    folder: SessionFolder,
    loaded: LoadedProfile,
    table: PairsTable,
    *,
    keep_order: bool = False,
    first: int = 0,
    on_progress: ProgressCallback = unheard,
) -> tuple[Refusal, ...]:
    """Add every row of a table to a session of any kind as a take to learn from, and return the refused ones.

    Takes are numbered from `first` on, or after those there are. They are mended as by `take_in`, but that latency,
    polarity and drift are measured beside the profile, which is one of this session. A row that the session has already
    is left as it is. Raises SessionError when the table's knobs are not the session's, when nothing can be used, or
    another process records.
    """
    _check_knobs(folder, table)
    taking = Taking(sample_rate=folder.session.sample_rate, keep_order=keep_order)
    refused: list[Refusal] = []
    with folder.writing():
        for number, row in enumerate(table.rows):
            try:
                _add(folder, loaded, taking, _checked(folder.session.knobs, row), first)
            except (ProfilerError, OSError) as error:
                refused.append(Refusal(line=row.line, reason=str(error)))
            on_progress(Progress(step="files", done=(number + 1) / len(table.rows)))
    if len(refused) == len(table.rows):
        reasons = "\n  ".join(f"line {each.line}: {each.reason}" for each in refused)
        raise SessionError(f"None of the takes can be used:\n  {reasons}")
    return tuple(refused)


def _check_knobs(folder: SessionFolder, table: PairsTable) -> None:
    found, expected = ({knob.id for knob in knobs} for knobs in (table.knobs, folder.session.knobs))
    if found != expected:
        raise SessionError(
            f"The table's knobs are {', '.join(sorted(found)) or 'none'}; those of {folder.path} are "
            f"{', '.join(sorted(expected)) or 'none'}. Give the table a column for each of them, and no other."
        )


def _checked(knobs: Sequence[Knob], row: PairRow) -> PairRow:
    """Return the row with its values as the session's knobs have them. Raises KnobError for one out of range."""
    if row.track is not None:
        row.track.motion(knobs)
        return row
    try:
        return replace(row, settings={knob.id: knob.checked((row.settings or {})[knob.id]) for knob in knobs})
    except KeyError as error:
        raise KnobError(f"Knob {error.args[0]} has no value.") from error


def _add(folder: SessionFolder, loaded: LoadedProfile, taking: Taking, row: PairRow, first: int) -> None:
    if _is_there(folder, row):
        return
    heard = listened(taking, row)
    timing = _beside_profile(loaded, heard, taking.sample_rate)
    number = max([first, *(take.number + 1 for take in folder.session.takes)])
    keep_pair(folder, heard, mending_alike(timing, taking.sample_rate), number=number)


def _beside_profile(loaded: LoadedProfile, heard: HeardPair, sample_rate: int) -> Timing:
    row = heard.row
    with recordings(row, heard.dry, heard.wet, sample_rate) as (dry, wet):
        track = row.track or KnobTrack.still(row.settings or {})
        return timing_beside(loaded, track, dry.read(0, dry.frames), wet, sample_rate=sample_rate)


def timing_beside(loaded: LoadedProfile, track: KnobTrack, dry: Samples, wet: Recording, *, sample_rate: int) -> Timing:
    """Return how a wet runs against what the profile plays of its dry of shape (frames,), along a knob track.

    Raises TakeRejectedError where it does not run so.
    """
    processor = ProfileProcessor(loaded, track=track, oversampling=1)
    timing = measure_timing(HeldRecording(processor.process(dry[None], sample_rate)[0]), wet, sample_rate)
    check_timing(timing)
    return timing


def _is_there(folder: SessionFolder, row: PairRow) -> bool:
    """Say whether the session has this recording. Raises TakeRejectedError when it has it at other settings."""
    source = sha256_of(row.wet)
    for take in folder.session.takes:
        if take.source_sha256 != source:
            continue
        if take.settings != row.settings:
            knobs = folder.session.knobs
            raise TakeRejectedError(
                f"{row.wet.name} is take {take.number} already, at {described(knobs, take.settings)}; here it is said "
                f"to be at {described(knobs, row.settings)}. One recording has one place."
            )
        return True
    return False
