"""Knobs and switches: what is turned on the gear, in plain values, and their positions in [0, 1] for networks."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from profiler.audio import Samples
from profiler.errors import KnobError

__all__ = [
    "Knob",
    "KnobSettings",
    "checked_settings",
    "default_settings",
    "find_knob",
    "positions_of",
    "positions_width",
]

KnobSettings: TypeAlias = Mapping[str, float | str]
"""Plain values by knob id: a number, or one of a switch's choices."""

Scale: TypeAlias = Literal["linear", "log"]


@dataclass(frozen=True, kw_only=True)
class Knob:
    """A continuous or stepped control, or a switch when it has `choices`.

    `id` never changes once a session exists. A switch's minimum is 0 and its maximum the last choice's index.
    Raises KnobError when the range is empty, the default outside it, or a log knob reaches zero.
    """

    id: str
    name: str
    unit: str = ""
    minimum: float = 0.0
    maximum: float = 1.0
    default: float | str = 0.0
    scale: Scale = "linear"
    step: float | None = None
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.choices:
            if len(set(self.choices)) < max(2, len(self.choices)):
                raise KnobError(f"Switch {self.id} needs at least two different choices; found {list(self.choices)}.")
        elif not (math.isfinite(self.minimum) and math.isfinite(self.maximum) and self.minimum < self.maximum):
            raise KnobError(
                f"Knob {self.id} goes from {self.minimum:g} to {self.maximum:g}; the low end must come first."
            )
        elif self.scale == "log" and self.minimum <= 0:
            raise KnobError(f"Knob {self.id} is logarithmic, so its range must lie above 0; found {self.minimum:g}.")
        elif self.step is not None and not 0 < self.step < math.inf:
            raise KnobError(f"Knob {self.id} has a step of {self.step:g}; it must be above 0 and finite.")
        self.checked(self.default)

    @property
    def width(self) -> int:
        """How many positions a network gets for it: one, or one for each choice of a switch."""
        return len(self.choices) or 1

    def checked(self, value: float | str) -> float | str:
        """Return the plain value this knob would stand at. Raises KnobError with the range when it cannot."""
        if self.choices:
            if value not in self.choices:
                raise KnobError(f"Switch {self.id} has no position {value!r}; it takes {', '.join(self.choices)}.")
            return value
        try:
            number = float(value)
        except ValueError:
            raise KnobError(f"Knob {self.id} takes a number; found {value!r}.") from None
        slack = 1e-6 * (self.maximum - self.minimum)
        if not self.minimum - slack <= number <= self.maximum + slack:
            span = f"{self.minimum:g} to {self.maximum:g}{self.unit and ' ' + self.unit}"
            raise KnobError(f"Knob {self.id} cannot stand at {number:g}; its range is {span}.")
        return min(max(number, self.minimum), self.maximum)

    def position(self, value: float | str) -> Samples:
        """Return the plain value as positions in [0, 1], of shape (width,); a switch's are one-hot."""
        value = self.checked(value)
        if self.choices:
            return np.asarray([choice == value for choice in self.choices], np.float32)
        low, high, at = self._warped(self.minimum), self._warped(self.maximum), self._warped(float(value))
        return np.asarray([(at - low) / (high - low)], np.float32)

    def value_at(self, position: float) -> float | str:
        """Return the plain value at a position in [0, 1], snapped to the step or to the nearest choice."""
        position = min(max(position, 0.0), 1.0)
        if self.choices:
            return self.choices[min(int(position * len(self.choices)), len(self.choices) - 1)]
        low, high = self._warped(self.minimum), self._warped(self.maximum)
        value = low + position * (high - low)
        value = math.exp(value) if self.scale == "log" else value
        if self.step is not None:
            value = self.minimum + round((value - self.minimum) / self.step) * self.step
        return min(max(value, self.minimum), self.maximum)

    def spelt(self, value: float | str) -> str:
        """Return the value as a person reads it, with its unit."""
        return str(value) if self.choices else f"{float(value):.4g}{self.unit and ' ' + self.unit}"

    def _warped(self, value: float) -> float:
        return math.log(value) if self.scale == "log" else value


def find_knob(knobs: Iterable[Knob], name: str) -> Knob:
    """Return the knob called `name`: its id, the end of its id, or its name, when only one is called so.

    `drive_db` finds `distortion.drive_db`, and `Drive` a knob of that name whatever its id. Raises KnobError that
    lists the knobs there are.
    """
    knobs = tuple(knobs)
    found = [knob for knob in knobs if knob.id == name] or [knob for knob in knobs if knob.id.endswith("." + name)]
    found = found or [knob for knob in knobs if knob.name.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    problem = "means several knobs" if found else "is not a knob of this gear"
    raise KnobError(f"{name!r} {problem}. It has: {', '.join(map(_called, knobs)) or 'none'}.")


def _called(knob: Knob) -> str:
    """Return a knob's id, with its name behind it where the id does not say it."""
    plain = "".join(letter for letter in knob.id.casefold() if letter.isalnum())
    named = "".join(letter for letter in knob.name.casefold() if letter.isalnum())
    return knob.id if named in plain else f"{knob.id} ({knob.name})"


def checked_settings(knobs: Sequence[Knob], settings: KnobSettings) -> dict[str, float | str]:
    """Return complete, checked settings: given names resolved, the rest at their defaults. Raises KnobError."""
    given = {find_knob(knobs, name).id: value for name, value in settings.items()}
    return {knob.id: knob.checked(given.get(knob.id, knob.default)) for knob in knobs}


def default_settings(knobs: Sequence[Knob]) -> dict[str, float | str]:
    """Return every knob's default."""
    return {knob.id: knob.default for knob in knobs}


def positions_width(knobs: Sequence[Knob]) -> int:
    """Return how many positions all knobs have together."""
    return sum(knob.width for knob in knobs)


def positions_of(knobs: Sequence[Knob], settings: KnobSettings) -> Samples:
    """Return complete settings as positions of shape (positions_width,). Raises KnobError."""
    if not knobs:
        return np.zeros(0, np.float32)
    return np.concatenate([knob.position(settings[knob.id]) for knob in knobs])
