"""Scores: how far a predicted signal is from the recorded one, in the measures people quote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from profiler.audio import Samples
from profiler.knob import KnobSettings

__all__ = [
    "GOOD_ESR",
    "IN_WORDS",
    "SILENCE_DB",
    "TRANSPARENT_ESR",
    "USABLE_ESR",
    "Aliasing",
    "Grade",
    "Listening",
    "RunningScore",
    "Score",
    "TakeScore",
    "error_to_signal",
    "grade",
    "level_db",
    "listening_score",
    "pre_emphasised",
    "summed_up",
]

SILENCE_DB = -100.0
"""RMS in dBFS below which a target counts as silent: its ESR would be a division by nothing."""

Grade: TypeAlias = Literal["transparent", "good", "usable", "does not match"]

IN_WORDS: Mapping[Grade | None, str] = {
    "transparent": "Transparent: next to impossible to tell from the gear.",
    "good": "Good: hard to tell from the gear, unless you listen for it.",
    "usable": "Usable: the same character, and the difference can be heard.",
    "does not match": "Does not match: you will hear that this is not the gear.",
    None: "No score yet.",
}
"""What each grade means to who listens."""

TRANSPARENT_ESR, GOOD_ESR, USABLE_ESR = 0.003, 0.01, 0.035
"""The ESRs up to which a score may have each grade."""

_INAUDIBLE_ESR = 0.001  # listeners did not tell 0.0009 from the amp (Wright et al. 2020)
_TRANSPARENT_MFCC_L1 = 2.9
_LOG_PERFECT, _POINTS_A_DECADE = 0.464, 69.4


@dataclass(frozen=True, kw_only=True)
class Listening:
    """What listeners go by. `mr_stft` is the multi-resolution spectral distance, 0 when perfect.

    `mfcc_l1` is the distance in timbre and `listening_score` what listeners would give for it, of 100.
    `loudness_difference` says by how many LU the prediction is louder. Null is what silence has none of.
    """

    mr_stft: float | None
    mfcc_l1: float | None
    listening_score: float | None
    loudness_difference: float | None


@dataclass(frozen=True, kw_only=True)
class Aliasing:
    """Energy that is no harmonic of a sweep from 1 to 5 kHz beside that of the harmonics, in dB, on the same takes."""

    gear_db: float
    profile_db: float


@dataclass(frozen=True, kw_only=True)
class TakeScore:
    """One row of an evaluation: a take, or the part of it that training never heard.

    `esr` is null for a silent target, which is judged by `predicted_db` alone. `seen` says that training heard these
    frames of this take, `settings_seen` that it heard these knob settings, `material_seen` that it heard this playing.
    """

    take: int
    knobs: KnobSettings | None
    seconds: float
    seen: bool
    settings_seen: bool
    material_seen: bool
    esr: float | None
    esr_pre_emphasis: float | None
    target_db: float
    predicted_db: float
    error_energy: float
    target_energy: float
    listening: Listening | None = None
    grade: Grade | None = None

    @property
    def news(self) -> str:
        """What of this row was new to the profile, in words."""
        if self.seen:
            return "heard in training"
        new = [name for name, seen in (("settings", self.settings_seen), ("playing", self.material_seen)) if not seen]
        return f"new {' and '.join(new)}" if new else "both heard, not together"


@dataclass(frozen=True, kw_only=True)
class Score:
    """An evaluation. `esr` is over all headline rows as one signal, median and worst are over their settings.

    Headline rows are those training never heard; when some of them have settings it never heard either, only those.
    `floor` is what a replicate of the gear itself scores: half the ESR between two takes at the same settings.
    `listening` is the mean of the headline rows by their length, but for loudness: there it is the largest difference.
    `aliasing` is null for a session without sweeps.
    """

    esr: float | None
    esr_median: float | None
    esr_worst: float | None
    floor: float | None
    takes: tuple[TakeScore, ...]
    listening: Listening | None = None
    grade: Grade | None = None
    aliasing: Aliasing | None = None


class RunningScore:
    """Measures of how far a predicted signal is from the recorded one, added up piece by piece.

    Any pieces give those of the whole, and no more than one of them is held.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.error_energy = self.target_energy = 0.0
        self._values = 0
        self._predicted_energy = self._emphasised_error = self._emphasised_target = 0.0
        self._last: tuple[Samples, Samples] | None = None

    def hear(self, target: Samples, predicted: Samples) -> None:
        """Go on with a piece of both, each of shape (channels, frames)."""
        if target.shape[1] == 0:
            return
        error, energy = energies(target, predicted)
        self.error_energy += error
        self.target_energy += energy
        self._predicted_energy += energies(predicted, predicted)[1]
        before = self._last or (target[:, :0], predicted[:, :0])
        emphasised = (
            pre_emphasised(np.concatenate([last, piece], axis=1))[:, last.shape[1] :]
            for last, piece in zip(before, (target, predicted), strict=True)
        )
        error, energy = energies(*emphasised)
        self._emphasised_error += error
        self._emphasised_target += energy
        self._last = target[:, -1:].copy(), predicted[:, -1:].copy()
        self.frames += target.shape[1]
        self._values += target.size

    @property
    def esr(self) -> float | None:
        """The ESR over all pieces, sum |target - predicted|^2 / sum |target|^2; None for a silent target."""
        return self._ratio(self.error_energy, self.target_energy)

    @property
    def esr_pre_emphasis(self) -> float | None:
        """The same of both through `pre_emphasised`."""
        return self._ratio(self._emphasised_error, self._emphasised_target)

    @property
    def target_db(self) -> float:
        """The RMS level of the target in dBFS, -200 for digital silence."""
        return self._level_db(self.target_energy)

    @property
    def predicted_db(self) -> float:
        """That of the predicted signal."""
        return self._level_db(self._predicted_energy)

    def _ratio(self, error: float, energy: float) -> float | None:
        return None if self._level_db(energy) < SILENCE_DB else error / energy

    def _level_db(self, energy: float) -> float:
        return 10 * float(np.log10(max(energy / max(self._values, 1), 1e-20)))


def error_to_signal(target: Samples, predicted: Samples) -> float | None:
    """Return the ESR over the whole signal, sum |target - predicted|^2 / sum |target|^2; None for a silent target."""
    running = RunningScore()
    running.hear(target, predicted)
    return running.esr


def energies(target: Samples, predicted: Samples) -> tuple[float, float]:
    """Return the energy of the error and of the target, summed in double precision."""
    wide: NDArray[np.float64] = target.astype(np.float64)
    return float(np.sum((wide - predicted) ** 2)), float(np.sum(wide**2))


def pre_emphasised(samples: Samples, coefficient: float = 0.85) -> Samples:
    """Return samples of shape (channels, frames) through 1 - 0.85 z^-1 (Wright & Valimaki 2020)."""
    out = samples.copy()
    out[:, 1:] -= np.float32(coefficient) * samples[:, :-1]
    return out


def level_db(samples: Samples) -> float:
    """Return the RMS level in dBFS, -200 for digital silence."""
    power = float(np.mean(samples.astype(np.float64) ** 2)) if samples.size else 0.0
    return 10 * float(np.log10(max(power, 1e-20)))


def listening_score(mfcc_l1: float | None) -> float | None:
    """Return what listeners would give for a distance in timbre, of 100 (MUSHRA; fitted by Wright et al. 2026)."""
    if mfcc_l1 is None:
        return None
    beyond = float(np.log10(max(mfcc_l1, 1e-9))) - _LOG_PERFECT
    return float(np.clip(100 - _POINTS_A_DECADE * beyond, 0, 100))


def grade(esr: float | None, floor: float | None, listening: Listening | None) -> Grade | None:
    """Return a score in a word; None for a silent target.

    Transparent is an ESR of at most 0.003 and twice the floor where that is known, and a distance in timbre of at most
    2.9. Below 0.001 the floor is not asked: gear that repeats itself to the last bit has a floor of nothing.
    """
    if esr is None:
        return None
    limit = TRANSPARENT_ESR if floor is None else min(TRANSPARENT_ESR, max(2 * floor, _INAUDIBLE_ESR))
    distance = listening.mfcc_l1 if listening else None
    if esr <= limit and distance is not None and distance <= _TRANSPARENT_MFCC_L1:
        return "transparent"
    if esr <= GOOD_ESR:
        return "good"
    return "usable" if esr <= USABLE_ESR else "does not match"


def headline_rows(takes: Sequence[TakeScore]) -> list[TakeScore]:
    """Return the rows that the headline figures are over."""
    unseen = [row for row in takes if not row.seen and row.esr is not None]
    return [row for row in unseen if not row.settings_seen] or unseen


def summed_up(takes: Sequence[TakeScore], floor: float | None) -> Score:
    """Return the evaluation of these rows, worst first."""
    rows = headline_rows(takes)
    by_settings: dict[str, list[TakeScore]] = {}
    for row in rows:
        by_settings.setdefault(repr(row.knobs and sorted(row.knobs.items())), []).append(row)
    each = [_ratio(group) for group in by_settings.values()]
    esr, listening = _ratio(rows) if rows else None, _mean_listening(rows)
    takes = [replace(row, grade=grade(row.esr, floor, row.listening)) for row in takes]
    return Score(
        esr=esr,
        esr_median=float(np.median(each)) if each else None,
        esr_worst=max(each) if each else None,
        floor=floor,
        takes=tuple(sorted(takes, key=_badness, reverse=True)),
        listening=listening,
        grade=grade(esr, floor, listening),
    )


def _mean_listening(rows: Sequence[TakeScore]) -> Listening | None:
    heard = [(row.listening, row.seconds) for row in rows if row.listening is not None]
    if not heard:
        return None
    mfcc_l1 = _mean([(each.mfcc_l1, seconds) for each, seconds in heard])
    differences = [each.loudness_difference for each, _ in heard if each.loudness_difference is not None]
    return Listening(
        mr_stft=_mean([(each.mr_stft, seconds) for each, seconds in heard]),
        mfcc_l1=mfcc_l1,
        listening_score=listening_score(mfcc_l1),
        loudness_difference=max(differences, key=abs, default=None),
    )


def _mean(weighted: Sequence[tuple[float | None, float]]) -> float | None:
    known = [(value, weight) for value, weight in weighted if value is not None]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def _badness(row: TakeScore) -> float:
    """Return what rows are sorted by. Sound where there should be silence is worse than any error."""
    if row.esr is None:
        return float("inf") if row.predicted_db > SILENCE_DB else -1.0
    return row.esr


def _ratio(rows: Sequence[TakeScore]) -> float:
    return sum(row.error_energy for row in rows) / sum(row.target_energy for row in rows)
