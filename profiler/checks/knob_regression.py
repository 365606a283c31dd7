"""Knobs by regression: what a knob changes while all of them move, or in takes that differ in many."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from profiler.audio import Samples
from profiler.checks.result import KnobCheck
from profiler.knob import Knob, KnobSettings, positions_of

__all__ = ["Segment", "check_knobs_by_regression", "describe_segment"]

_BANDS_HZ = ((60.0, 250.0), (250.0, 800.0), (800.0, 2500.0), (2500.0, 8000.0))
_ROWS_TO_A_COLUMN = 2.5
_SURE = 1e-3
_NOTHING = 0.05
_INAUDIBLE_DB = 0.5
_CONFIDENT = 2.0
_QUIET = 1e-8

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """A stretch during which the knobs stand still: settings, what the dry is like, and what the gear does to it."""

    settings: KnobSettings
    dry: Array
    change_db: Array


def describe_segment(settings: KnobSettings, dry: Samples, wet: Samples, sample_rate: int) -> Segment | None:
    """Return a segment of dry and wet, of shape (frames,), by its gains in dB in a few bands and its crest.

    None for one too quiet to tell.
    """
    one, other = (np.abs(np.fft.rfft(each.astype(np.float64))) ** 2 for each in (dry, wet))
    frequencies = np.arange(len(one)) * sample_rate / len(dry)
    parts = [(frequencies >= low) & (frequencies < min(high, 0.45 * sample_rate)) for low, high in _BANDS_HZ]
    parts = [part for part in parts if part.any()]
    if _power(dry) < _QUIET or not wet.any():
        return None
    sent, heard = (np.asarray([_decibels(each[part].sum() / len(dry)) for part in parts]) for each in (one, other))
    crests = [_decibels(float(np.abs(each).max()) ** 2) - _decibels(_power(each)) for each in (dry, wet)]
    whole = _decibels(_power(wet)) - _decibels(_power(dry))
    level = _decibels(_power(dry))
    return Segment(
        settings=settings,
        dry=np.concatenate([sent, [crests[0], level, level**2 / 30]]),
        change_db=np.concatenate([heard - sent, [whole, crests[1] - crests[0]]]),
    )


def check_knobs_by_regression(knobs: Sequence[Knob], segments: Sequence[Segment]) -> list[KnobCheck]:
    """Return what each knob changes, from segments at many settings.

    Each feature is explained by the dry and by polynomials of the knobs' positions, with and without one knob: an F
    test says whether it matters. A knob does nothing only when it does not matter and could not hide half a dB.
    """
    unknown = [KnobCheck(knob=knob.id, verdict="cannot tell") for knob in knobs]
    if not segments:
        return unknown
    positions = np.stack([positions_of(knobs, segment.settings) for segment in segments]).astype(np.float64)
    features = np.stack([segment.change_db for segment in segments])
    playing = np.stack([segment.dry for segment in segments])
    playing = np.column_stack([np.ones(len(segments)), playing[:, playing.std(axis=0) > 1e-6]])
    terms = _terms(knobs, positions)
    if len(segments) < _ROWS_TO_A_COLUMN * (playing.shape[1] + len(terms)):
        terms = [term for term in terms if len(term[0]) == 1]  # without products of two knobs
    if len(segments) < _ROWS_TO_A_COLUMN * (playing.shape[1] + len(terms)):
        return unknown
    found = []
    for number, knob in enumerate(knobs):
        own = [column for owners, column in terms if number in owners]
        others = [column for owners, column in terms if number not in owners]
        found.append(_verdict(knob, np.column_stack([playing, *others]), np.column_stack(own), features))
    return found


def _terms(knobs: Sequence[Knob], positions: Array) -> list[tuple[frozenset[int], Array]]:
    """Return columns and the knobs they speak of: positions, their squares, and products of two knobs."""
    centred = positions - positions.mean(axis=0)
    starts = np.cumsum([0, *(knob.width for knob in knobs)])
    terms: list[tuple[frozenset[int], Array]] = []
    for number, (start, stop) in enumerate(itertools.pairwise(starts)):
        terms += [(frozenset({number}), centred[:, at]) for at in range(start, max(stop - 1, start + 1))]
        if stop - start == 1:
            terms.append((frozenset({number}), centred[:, start] ** 2))
    for one, other in itertools.combinations(range(len(knobs)), 2):
        terms.append((frozenset({one, other}), centred[:, starts[one]] * centred[:, starts[other]]))
    return terms


def _verdict(knob: Knob, rest: Array, own: Array, features: Array) -> KnobCheck:
    """Return the verdict on one knob: an F test for each feature, with as many chances as there are features."""
    both = np.column_stack([rest, own])
    fitted = np.linalg.lstsq(both, features, rcond=1e-9)
    weights, rank = fitted[0], int(fitted[2])
    without = features - rest @ np.linalg.lstsq(rest, features, rcond=1e-9)[0]
    within = features - both @ weights
    extra = rank - int(np.linalg.matrix_rank(rest))
    free = len(features) - rank
    if extra < 1 or free < 4:
        return KnobCheck(knob=knob.id, verdict="cannot tell")
    noise = np.sum(within**2, axis=0) / free + 1e-12
    ratio = (np.sum(without**2, axis=0) - np.sum(within**2, axis=0)) / extra / noise
    chance = float(np.min(stats.f.sf(ratio, extra, free))) * features.shape[1]
    effect = own @ weights[rest.shape[1] :]
    span = np.quantile(effect, 0.95, axis=0) - np.quantile(effect, 0.05, axis=0)
    doubt = _CONFIDENT * np.sqrt(noise * extra / len(features)) * 2
    change = round(float(span[int(np.argmax(ratio))]), 2)
    if chance < _SURE:
        return KnobCheck(knob=knob.id, verdict="works", change_db=change)
    if chance > _NOTHING and float(np.max(doubt)) < _INAUDIBLE_DB:
        return KnobCheck(knob=knob.id, verdict="does nothing", change_db=change)
    return KnobCheck(knob=knob.id, verdict="cannot tell", change_db=change)


def _power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def _decibels(power: float) -> float:
    return 10 * float(np.log10(power + 1e-9))
