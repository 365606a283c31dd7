"""Usual power: how loud the wet is at each setting of the knobs, whatever is played there."""

import numpy as np
from numpy.typing import NDArray

from profiler.training.examples import Examples

__all__ = ["usual_power"]

_LEAST_FRAMES = 1024
_FAINT = 1e-3
_RIDGE = 1e-3
_RANGE = (1e-4, 10.0)


def usual_power(examples: Examples) -> NDArray[np.float32]:
    """Return the wet's usual power for each row of the table of positions, (settings,); over all frames, the wet's own.

    What is played differs from setting to setting, so powers are not compared as they are: the logarithm of the power
    of every calm stretch is fitted by that of its dry and a parabola over each knob. Knobs that turn fast all the time
    leave one power for all.
    """
    whole = examples.levels()[1] ** 2
    settings = len(examples.positions)
    stretches = [
        (int(each.knobs[0]), each.frames, _power(each.dry), _power(each.wet))
        for each in examples.calm_stretches
        if each.frames >= _LEAST_FRAMES
    ]
    faint = (_FAINT * examples.levels()[0] ** 2, _FAINT**2 * whole)
    heard = [each for each in stretches if each[2] > faint[0] and each[3] > faint[1]]
    if not heard:
        return np.full(settings, whole, np.float32)
    index, frames, dry, wet = (np.asarray(each) for each in zip(*heard, strict=True))
    at = _terms(examples.positions)
    known = np.column_stack([np.log(dry / dry.mean()), at[index]])
    weighted = known * frames[:, None]
    ridge = _RIDGE * frames.sum() * np.diag([0, 0, *np.ones(at.shape[1] - 1)])
    fitted = np.linalg.lstsq(weighted.T @ known + ridge, weighted.T @ np.log(wet / whole), rcond=None)[0]
    power = np.exp(np.clip(at @ fitted[1:], -20, 20))
    power *= np.sum(frames) / np.sum(frames * power[index])
    return np.asarray(whole * np.clip(power, *_RANGE), np.float32)


def _terms(positions: NDArray[np.float32]) -> NDArray[np.float64]:
    centred = 2 * positions.astype(np.float64) - 1
    return np.column_stack([np.ones(len(positions)), centred, centred**2])


def _power(signal: NDArray[np.float32]) -> float:
    return float(np.mean(np.square(signal, dtype=np.float64)))
