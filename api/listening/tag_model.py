"""What a tag sounds like, learnt from few examples, with an honest word on how sure that is.

A Gaussian process classifier (Rasmussen & Williams 2006, algorithms 3.1 and 3.2): logistic regression on how near
sounds are to one another, solved by Laplace's approximation. A tag may fit sounds in several places, and far from all
examples it is as likely as the tag is frequent. How far an example reaches, and how much it says, are what explains the
examples best (the evidence).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, logit

__all__ = ["TagModel", "learn_tag", "worth_asking"]

_REACHES = (0.7, 1.2, 2.5)
_SCALES = (2.0, 8.0)
_BIAS = 1.0
_MOST_STEPS, _SETTLED = 25, 1e-4
_ROWS_AT_ONCE = 8_192

_USUAL_SHARE, _USUAL_EXAMPLES = 0.15, 10.0
"""What a tag fits of all there is, usually, and how many examples say as much: whoever tags looks for what it fits."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class TagModel:
    """Examples (examples, width), what each adds where it is near, and `rarer`, what is added everywhere."""

    sounds: Vector
    pulls: Vector
    reach: float
    scale: float
    rarer: float = 0.0

    def probabilities(self, sounds: NDArray[np.float32]) -> Vector:
        """Return how likely the tag fits each of the sounds (any, width)."""
        parts = (sounds[start : start + _ROWS_AT_ONCE] for start in range(0, len(sounds), _ROWS_AT_ONCE))
        return np.concatenate([np.zeros(0), *(self._some(part.astype(np.float64)) for part in parts)])

    def _some(self, sounds: Vector) -> Vector:
        likely: Vector = expit(_near(sounds, self.sounds, self.reach, self.scale) @ self.pulls + self.rarer)
        return likely


def learn_tag(sounds: NDArray[np.float32], fits: NDArray[np.bool_], sure: NDArray[np.float64]) -> TagModel:
    """Return a tag's model, learnt from places of sounds (examples, width), whether it fits each, and how sure that is,
    above 0 and up to 1.

    Raises ValueError unless some fit and some do not.
    """
    if fits.all() or not fits.any():
        raise ValueError("a tag is learnt from what it fits and what it does not fit")
    rows = sounds.astype(np.float64)
    learnt = (_settled(rows, fits, sure, reach, scale) for reach in _REACHES for scale in _SCALES)
    best = max(learnt, key=lambda each: each[0])[1]
    right, count = float(sure[fits].sum()), float(sure.sum())
    believed = (right + _USUAL_EXAMPLES * _USUAL_SHARE) / (count + _USUAL_EXAMPLES)
    return replace(best, rarer=float(logit(believed) - logit(right / count)))


def worth_asking(likely: Vector) -> float:
    """Return from which probability on a tag is best proposed, for the F1 to be expected of that to be the highest.

    `likely` is how likely it fits each of some sounds that stand for all. (Lewis 1995, "Evaluating and optimizing
    autonomous text classification systems".) That is at least half the F1: where little is sure, more is asked.
    """
    ranked = np.sort(likely)[::-1]
    expected = 2 * np.cumsum(ranked) / (np.arange(1, len(ranked) + 1) + ranked.sum())
    return float(ranked[int(np.argmax(expected))])


def _settled(rows: Vector, fits: NDArray[np.bool_], sure: Vector, reach: float, scale: float) -> tuple[float, TagModel]:
    """Return the logarithm of the evidence, and the model at its peak, by Newton's method."""
    near = _near(rows, rows, reach, scale)
    levels, pulls = np.zeros(len(rows)), np.zeros(len(rows))
    best = -np.inf
    for _ in range(_MOST_STEPS):
        likely = expit(levels)
        bend = np.sqrt(sure * likely * (1 - likely))
        factor = cho_factor(np.eye(len(rows)) + bend[:, None] * near * bend, lower=True)
        wanted = bend**2 * levels + sure * (fits - likely)
        pulls = wanted - bend * cho_solve(factor, bend * (near @ wanted))
        levels = near @ pulls
        peak = -0.5 * float(pulls @ levels) - float(sure @ np.logaddexp(0, np.where(fits, -levels, levels)))
        if abs(peak - best) < _SETTLED:
            break
        best = peak
    evidence = peak - float(np.log(np.diag(factor[0])).sum())
    return evidence, TagModel(sounds=rows, pulls=pulls, reach=reach, scale=scale)


def _near(some: Vector, others: Vector, reach: float, scale: float) -> Vector:
    """Return how much sounds have to do with others: (some, others)."""
    apart = np.square(some).sum(axis=1)[:, None] + np.square(others).sum(axis=1) - 2 * some @ others.T
    near: Vector = scale * np.exp(-np.maximum(apart, 0.0) / (2 * reach**2)) + _BIAS
    return near
