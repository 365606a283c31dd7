"""What a circuit is: knobs, and volts in and out at one rate."""

from abc import ABC, abstractmethod
from typing import ClassVar

from profiler.circuits.port import Wave
from profiler.knob import Knob

__all__ = ["Circuit", "turned_from_0_to_10"]


class Circuit(ABC):
    """One channel of a circuit at one rate, at rest. Full scale is one volt, in and out."""

    knobs: ClassVar[tuple[Knob, ...]]
    least_rate: ClassVar[float] = 352_800.0
    """The rate that it needs: bent waves have harmonics far above what is heard, and filters that bilinear transforms
    would squeeze."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    @abstractmethod
    def turn(self, knob: str, value: float) -> None:
        """Turn a knob, by its id, to a checked value."""

    @abstractmethod
    def play(self, given: Wave) -> Wave:
        """Return what comes out, frame by frame. Any pieces give the sound of the whole."""


def turned_from_0_to_10(id_: str, name: str, default: float = 5.0) -> Knob:
    """Return a knob with the numbers that amps and pedals have."""
    return Knob(id=id_, name=name, minimum=0.0, maximum=10.0, default=default)
