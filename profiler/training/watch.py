"""The watch: scores weights on audio kept aside, and remembers the best."""

import numpy as np
import torch

from profiler.effects import Effect
from profiler.profile import CurvePoint
from profiler.training.examples import Examples, stacked
from profiler.training.state import TrainingState, weights_of

__all__ = ["Watch"]

_ROWS = 16
_ROW_FRAMES = 48_000
_PRE_ROLL_SHARE = 0.125


class Watch:
    """Scores the trained and the averaged weights on the watched passages, cut into rows of up to a second."""

    def __init__(self, examples: Examples) -> None:
        self._rows = None
        self._positions = torch.from_numpy(examples.positions)
        if examples.watched:
            length = min(_ROW_FRAMES, *(passage.frames for passage in examples.watched))
            cuts = [
                passage.excerpt(start, start + length)
                for passage in examples.watched
                for start in range(0, passage.frames - length + 1, length)
            ]
            picked = np.linspace(0, len(cuts) - 1, min(_ROWS, len(cuts))).round().astype(int)
            self._rows = stacked([cuts[number] for number in picked])

    def look(self, state: TrainingState) -> None:
        """Add a point to the curve and keep the weights when they are the best so far.

        With nothing to watch, the averaged weights are kept as they are: they are the better ones late in training.
        """
        if self._rows is None:
            state.best = weights_of(state.average)
            return
        esr, effect = min(((self._esr(each), each) for each in (state.average, state.effect)), key=lambda pair: pair[0])
        state.curve.append(CurvePoint(seconds=round(state.seconds, 1), step=state.step, esr=esr))
        if esr <= state.best_esr:
            state.best_esr, state.best = esr, weights_of(effect)

    @torch.no_grad()
    def _esr(self, effect: Effect) -> float:
        """Return the ESR over all rows after their pre-roll; infinity for weights that give NaN."""
        assert self._rows is not None
        skip = int(_PRE_ROLL_SHARE * self._rows.frames)
        dry, wet = torch.from_numpy(self._rows.dry), torch.from_numpy(self._rows.wet)
        index = torch.from_numpy(self._rows.knobs)
        predicted, _ = effect.along(dry, self._positions, index, effect.initial_state(len(dry)))
        error = (predicted * torch.from_numpy(self._rows.counts) - wet)[:, skip:].double().square().sum()
        esr = float(error / wet[:, skip:].double().square().sum().clamp_min(1e-12))
        return esr if np.isfinite(esr) else float("inf")
