"""A stimulus: what a dry signal made for measuring holds, and where."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Form", "Marker", "Stimulus"]

Form: TypeAlias = Literal["quick", "short", "brief", "moving", "held-out"]


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A named part of a dry signal: frames `start` (included) to `stop` (not included)."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Stimulus:
    """How a dry signal was composed. Form, seed, rate and length are all it takes to compose it again."""

    form: Form
    seed: int
    sample_rate: int
    markers: tuple[Marker, ...]

    def part(self, name: str) -> Marker | None:
        """Return the marker of that name, or None when the form has no such part."""
        return next((marker for marker in self.markers if marker.name == name), None)
