"""Tube preamps: triodes with their grids and cathodes, and tone stacks behind them.

All volts and currents are counted from where the circuit rests, so that silence is silent. A stage is two ports, one
after the other. The grid's hears the cathode as it stands at rest, and the plate's gets the whole current of the
cathode. Beside the whole equations that errs by an ESR of 0.00007 with 3 V given, and of 0.0008 with 30.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.optimize import brentq

from profiler.circuits.circuit import Circuit, turned_from_0_to_10
from profiler.circuits.filters import Filter, high_pass, low_pass, tapered
from profiler.circuits.port import Port, Wave, Wiring
from profiler.circuits.tone_stack import FENDER, MARSHALL, ToneStack
from profiler.knob import Knob

__all__ = ["CrunchAmp", "Grid", "Triode", "TubePreamp", "TubeStage"]

_MU = 103.2
_SUPPLY_VOLTS, _PLATE_OHMS, _CATHODE_OHMS, _LEAK_OHMS = 300.0, 100e3, 1.5e3, 1e6
_AMPLIFIED_OHMS = _PLATE_OHMS * _LEAK_OHMS / (_PLATE_OHMS + _LEAK_OHMS)
_MILLER_FARADS = 100e-12


def cathode_amperes(effective_volts: Wave) -> Wave:
    """Return a 12AX7's cathode current by its grid's volts and 1/103.2 of its plate's, both above the cathode.

    K. Dempwolf and U. Zoelzer, "A physically-motivated triode model for circuit simulations", DAFx 2011: tube RSD-1.
    """
    return 2.242e-3 * (np.logaddexp(0, 3.40 * effective_volts) / 3.40) ** 1.26


def grid_amperes(grid_volts: Wave) -> Wave:
    """Return the current into its grid by the grid's volts above the cathode, but for a leak of 80 nA: as there."""
    return 6.177e-4 * (np.logaddexp(0, 9.901 * grid_volts) / 9.901) ** 1.314


@dataclass(frozen=True)
class Triode:
    """The cathode current beside what flows at rest, by the effective volts beside those at rest."""

    at_rest: float

    def __call__(self, volts: Wave) -> Wave:
        """Return the current."""
        return cathode_amperes(self.at_rest + volts) - cathode_amperes(np.full(1, self.at_rest))


@dataclass(frozen=True)
class Grid:
    """The grid current beside what flows at rest, by the grid's volts beside those at rest."""

    at_rest: float

    def __call__(self, volts: Wave) -> Wave:
        """Return the current."""
        return grid_amperes(self.at_rest + volts) - grid_amperes(np.full(1, self.at_rest))


def resting_amperes() -> float:
    """Return what flows through a stage in silence: 300 V, 100 kilohms above the plate, 1.5 below the cathode."""

    def excess(amperes: float) -> float:
        cathode, plate = _CATHODE_OHMS * amperes, _SUPPLY_VOLTS - _PLATE_OHMS * amperes
        return float(cathode_amperes(np.full(1, -cathode + (plate - cathode) / _MU))[0]) - amperes

    return float(brentq(excess, 0.0, _SUPPLY_VOLTS / _PLATE_OHMS))


class TubeStage:
    """Half a 12AX7 as every guitar amp has it: volts in, the volts of the plate out, into a next leak of 1 megohm.

    The grid is reached through `source_ohms` and a coupling capacitor, and swallows current when it is driven above the
    cathode, which charges that capacitor: after loud moments the stage is blocked for a while.
    """

    def __init__(self, rate: float, *, source_ohms: float, coupling_farads: float, cathode_farads: float) -> None:
        rest = resting_amperes()
        divider = _LEAK_OHMS / (source_ohms + _LEAK_OHMS)
        pole = 1 / (coupling_farads * (source_ohms + _LEAK_OHMS))
        into_grid = Wiring(
            a=-pole, b=pole, c=divider / coupling_farads, d=-divider, e=divider, f=-divider * source_ohms
        )
        self._miller = Filter(rate).set(low_pass(source_ohms, _MILLER_FARADS))
        cathode_volts = _CATHODE_OHMS * rest
        self._grid = Port(into_grid, Grid(-cathode_volts), volts=20.0, rate=rate)
        plate_above_cathode = _SUPPLY_VOLTS - _PLATE_OHMS * rest - cathode_volts
        around_tube = Wiring(
            a=-1 / (_CATHODE_OHMS * cathode_farads),
            b=0.0,
            c=1 / cathode_farads,
            d=-(1 + 1 / _MU),
            e=1.0,
            f=-_AMPLIFIED_OHMS / _MU,
        )
        self._tube = Port(around_tube, Triode(-cathode_volts + plate_above_cathode / _MU), volts=20.0, rate=rate)

    def play(self, given: Wave) -> Wave:
        """Return the plate's volts."""
        _, grid = self._grid.play(self._miller.play(given))
        current, _ = self._tube.play(grid)
        return -_AMPLIFIED_OHMS * current


class _Toned:
    """A tone stack behind a cathode follower that loads nothing, with knobs from 0 to 10."""

    def __init__(self, rate: float, stack: ToneStack) -> None:
        self._filter, self._stack = Filter(rate, order=3), stack
        self._turned = {"bass": 0.5, "middle": 0.5, "treble": 0.5}

    def turn(self, knob: str, value: float) -> None:
        """Turn a pot; the bass's is logarithmic."""
        self._turned[knob] = tapered(value) if knob == "bass" else value / 10
        self._filter.set(self._stack.at(**self._turned))

    def play(self, given: Wave) -> Wave:
        return self._filter.play(given)


_TONE = (
    turned_from_0_to_10("bass", "Bass"),
    turned_from_0_to_10("middle", "Middle"),
    turned_from_0_to_10("treble", "Treble"),
)


class TubePreamp(Circuit):
    """A tube preamp: a gain pot, one half of a 12AX7 and the tone stack of a '59 Fender Bassman.

    The grid is reached through 68 kilohms and 68 nF; the cathode has 25 uF beside its 1.5 kilohms. Full gain brings
    full scale to the grid as 4 V.
    """

    knobs: ClassVar[tuple[Knob, ...]] = (turned_from_0_to_10("gain", "Gain"), *_TONE)

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        self._stage = TubeStage(rate, source_ohms=68e3, coupling_farads=68e-9, cathode_farads=25e-6)
        self._toned = _Toned(rate, FENDER)
        self._coupled = Filter(rate).set(high_pass(_LEAK_OHMS, 22e-9))
        self._gain = 1.0

    def turn(self, knob: str, value: float) -> None:
        if knob == "gain":
            self._gain = 0.25 * 16 ** (value / 10)
        else:
            self._toned.turn(knob, value)

    def play(self, given: Wave) -> Wave:
        return self._toned.play(self._coupled.play(self._stage.play(self._gain * given))) / 30


class CrunchAmp(Circuit):
    """A cranked preamp: both halves of a 12AX7 with a gain pot between them, and a Marshall's tone stack.

    The first half is that of the tube preamp, at 1 V for full scale. The second is reached through 470 kilohms and 22
    nF, and has 0.68 uF at its cathode, which thins the bass as Marshall's do.
    """

    knobs: ClassVar[tuple[Knob, ...]] = (turned_from_0_to_10("gain", "Gain"), *_TONE)

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        self._first = TubeStage(rate, source_ohms=68e3, coupling_farads=68e-9, cathode_farads=25e-6)
        self._second = TubeStage(rate, source_ohms=470e3, coupling_farads=22e-9, cathode_farads=0.68e-6)
        self._toned = _Toned(rate, MARSHALL)
        self._coupled = Filter(rate).set(high_pass(_LEAK_OHMS, 22e-9))
        self._gain = 1.0

    def turn(self, knob: str, value: float) -> None:
        if knob == "gain":
            self._gain = 0.01 * 50 ** (value / 10)
        else:
            self._toned.turn(knob, value)

    def play(self, given: Wave) -> Wave:
        wave = self._second.play(self._gain * self._first.play(given))
        return self._toned.play(self._coupled.play(wave)) / 60
