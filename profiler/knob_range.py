"""Knobs as they are typed: `ID=LOW:HIGH[:log]` for a range, `ID=off,on` for a switch, `KNOB=VALUE` for a setting."""

from dataclasses import dataclass

from profiler.errors import KnobError
from profiler.knob import Knob, Scale

__all__ = ["KnobRange", "parse_knob_range", "parse_setting"]

_SCALES: dict[str, Scale | None] = {"": None, "log": "log", "linear": "linear"}


@dataclass(frozen=True, kw_only=True)
class KnobRange:
    """A knob's name with its ends and scale, or with its choices."""

    id: str
    low: str = ""
    high: str = ""
    scale: Scale | None = None
    choices: tuple[str, ...] = ()

    def knob(self) -> Knob:
        """Return a knob of which nothing else is known; it stands in its middle. Raises KnobError."""
        if self.choices:
            return Knob(id=self.id, name=self.id, choices=self.choices, default=self.choices[0])
        try:
            low, high = float(self.low), float(self.high)
        except ValueError:
            raise KnobError(f"--knob {self.id}={self.low}:{self.high}: both ends must be numbers.") from None
        found = Knob(id=self.id, name=self.id, minimum=low, maximum=high, default=low, scale=self.scale or "linear")
        return Knob(id=self.id, name=self.id, minimum=low, maximum=high, default=found.value_at(0.5), scale=found.scale)


def parse_knob_range(text: str) -> KnobRange:
    """Read one range. Raises KnobError that shows the grammar."""
    id_, equals, span = text.partition("=")
    if id_ and "," in span:  # first of all: a choice may be called "1:4"
        return KnobRange(id=id_, choices=tuple(span.split(",")))
    low, colon, rest = span.partition(":")
    high, _, scale = rest.partition(":")
    if not (id_ and equals and span) or scale not in _SCALES or not colon:
        raise KnobError(f"--knob {text!r} is not understood. Write ID=LOW:HIGH, ID=LOW:HIGH:log or ID=off,on.")
    return KnobRange(id=id_, low=low, high=high, scale=_SCALES[scale])


def parse_setting(text: str, *, option: str = "") -> tuple[str, str]:
    """Read a knob and its value, as text: the knob knows whether "4" is a number or a choice.

    Raises KnobError that shows the grammar; `option` is what stood before the text.
    """
    knob, equals, value = text.partition("=")
    if not (knob and equals and value):
        raise KnobError(f"{option}{text!r} is not understood. Write KNOB=VALUE.")
    return knob, value
