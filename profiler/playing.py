"""Playing: recordings of one's own playing, added to a session that is there, so that training goes on with them.

The takes that the session has may leave a part of the latency in, as the sound of the gear; what is added leaves as
much in, so that a profile of the old takes goes on with the new ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from profiler.errors import KnobError, ProfilerError, SessionError, TakeRejectedError
from profiler.hearing import hear
from profiler.knob import Knob, positions_of
from profiler.mending import Mending, mending_beside
from profiler.pair_timings import HeardPair, agreed_timings, recordings
from profiler.pairs import Refusal, Taking, keep_pair, listened
from profiler.pairs_table import PairRow, PairsTable
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.session import Take, described
from profiler.session_folder import SessionFolder
from profiler.storage import sha256_of
from profiler.timing import Timing, measure_timing

__all__ = ["add_playing"]


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """A take that the session has, as a pair that was heard: how it runs is known by what was done to it."""

    take: Take
    pair: HeardPair


def add_playing(
    folder: SessionFolder, table: PairsTable, *, keep_order: bool = False, on_progress: ProgressCallback = unheard
) -> tuple[Refusal, ...]:
    """Add every row of a table to a session of any kind as a take to learn from, and return the refused ones.

    They are mended as by `take_in`, but for latency and polarity: those are measured beside the take that was recorded
    at the nearest settings, through its filter. A row that the session has already is left as it is. Raises
    SessionError when the table's knobs are not the session's, when nothing can be used, or another process records.
    """
    _check_knobs(folder, table)
    taking = Taking(sample_rate=folder.session.sample_rate, keep_order=keep_order)
    refused: list[Refusal] = []
    with folder.writing():
        there = list(folder.session.takes)
        for number, row in enumerate(table.rows):
            try:
                _add(folder, taking, _checked(folder.session.knobs, row), there)
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


def _add(folder: SessionFolder, taking: Taking, row: PairRow, there: Sequence[Take]) -> None:
    if _is_there(folder, row):
        return
    heard = listened(taking, row)
    beside = _nearest(folder, taking, row, there)
    number = max((take.number for take in folder.session.takes), default=-1) + 1
    keep_pair(folder, heard, _mending(folder, heard, beside), number=number)


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


def _nearest(folder: SessionFolder, taking: Taking, row: PairRow, there: Sequence[Take]) -> _Beside | None:
    """Return the take at the settings nearest to a row's, of several the longest; moving ones where none stands."""
    if not there:
        return None
    knobs = folder.session.knobs

    def rank(take: Take) -> tuple[float, int]:
        if take.settings is None or row.settings is None:
            return np.inf, -take.frames
        away = positions_of(knobs, take.settings) - positions_of(knobs, row.settings)
        return round(float(np.linalg.norm(away)), 6), -take.frames

    take = min(there, key=rank)
    dry, wet = folder.dry_path(take), folder.wet_path(take)
    track = folder.track_of(take) if take.settings is None else None
    own = PairRow(line=0, dry=dry, wet=wet, settings=None if track else dict(take.settings or {}), track=track)
    one, other = taking.hear(dry), hear(wet)
    with recordings(own, one, other, taking.sample_rate) as both:
        timing = measure_timing(*both, taking.sample_rate)
    return _Beside(take=take, pair=HeardPair(row=own, dry=one, wet=other, timing=timing))


def _mending(folder: SessionFolder, heard: HeardPair, beside: _Beside | None) -> Mending:
    rate = folder.session.sample_rate
    if beside is None:
        return mending_beside(heard.timing, 0.0, same_settings=False, sample_rate=rate)
    known, timing = _agreed(beside.pair, heard, rate)
    turned = 1 if known.polarity == beside.take.polarity else -1
    upright: Timing = replace(timing, polarity=1 if timing.polarity == turned else -1)
    same = heard.row.settings is not None and heard.row.settings == beside.take.settings
    left_over = 0.0 if known.is_spread else known.frames - beside.take.latency_frames
    return mending_beside(upright, left_over, same_settings=same, sample_rate=rate)


def _agreed(known: HeardPair, heard: HeardPair, sample_rate: int) -> tuple[Timing, Timing]:
    first, second = agreed_timings([known, heard], sample_rate)
    return first, second
