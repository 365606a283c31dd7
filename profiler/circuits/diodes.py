"""Diodes, and the distortions made of them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from profiler.circuits.circuit import Circuit, turned_from_0_to_10
from profiler.circuits.filters import Filter, Polynomials, high_pass, low_pass, tapered
from profiler.circuits.port import Port, Wave, Wiring
from profiler.knob import Knob

__all__ = ["PAIR", "DiodeClipper", "Diodes", "OpAmpFuzz", "muff_tone"]


@dataclass(frozen=True)
class Diodes:
    """Two diodes side by side, one each way: Shockley's equation twice."""

    saturation_amperes: float
    thermal_volts: float

    def __call__(self, volts: Wave) -> Wave:
        """Return the current."""
        return 2 * self.saturation_amperes * np.sinh(volts / self.thermal_volts)


PAIR = Diodes(2.52e-9, 0.0453)
"""1N4148s, their emission coefficient of 1.752 in the volts: D. Yeh, J. Abel and J. O. Smith, DAFx 2007."""

_RAIL_VOLTS = 4.5


def _op_amp(volts: Wave) -> Wave:
    """Return volts as an op-amp on a 9 V battery can give them."""
    return _RAIL_VOLTS * np.tanh(volts / _RAIL_VOLTS)


class DiodeClipper(Circuit):
    """A distortion pedal: an op-amp whose gain grows with the drive, diodes to ground, a tone pot and a level.

    The op-amp is wired as in the MXR Distortion+: 1 megohm back, 47 nF, 4.7 kilohms and a pot of 500 kilohms to ground,
    logarithmic the other way round. The clipper behind it, 2.2 kilohms into 10 nF beside two 1N4148, is the one of Yeh,
    Abel and Smith, "Simplified, physically-informed models of distortion and overdrive guitar effects pedals", DAFx
    2007. The tone is the ProCo Rat's filter: 1.5 kilohms and a pot of 100 kilohms into 3.3 nF.
    """

    knobs: ClassVar[tuple[Knob, ...]] = (
        turned_from_0_to_10("drive", "Drive"),
        turned_from_0_to_10("tone", "Tone", 7.0),
        turned_from_0_to_10("level", "Level", 8.0),
    )
    ohms, farads = 2200.0, 10e-9

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        self._coupled = Filter(rate).set(high_pass(1e6, 22e-9))
        self._amplified, self._toned = Filter(rate), Filter(rate)
        pole = 1 / (self.ohms * self.farads)
        wiring = Wiring(a=-pole, b=pole, c=-1 / self.farads, d=1.0, e=0.0, f=0.0)
        self._clipper = Port(wiring, PAIR, volts=0.7, rate=rate)
        self._level = 1.0

    def turn(self, knob: str, value: float) -> None:
        if knob == "drive":
            below = 4.7e3 + 500e3 * tapered(10 - value)
            self._amplified.set((((1e6 + below) * 47e-9, 1.0), (below * 47e-9, 1.0)))
        elif knob == "tone":
            self._toned.set(low_pass(1.5e3 + 100e3 * tapered(10 - value), 3.3e-9))
        else:
            self._level = tapered(value)

    def play(self, given: Wave) -> Wave:
        _, volts = self._clipper.play(_op_amp(self._amplified.play(self._coupled.play(given))))
        return self._level * self._toned.play(volts)


class OpAmpFuzz(Circuit):
    """A fuzz of op-amps: a booster, two stages that diodes clip, and the tone control that scoops the mids.

    As in the op-amp version of the Big Muff, each stage turns its input upside down through 39 kilohms, with 470
    kilohms, 560 pF and two 1N4148 back from its output. The op-amp's input stays at 0 V, so each stage is a port of
    its own. The tone control is the Big Muff's, passive and without a load: 39 kilohms into 10 nF for the bass, 3.9 nF
    into 22 kilohms for the treble, and a pot of 100 kilohms between them.
    """

    knobs: ClassVar[tuple[Knob, ...]] = (
        turned_from_0_to_10("sustain", "Sustain"),
        turned_from_0_to_10("tone", "Tone"),
        turned_from_0_to_10("volume", "Volume", 8.0),
    )
    input_ohms, input_farads, feedback_ohms, feedback_farads = 39e3, 100e-9, 470e3, 560e-12

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        c = self.feedback_farads
        wiring = Wiring(a=-1 / (self.feedback_ohms * c), b=-1 / (self.input_ohms * c), c=-1 / c, d=1.0, e=0.0, f=0.0)
        self.coupled = [Filter(rate).set(high_pass(self.input_ohms, self.input_farads)) for _ in range(2)]
        self.stages = [Port(wiring, PAIR, volts=0.6, rate=rate) for _ in range(2)]
        self._toned = Filter(rate, order=2)
        self._sustain = self._volume = 1.0

    def turn(self, knob: str, value: float) -> None:
        if knob == "sustain":
            self._sustain = 0.5 + 19.5 * tapered(value)
        elif knob == "tone":
            self._toned.set(muff_tone(value / 10))
        else:
            self._volume = 2 * tapered(value)

    def play(self, given: Wave) -> Wave:
        wave = _op_amp(self._sustain * given)
        for coupled, stage in zip(self.coupled, self.stages, strict=True):
            _, wave = stage.play(coupled.play(wave))
        return self._volume * self._toned.play(wave)


def muff_tone(turned: float) -> Polynomials:
    """Return the Big Muff's tone control, its pot turned from 0 to 1."""
    low, high, pot = (39e3, 10e-9), (22e3, 3.9e-9), 100e3
    # Currents into the bass's and the treble's end of the pot, in admittances: two equations for two volts.
    g1, g2, gp = 1 / low[0], 1 / high[0], 1 / pot
    c1, c2 = low[1], high[1]
    bass = (c1, g1 + gp)
    treble = (c2, g2 + gp)
    denominator = np.polysub(np.polymul(bass, treble), (gp * gp,))
    at_bass = np.polyadd(g1 * np.asarray(treble), (gp * c2, 0.0))
    at_treble = np.polyadd(np.polymul((c2, 0.0), bass), (gp * g1,))
    numerator = np.polyadd((1 - turned) * at_bass, turned * at_treble)
    return tuple(map(float, numerator)), tuple(map(float, denominator))
