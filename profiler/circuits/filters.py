"""Filters of resistors and capacitors, by the trapezoidal rule, whose components may be turned while they play."""

from collections.abc import Sequence

import numpy as np
from scipy.signal import bilinear, lfilter

from profiler.circuits.port import Wave

__all__ = ["Filter", "high_pass", "low_pass", "tapered"]

Polynomials = tuple[Sequence[float], Sequence[float]]
"""A transfer function's numerator and denominator, by falling powers of s."""


class Filter:
    """A filter of up to `order` capacitors at one rate. It lets everything through until it is set."""

    def __init__(self, rate: float, *, order: int = 1) -> None:
        self._rate = rate
        self._forward, self._back = np.eye(1, order + 1)[0], np.eye(1, order + 1)[0]
        self.reset()

    def reset(self) -> None:
        """Discharge the capacitors."""
        self._state = np.zeros(len(self._back) - 1)

    def set(self, analogue: Polynomials) -> "Filter":
        """Take the components to other values; the capacitors keep their charge."""
        forward, back = bilinear(*analogue, fs=self._rate)
        room = len(self._back)
        self._forward, self._back = np.pad(forward, (0, room - len(forward))), np.pad(back, (0, room - len(back)))
        return self

    def play(self, given: Wave) -> Wave:
        """Return what comes out for what is given."""
        wave, self._state = lfilter(self._forward, self._back, given, zi=self._state)
        return wave


def high_pass(ohms: float, farads: float) -> Polynomials:
    """Return a capacitor into a resistor."""
    return (ohms * farads, 0.0), (ohms * farads, 1.0)


def low_pass(ohms: float, farads: float) -> Polynomials:
    """Return a resistor into a capacitor."""
    return (1.0,), (ohms * farads, 1.0)


def tapered(turned: float) -> float:
    """Return how much of a pot for volume lies below its wiper, turned from 0 to 10: a tenth in the middle."""
    return float((81 ** (turned / 10) - 1) / 80)
