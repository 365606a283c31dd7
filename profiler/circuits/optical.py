"""An optical compressor: a lamp that shines as the sound is loud, and a photocell that turns it down."""

import math
from typing import ClassVar

import numpy as np

from profiler.circuits.circuit import Circuit
from profiler.circuits.port import Wave
from profiler.knob import Knob

__all__ = ["OpticalCompressor"]


class OpticalCompressor(Circuit):
    """A leveller after the LA-2A: about 3 to 1, deaf to short peaks, and slow to let go of long loud passages.

    What comes out drives the lamp, whose light goes with the square of the volts. The photocell is a resistor below
    another: its conductance divides the sound by 1 + (f + w) / 2. Its fast half f follows the light with 10 ms and lets
    go with 60 ms, its slow half w takes 300 ms either way up and 800 ms down: together the two stages of release that
    the T4 cell is known for (half in 60 ms, the rest in seconds), on a scale that profiles can learn.

    It needs no oversampling: nothing in it bends a wave faster than the light changes.
    """

    knobs: ClassVar[tuple[Knob, ...]] = (
        Knob(id="peak_reduction", name="Peak Reduction", minimum=0.0, maximum=100.0, default=60.0),
        Knob(id="gain_db", name="Gain", unit="dB", minimum=0.0, maximum=30.0, default=6.0),
    )
    least_rate: ClassVar[float] = 0.0

    fast_seconds: ClassVar[tuple[float, float]] = (0.010, 0.060)
    slow_seconds: ClassVar[tuple[float, float]] = (0.300, 0.800)

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        self._cell = (0.0, 0.0)
        self._lamp, self._gain = 1.0, 1.0

    @staticmethod
    def lamp_gain(peak_reduction: float) -> float:
        """Return how many times the volts that come out drive the lamp: -20 to 40 dB."""
        return 10 ** ((0.6 * peak_reduction - 20) / 20)

    def turn(self, knob: str, value: float) -> None:
        if knob == "peak_reduction":
            self._lamp = self.lamp_gain(value)
        else:
            self._gain = 10 ** (value / 20)

    def play(self, given: Wave) -> Wave:
        shares = [1 - math.exp(-1 / (each * self.rate)) for each in (*self.fast_seconds, *self.slow_seconds)]
        fast_up, fast_down, slow_up, slow_down = shares
        lamp = self._lamp * self._lamp
        fast, slow = self._cell
        played = []
        for dry in given.tolist():
            wet = dry / (1 + 0.5 * (fast + slow))
            light = lamp * wet * wet
            fast += (fast_up if light > fast else fast_down) * (light - fast)
            slow += (slow_up if light > slow else slow_down) * (light - slow)
            played.append(wet)
        self._cell = (fast, slow)
        return self._gain * np.asarray(played)
