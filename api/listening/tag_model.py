"""What a tag sounds like, learnt from few examples, with an honest word on how sure that is.

A Gaussian process classifier (Rasmussen & Williams 2006, algorithms 3.1 and 3.2): logistic regression on how near
sounds are to one another, solved by Laplace's approximation. A tag may fit sounds in several places, and far from all
examples it is unsure. How far an example reaches, and how much it says, are what explains the examples best (the
evidence).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import expit

__all__ = ["TagModel", "learn_tag"]

_REACHES = (0.7, 1.2, 2.5)
_SCALES = (2.0, 8.0)
_BIAS = 1.0
_MOST_STEPS, _SETTLED = 25, 1e-4
_ROWS_AT_ONCE = 8_192

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class TagModel:
    """Examples (examples, width), what each adds where it is near, and how much is known there."""

    sounds: Vector
    pulls: Vector
    known: Vector
    reach: float
    scale: float

    def probabilities(self, sounds: NDArray[np.float32]) -> Vector:
        """Return how likely the tag fits each of the sounds (any, width)."""
        parts = (sounds[start : start + _ROWS_AT_ONCE] for start in range(0, len(sounds), _ROWS_AT_ONCE))
        return np.concatenate([np.zeros(0), *(self._some(part.astype(np.float64)) for part in parts)])

    def _some(self, sounds: Vector) -> Vector:
        near = _near(sounds, self.sounds, self.reach, self.scale)
        variance = self.scale + _BIAS - np.square(near @ self.known.T).sum(axis=1)
        # MacKay 1992: what is not known draws the probability to the middle.
        moderated: Vector = expit(near @ self.pulls / np.sqrt(1 + math.pi / 8 * np.maximum(variance, 0.0)))
        return moderated


def learn_tag(sounds: NDArray[np.float32], fits: NDArray[np.bool_], sure: NDArray[np.float64]) -> TagModel:
    """Return a tag's model, learnt from places in the space of sounds (examples, width), whether it fits each, and how
    sure that is, above 0 and up to 1.

    Raises ValueError unless some fit and some do not.
    """
    if fits.all() or not fits.any():
        raise ValueError("a tag is learnt from what it fits and what it does not fit")
    rows = sounds.astype(np.float64)
    learnt = (_settled(rows, fits, sure, reach, scale) for reach in _REACHES for scale in _SCALES)
    return max(learnt, key=lambda each: each[0])[1]


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
    known = solve_triangular(np.tril(factor[0]), np.diag(bend), lower=True)
    return evidence, TagModel(sounds=rows, pulls=pulls, known=known, reach=reach, scale=scale)


def _near(some: Vector, others: Vector, reach: float, scale: float) -> Vector:
    """Return how much sounds have to do with others: (some, others)."""
    apart = np.square(some).sum(axis=1)[:, None] + np.square(others).sum(axis=1) - 2 * some @ others.T
    near: Vector = scale * np.exp(-np.maximum(apart, 0.0) / (2 * reach**2)) + _BIAS
    return near
