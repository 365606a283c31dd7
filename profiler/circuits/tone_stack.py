"""The tone stack of Fender's and Marshall's amps: three capacitors, three pots and a resistor, as one filter."""

from dataclasses import dataclass

from profiler.circuits.filters import Polynomials

__all__ = ["FENDER", "MARSHALL", "ToneStack"]


@dataclass(frozen=True, kw_only=True)
class ToneStack:
    """Its components, in ohms and farads; the pots of treble, bass and middle are the first three resistors.

    D. Yeh and J. O. Smith, "Discretization of the '59 Fender Bassman tone stack", DAFx 2006.
    """

    treble_ohms: float
    bass_ohms: float
    middle_ohms: float
    slope_ohms: float
    treble_farads: float
    bass_farads: float
    middle_farads: float

    def at(self, *, bass: float, middle: float, treble: float) -> Polynomials:
        """Return the transfer function with its pots turned from 0 to 1; a driver of 0 ohms, no load."""
        r1, r2, r3, r4 = self.treble_ohms, self.bass_ohms, self.middle_ohms, self.slope_ohms
        c1, c2, c3 = self.treble_farads, self.bass_farads, self.middle_farads
        t, l, m = treble, bass, middle  # noqa: E741 - the paper's letters
        c12, c13, c23, c123 = c1 * c2, c1 * c3, c2 * c3, c1 * c2 * c3
        b1 = t * c1 * r1 + m * c3 * r3 + l * (c1 + c2) * r2 + (c1 + c2) * r3
        b2 = (
            t * (c12 + c13) * r1 * r4
            - m * m * (c13 + c23) * r3 * r3
            + m * (c13 * r1 * r3 + (c13 + c23) * r3 * r3)
            + l * (c12 * r1 * r2 + c12 * r2 * r4 + c13 * r2 * r4)
            + l * m * (c13 + c23) * r2 * r3
            + (c12 * r1 * r3 + c12 * r3 * r4 + c13 * r3 * r4)
        )
        b3 = c123 * (
            l * m * (r1 * r2 * r3 + r2 * r3 * r4)
            + (m - m * m) * (r1 * r3 * r3 + r3 * r3 * r4)
            + t * (1 - m) * r1 * r3 * r4
            + t * l * r1 * r2 * r4
        )
        a1 = c1 * r1 + (c1 + c2) * r3 + (c2 + c3) * r4 + m * c3 * r3 + l * (c1 + c2) * r2
        a2 = (
            m * (c13 * r1 * r3 - c23 * r3 * r4 + (c13 + c23) * r3 * r3)
            + l * m * (c13 + c23) * r2 * r3
            - m * m * (c13 + c23) * r3 * r3
            + l * (c12 * r2 * r4 + c12 * r1 * r2 + c13 * r2 * r4 + c23 * r2 * r4)
            + (c12 * r1 * r4 + c13 * r1 * r4 + c12 * r3 * r4 + c12 * r1 * r3 + c13 * r3 * r4 + c23 * r3 * r4)
        )
        a3 = c123 * (
            l * m * (r1 * r2 * r3 + r2 * r3 * r4)
            + (m - m * m) * (r1 * r3 * r3 + r3 * r3 * r4)
            + (1 - m) * r1 * r3 * r4
            + l * r1 * r2 * r4
        )
        return (b3, b2, b1, 0.0), (a3, a2, a1, 1.0)


FENDER = ToneStack(
    treble_ohms=250e3,
    bass_ohms=1e6,
    middle_ohms=25e3,
    slope_ohms=56e3,
    treble_farads=250e-12,
    bass_farads=20e-9,
    middle_farads=20e-9,
)
"""Of the '59 Bassman (5F6-A), as in the paper."""

MARSHALL = ToneStack(
    treble_ohms=220e3,
    bass_ohms=1e6,
    middle_ohms=25e3,
    slope_ohms=33e3,
    treble_farads=470e-12,
    bass_farads=22e-9,
    middle_farads=22e-9,
)
"""Of the JCM 800 (2203): more gain around 500 Hz, less of a scoop."""
