"""What the circuits are made of, beside their equations: stages, tone controls, and the photocell."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from profiler.circuits.diodes import PAIR, OpAmpFuzz, muff_tone
from profiler.circuits.optical import OpticalCompressor
from profiler.circuits.tone_stack import FENDER, MARSHALL, ToneStack
from profiler.circuits.tubes import TubeStage, cathode_amperes, grid_amperes, resting_amperes

RATE = 384_000


def esr(found: NDArray[np.float64], exact: NDArray[np.float64]) -> float:
    """Return the energy of the difference beside that of what it should be."""
    return float(np.sum((found - exact) ** 2) / np.sum(exact**2))


def test_a_triode_rests_where_its_equations_say():
    """About 1 mA: with 1.5 V at the cathode and 200 at the plate, as the data sheet's 12AX7 has."""
    rest = resting_amperes()
    cathode, plate = 1500 * rest, 300 - 100e3 * rest
    assert cathode_amperes(np.asarray(-cathode + (plate - cathode) / 103.2)) == pytest.approx(rest, rel=1e-9)
    assert 0.7e-3 < rest < 1.3e-3


@pytest.mark.parametrize(("volts", "error"), [(0.1, 1e-6), (3.0, 1e-3), (30.0, 1e-2)])
def test_a_tube_stage_is_the_solution_of_its_whole_equations(volts: float, error: float):
    """With the grid hearing the cathode as it moves, and its current taken from the plate's: both are small."""
    rest, hz = resting_amperes(), 440.0
    cathode_rest = 1500 * rest
    plate_rest = 300 - 100e3 * rest - cathode_rest
    source, leak, coupling, load = 68e3, 1e6, 68e-9, 100e3 * 1e6 / 1.1e6

    def solved(given: float, charge: float, cathode: float) -> tuple[float, float, float]:
        """Return the grid's volts, its current, and the cathode's current, all beside those at rest."""

        def swallowed(grid: float) -> float:
            return float(grid_amperes(np.full(1, grid - cathode - cathode_rest))[0])

        def excess(current: float) -> float:
            plate = -load * (current - into)
            effective = grid - cathode - cathode_rest + (plate_rest + plate - cathode) / 103.2
            return float(cathode_amperes(np.full(1, effective))[0]) - rest - current

        grid = brentq(lambda at: (given - charge - at) / source - at / leak - swallowed(at), -200.0, 20.0, xtol=1e-10)
        into = swallowed(grid)
        current = brentq(excess, -0.003, 0.1, xtol=1e-15)
        return grid, into, current

    def slope(time: float, state: NDArray[np.float64]) -> list[float]:
        charge, cathode, behind_miller = state
        grid, into, current = solved(behind_miller, charge, cathode)
        fed = (volts * np.sin(2 * np.pi * hz * time) - behind_miller) / (source * 100e-12)
        return [(grid / leak + into) / coupling, (current - cathode / 1500) / 25e-6, fed]

    time = np.arange(int(0.004 * RATE)) / RATE
    given = volts * np.sin(2 * np.pi * hz * time)
    shown = time[::16]
    states = solve_ivp(slope, (0, time[-1]), [0.0] * 3, method="RK23", t_eval=shown, rtol=1e-5, atol=1e-7).y
    plate = []
    for charge, cathode, behind_miller in states.T:
        _, into, current = solved(behind_miller, charge, cathode)
        plate.append(-load * (current - into))
    stage = TubeStage(RATE, source_ohms=source, coupling_farads=coupling, cathode_farads=25e-6)
    assert esr(stage.play(given)[::16], np.asarray(plate)) < error


def test_a_fuzz_stage_is_the_solution_of_its_equation():
    """What an op-amp with diodes in its feedback gives, the capacitor before it included."""
    fuzz = OpAmpFuzz(RATE)
    time = np.arange(int(0.005 * RATE)) / RATE
    ohms, farads = fuzz.input_ohms, fuzz.input_farads

    def slope(now: float, state: NDArray[np.float64]) -> list[float]:
        current = (4.5 * np.sin(2 * np.pi * 440 * now) - state[0]) / ohms
        back = state[1] / fuzz.feedback_ohms + PAIR(state[1])
        return [current / farads, (-current - back) / fuzz.feedback_farads]

    exact = solve_ivp(slope, (0, time[-1]), [0.0, 0.0], method="Radau", t_eval=time, rtol=1e-8, atol=1e-11).y[1]
    given = 4.5 * np.sin(2 * np.pi * 440 * time)
    _, found = fuzz.stages[0].play(fuzz.coupled[0].play(given))
    assert esr(found, exact) < 1e-5


@pytest.mark.parametrize("stack", [FENDER, MARSHALL])
@pytest.mark.parametrize("pots", [(0.5, 0.5, 0.5), (0.01, 0.01, 0.0), (1.0, 1.0, 1.0), (0.2, 0.9, 0.3)])
def test_a_tone_stack_is_its_network(stack: ToneStack, pots: tuple[float, float, float]):
    """The formulas give what Kirchhoff's laws do for its components, at bass, middle and treble."""
    bass, middle, treble = pots
    numerator, denominator = stack.at(bass=bass, middle=middle, treble=treble)
    for hz in (50.0, 500.0, 5000.0):
        s = 2j * np.pi * hz
        found = np.polyval(numerator, s) / np.polyval(denominator, s)
        assert found == pytest.approx(_solved(stack, bass, middle, treble, s), rel=1e-6)


def _solved(stack: ToneStack, bass: float, middle: float, treble: float, s: complex) -> complex:
    """Return the volts at the treble pot's wiper for one volt given, from the currents at all nodes."""
    high, low, slope, below, wiper, given = range(6)
    parts = (
        (given, high, s * stack.treble_farads),
        (high, low, 1 / stack.treble_ohms),
        (given, slope, 1 / stack.slope_ohms),
        (slope, low, s * stack.bass_farads),
        (slope, wiper, s * stack.middle_farads),
        (low, below, 1 / (bass * stack.bass_ohms)),
        (below, wiper, 1 / max((1 - middle) * stack.middle_ohms, 1e-4)),
        (wiper, None, 1 / (middle * stack.middle_ohms)),
    )
    admittance = np.zeros((6, 6), complex)
    for one, other, through in parts:
        admittance[one, one] += through
        if other is not None:
            admittance[other, other] += through
            admittance[one, other] -= through
            admittance[other, one] -= through
    volts = np.linalg.solve(admittance[:5, :5], -admittance[:5, 5])
    return complex(volts[low] + treble * (volts[high] - volts[low]))


@pytest.mark.parametrize("turned", [0.0, 0.3, 1.0])
def test_the_muffs_tone_is_its_network(turned: float):
    """Two ends of a pot, each with a resistor and a capacitor."""
    for hz in (80.0, 900.0, 6000.0):
        s = 2j * np.pi * hz
        admittance = np.asarray([[1 / 39e3 + s * 10e-9 + 1e-5, -1e-5], [-1e-5, 1 / 22e3 + s * 3.9e-9 + 1e-5]], complex)
        low, high = np.linalg.solve(admittance, [1 / 39e3, s * 3.9e-9])
        numerator, denominator = muff_tone(turned)
        found = np.polyval(numerator, s) / np.polyval(denominator, s)
        assert found == pytest.approx((1 - turned) * low + turned * high, rel=1e-9)


def test_the_photocell_is_the_solution_of_its_equations():
    """Half a second of a loud tone, then as much of a soft one: attack and both releases."""
    rate = 48_000
    time = np.arange(rate) / rate
    level = np.where(time < 0.5, 0.5, 0.02)
    given = level * np.sin(2 * np.pi * 220 * time)
    circuit = OpticalCompressor(rate)
    circuit.turn("peak_reduction", 70.0)
    circuit.turn("gain_db", 0.0)
    lamp = circuit.lamp_gain(70.0)

    def slope(now: float, state: NDArray[np.float64]) -> list[float]:
        loud = 0.5 if now < 0.5 else 0.02
        wet = loud * np.sin(2 * np.pi * 220 * now) / (1 + 0.5 * (state[0] + state[1]))
        light = (lamp * wet) ** 2
        times = (circuit.fast_seconds, circuit.slow_seconds)
        return [(light - at) / (up if light > at else down) for at, (up, down) in zip(state, times, strict=True)]

    cell = solve_ivp(slope, (0, time[-1]), [0.0, 0.0], t_eval=time, rtol=1e-6, atol=1e-8, max_step=1e-3).y
    exact = given / (1 + 0.5 * cell.sum(axis=0))
    found = circuit.play(given)
    assert esr(found, exact) < 1e-5
    early, late = (np.abs(found[int(at * rate) : int((at + 0.01) * rate)]).max() / 0.02 for at in (0.51, 0.9))
    assert early < 0.8 * late < 0.8  # it lets go slowly, and the long passage is not forgotten yet
