"""Circuits around one bending part, beside a solver of differential equations, at the rate at which they play."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from profiler.circuits.diodes import PAIR, DiodeClipper
from profiler.circuits.port import Port, Wiring

RATE = 384_000
OHMS, FARADS = DiodeClipper.ohms, DiodeClipper.farads


def clipper() -> Wiring:
    """Return the diode clipper's resistor into its capacitor, with the part across it."""
    pole = 1 / (OHMS * FARADS)
    return Wiring(a=-pole, b=pole, c=-1 / FARADS, d=1.0, e=0.0, f=0.0)


def played(rate: int, hz: float, volts: float, seconds: float = 0.003) -> np.ndarray:
    """Return the volts of the diodes for a tone from silence."""
    time = np.arange(int(seconds * rate)) / rate
    return Port(clipper(), PAIR, volts=0.7, rate=rate).play(volts * np.sin(2 * np.pi * hz * time))[1]


# What the trapezoidal rule leaves at the rate at which circuits play, by what is given: beside the peak where it is
# worst, which is where the diodes begin to conduct, and as energy. 4.5 V are the most that the op-amp gives.
ERRORS = [(110.0, 0.1, 1e-5, 2e-12), (440.0, 1.0, 1e-4, 1e-10), (1000.0, 4.5, 3e-3, 1e-7), (3000.0, 4.5, 1e-2, 3e-6)]


@pytest.mark.parametrize(("hz", "volts", "worst", "energy"), ERRORS)
def test_a_diode_clipper_is_the_solution_of_its_equation(hz: float, volts: float, worst: float, energy: float):
    """Beside a solver whose own error is far less than what the rate leaves."""

    def slope(time: float, state: np.ndarray) -> np.ndarray:
        return ((volts * np.sin(2 * np.pi * hz * time) - state) / OHMS - PAIR(state)) / FARADS

    found = played(RATE, hz, volts)
    time = np.arange(len(found)) / RATE
    exact = solve_ivp(slope, (0, time[-1]), [0.0], method="Radau", t_eval=time, rtol=1e-8, atol=1e-11).y[0]
    assert np.abs(found - exact).max() < worst * np.abs(exact).max()
    assert np.sum((found - exact) ** 2) < energy * np.sum(exact**2)


def test_what_is_left_is_the_rate():
    """Four times the rate leaves a tenth or less of the error: it is the rule's, and not the table's."""
    fine = played(32 * RATE, 3000.0, 4.5)
    coarse, finer = (np.abs(played(factor * RATE, 3000.0, 4.5)[::factor] - fine[::32]).max() for factor in (1, 4))
    assert finer < 0.1 * coarse


def test_pieces_are_the_whole():
    """The capacitor keeps its charge from one to the next."""
    given = 3 * np.sin(2 * np.pi * 440 * np.arange(4000) / RATE)
    port = Port(clipper(), PAIR, volts=0.7, rate=RATE)
    whole = port.play(given)[1]
    port.reset()
    pieces = np.concatenate([port.play(each)[1] for each in np.split(given, [1, 100, 2000])])
    assert np.abs(pieces - whole).max() < 1e-12


def test_without_the_part_it_is_the_filter():
    """A part that lets nothing through leaves a low-pass."""
    given = np.sin(2 * np.pi * 5000 * np.arange(8000) / RATE)
    _, found = Port(clipper(), np.zeros_like, volts=100.0, rate=RATE).play(given)
    gain = 1 / np.sqrt(1 + (2 * np.pi * 5000 * OHMS * FARADS) ** 2)
    assert np.abs(found[-3000:]).max() == pytest.approx(gain, rel=1e-3)


def test_what_has_several_solutions_is_refused():
    """A part that gives current where it is pulled, into a wiring that pushes."""
    with pytest.raises(ValueError, match="several solutions"):
        Port(clipper(), lambda volts: -volts, volts=1.0, rate=1000)
