"""A capacitor and resistors around one part that bends: a pair of diodes, a tube, a tube's grid.

The circuit is dx/dt = a x + b u + c i and v = d x + e u + f i, where the bending part gives i = bent(v). By the
trapezoidal rule each frame is an equation in v alone, whose solution is tabulated once: the K-method of Borin, De Poli
and Rocchesso (2000). A product, a sum and a look into the table are left for each frame.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

__all__ = ["Bent", "Port", "Wave", "Wiring"]

Wave: TypeAlias = NDArray[np.float64]
Bent: TypeAlias = Callable[[Wave], Wave]
"""From volts across a part to the amperes through it. Equal ones are equal keys: tables are shared."""

_TABLE = 65_537
_SEARCHED = 400_001


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What surrounds the part, of the capacitor's volts x, the input u, and the current i of the part."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float


@dataclass(frozen=True, eq=False)
class _Table:
    """The current by what would be across the part were there no current, in steps of 1 / `scale` from `low` on."""

    low: float
    scale: float
    currents: list[float]
    slopes: list[float]


class Port:
    """Plays a circuit at one rate: volts in, the current through the bending part and the volts across it out.

    `bent` is known between -`volts` and `volts`; beyond that the part goes on in a straight line. Raises ValueError for
    a wiring in which a frame has several solutions.
    """

    def __init__(self, wiring: Wiring, bent: Bent, *, volts: float, rate: float) -> None:
        half = 2 * rate - wiring.a
        self._decay = (2 * rate + wiring.a) / half
        self._from_input, self._from_current = wiring.d * wiring.b / half, wiring.d * wiring.c / half
        self._direct, self._loop = wiring.e, wiring.f + self._from_current
        self._table = _tabulated(bent, self._loop, volts)
        self.reset()

    def reset(self) -> None:
        """Discharge the capacitor."""
        self._heard, self._pressed = np.zeros(1), 0.0

    def play(self, given: Wave) -> tuple[Wave, Wave]:
        """Return the current and the volts of the part, frame by frame, for the volts given to the circuit."""
        gain = self._from_input
        heard, self._heard = lfilter([gain, gain], [1, -self._decay], given, zi=self._heard)
        from_input = heard + self._direct * given
        current = np.asarray(self._currents(from_input))
        kicks = self._from_current * (1 + self._decay) * current
        pressed, (last,) = lfilter([0.0, 1.0], [1, -self._decay], kicks, zi=[self._pressed])
        self._pressed = float(last)
        return current, from_input + pressed + self._loop * current

    def _currents(self, from_input: Wave) -> list[float]:
        """Return the current of each frame. All the time goes into this loop: it counts in steps of the table."""
        table = self._table
        currents, slopes, last = table.currents, table.slopes, len(table.slopes) - 1
        decay, kick = self._decay, self._from_current * (1 + self._decay) * table.scale
        pressed = self._pressed * table.scale
        found = []
        for place in ((from_input - table.low) * table.scale).tolist():
            at = place + pressed
            step = int(at)
            if not 0 <= step <= last:
                step = 0 if step < 0 else last
            current = currents[step] + (at - step) * slopes[step]
            pressed = decay * pressed + kick * current
            found.append(current)
        return found


@functools.lru_cache(maxsize=32)
def _tabulated(bent: Bent, loop: float, volts: float) -> _Table:
    """Solve v = p + loop bent(v) for the current, over all pressures p that come with volts within the range."""
    across = np.linspace(-volts, volts, _SEARCHED)
    current = bent(across)
    pressure = across - loop * current
    if not (np.diff(pressure) > 0).all():
        raise ValueError("this wiring has several solutions for a frame; the part is too steep for it")
    grid = np.linspace(pressure[0], pressure[-1], _TABLE)
    found = np.interp(grid, pressure, current)
    # Silence is silent: the current at no volts is none, to the last bit, where the part has none there.
    found -= np.interp(0.0, grid, found) - np.interp(0.0, across, current)
    return _Table(
        low=float(grid[0]),
        scale=(_TABLE - 1) / float(grid[-1] - grid[0]),
        currents=found.tolist(),
        slopes=np.diff(found).tolist(),
    )
