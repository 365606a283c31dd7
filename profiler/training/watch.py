"""The watch: scores weights on audio kept aside, and remembers the best."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from profiler.audio import Samples
from profiler.effects import Effect
from profiler.profile import CurvePoint
from profiler.training.examples import CALM, PIECE_FRAMES, Examples, Passage, stacked
from profiler.training.state import TrainingState, weights_of
from profiler.training.windows import WINDOW_FRAMES

__all__ = ["Watch", "sounding_rows", "standing_where_calm"]

_ROWS = 16
_PRE_ROLL_SHARE = 0.125
_STANDING_FRAMES = 6000
_WORSE = 1.25
_BELOW_NOISE, _AT_NOISE, _FLAT = 0.9, 1.05, 0.98
_FAINT = 1e-5  # -100 dB
_SLOW_SHARE = 0.2  # of a fuzz .6, of amps, a preamp and high gain up to .02


class Watch:
    """Scores the trained and the averaged weights on the watched passages, cut into rows of up to a second.

    With the effect that training started from, weights that err over a quarter more than it, on what is new or on what
    is guarded, are never kept: the start itself is better. Its own targets teach no error, so `known_esr` is added to
    what guarded passages show: by how much it erred itself.

    `noise_power` is the mean square of the noise in the recordings. Silent rows tell nothing and are passed over.
    """

    def __init__(
        self,
        examples: Examples,
        *,
        start: Effect | None = None,
        known_esr: float = 0.0,
        noise_power: float | None = None,
    ) -> None:
        self._positions = torch.from_numpy(examples.positions)
        told = ((examples.watched, 0.0), (examples.guarded, known_esr))
        found = [(rows, known) for passages, known in told if (rows := sounding_rows(passages)) is not None]
        self._groups = [standing_where_calm(rows, examples.positions) for rows, _ in found]
        self._known = [known for _, known in found]
        self._noise_esr = None
        if noise_power is not None and self._groups:
            wet = self._groups[0].wet[:, _pre_roll(self._groups[0]) :].astype(np.float64)
            self._noise_esr = noise_power * wet.size / float(np.sum(wet * wet))
        self._most = [math.inf] * len(self._groups)
        if start:
            self._most = [_WORSE * esr for esr in self._esrs([self._error(start, rows) for rows in self._groups])]

    def look(self, state: TrainingState, *, only_average: bool = False) -> None:
        """Add a point to the curve and keep the weights when they are the best so far; go back to those after a slip.

        `only_average` passes over the weights as they are, which takes half as long: in large steps they err more.
        With nothing to watch, the averaged weights are kept as they are: they are the better ones late in training.
        """
        if not self._groups:
            state.best = weights_of(state.average)
            return
        looked_at = (state.average,) if only_average else (state.average, state.effect)
        signals = {each: [self._error(each, rows) for rows in self._groups] for each in looked_at}
        looks = [(*self._judged(self._esrs(errors)), each) for each, errors in signals.items()]
        state.is_slow = state.is_slow or _slow_share(signals[state.average][0]) > _SLOW_SHARE
        judged, esr, effect = min(looks, key=lambda look: look[:2])
        state.curve.append(CurvePoint(seconds=round(state.seconds, 1), step=state.step, esr=esr))
        if judged <= state.best_esr and math.isfinite(judged):
            state.best_esr, state.best = judged, weights_of(effect)
        state.recover()

    def is_at_the_noise(self, state: TrainingState) -> bool:
        """Return whether the last two looks show what noise leaves, and no longer fall.

        An error well below that shows that there is less noise than was thought, so learning goes on. What is left to
        learn is then a twentieth of the noise at the most, and the anneal is still to come.
        """
        if not self._noise_esr or len(state.curve) < 2:
            return False
        before, now = (point.esr / self._noise_esr for point in state.curve[-2:])
        return _BELOW_NOISE <= now <= _AT_NOISE and now > _FLAT * before

    def _judged(self, errors: Sequence[float]) -> tuple[float, float]:
        """Return the errors as one, their geometric mean: infinite where one is too large, and as it is."""
        mean = math.exp(sum(math.log(max(each, 1e-12)) for each in errors) / len(errors))
        fits = all(each <= most for each, most in zip(errors, self._most, strict=True))
        return mean if fits else math.inf, mean

    def _esrs(self, errors: Sequence[Tensor]) -> list[float]:
        """Return the ESR of each group of rows, for by how much it errs; infinity for weights that give NaN."""
        return [_esr(error, rows) + known for error, rows, known in zip(errors, self._groups, self._known, strict=True)]

    @torch.no_grad()
    def _error(self, effect: Effect, rows: Passage) -> Tensor:
        """Return by how much an effect errs on rows after their pre-roll, of shape (rows, frames), in doubles."""
        given = (self._positions, *(torch.from_numpy(each) for each in (rows.dry, rows.knobs, rows.counts, rows.wet)))
        table, dry, index, counts, wet = (each.to(effect.device) for each in given)
        predicted, _ = effect.along(dry, table, index, effect.initial_state(len(dry)))
        error = predicted * counts - wet
        return error[:, _pre_roll(rows) :].double()


def _pre_roll(rows: Passage) -> int:
    return int(_PRE_ROLL_SHARE * rows.frames)


def _esr(error: Tensor, rows: Passage) -> float:
    power = float(np.square(rows.wet[:, _pre_roll(rows) :], dtype=np.float64).sum())
    esr = float(error.square().sum()) / max(power, 1e-12)
    return esr if np.isfinite(esr) else float("inf")


def _slow_share(error: Tensor) -> float:
    """Return how much of an error, of shape (rows, frames), stands still over a window of training, below 20 Hz."""
    if error.shape[1] < WINDOW_FRAMES:
        return 0.0
    blocks = error[:, : error.shape[1] // WINDOW_FRAMES * WINDOW_FRAMES].unflatten(1, (-1, WINDOW_FRAMES))
    return float(blocks.mean(dim=2).square().mean() / blocks.square().mean().clamp_min(1e-12))


def standing_where_calm(rows: Passage, positions: Samples) -> Passage:
    """Return rows on which knobs that hardly move stand still, an eighth of a second at a time and all rows at once.

    A network that plays sixteen rows on which knobs turn has weights of its own for every frame of each: half of a
    minute's training went into looks at it.
    """
    knobs = rows.knobs.copy()
    for start in range(0, rows.frames, _STANDING_FRAMES):
        block = knobs[:, start : start + _STANDING_FRAMES]
        calm = (np.ptp(positions[block], axis=1) <= CALM).all(axis=1)
        block[calm] = block[calm, block.shape[1] // 2, None]
    return replace(rows, knobs=knobs)


def sounding_rows(passages: Sequence[Passage]) -> Passage | None:
    """Return up to sixteen rows of up to a second that lie evenly over the passages; None when all is silent."""
    if not passages:
        return None
    length = min(PIECE_FRAMES, *(passage.frames for passage in passages))
    cuts = [
        passage.excerpt(start, start + length)
        for passage in passages
        for start in range(0, passage.frames - length + 1, length)
    ]
    cuts = [cut for cut in cuts if float(np.sqrt(np.mean(np.square(cut.wet, dtype=np.float64)))) > _FAINT]
    if not cuts:
        return None
    picked = np.linspace(0, len(cuts) - 1, min(_ROWS, len(cuts))).round().astype(int)
    return stacked([cuts[number] for number in picked])
