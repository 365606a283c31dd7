"""How knobs are sent over MIDI: the controller, NRPN or program of each, its channel and its values."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from profiler.audio import Samples
from profiler.errors import KnobError
from profiler.knob import Knob
from profiler.knob_track import KnobTrack
from profiler.session import MidiControl

__all__ = ["MidiKnob", "MidiMessage", "midi_map", "parse_midi_knob", "positions_sent"]

Kind: TypeAlias = Literal["cc", "cc14", "nrpn", "nrpn7", "pc"]
MidiMessage: TypeAlias = tuple[Literal["control_change", "program_change"], int, int, int]
"""Its type, its channel counted from 0, the controller (0 of a program), and the value or program."""

_NO_END = 2**62
_FINE = 32  # controllers below this one have a partner, so many above, for the last seven of 14 bits
_GRAMMAR = (
    "Write KNOB=cc:NUMBER, KNOB=cc14:NUMBER, KNOB=nrpn:MSB:LSB, KNOB=nrpn7:MSB:LSB or KNOB=pc, then @CHANNEL and "
    "/LOW-HIGH where they differ from channel 1 and the whole range: gain=cc:74@2/0-100."
)
_TEXT = re.compile(
    r"(?P<knob>[^=]+)=(?:(?P<cc>cc|cc14):(?P<number>\d{1,4})|(?P<nrpn>nrpn|nrpn7):(?P<msb>\d{1,4}):(?P<lsb>\d{1,4})|pc)"
    r"(?:@(?P<channel>\d{1,3}))?(?:/(?P<low>\d{1,6})-(?P<high>\d{1,6}))?"
)


@dataclass(frozen=True, kw_only=True)
class MidiKnob:
    """A knob is sent as `kind`, its `low` end as one value and its `high` end as another, which may be the lower one.

    `number` is the controller, or both halves of an NRPN. `cc14` and `nrpn` have 14 bits, the others 7. `channel`
    counts from 1, as musicians do. Without `high`, knobs take all values, and the choices of a switch that is sent as
    programs take one after the other. Raises KnobError for what MIDI does not have.
    """

    knob: str
    kind: Kind
    number: tuple[int, ...] = ()
    channel: int = 1
    low: int = 0
    high: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.channel <= 16:
            raise KnobError(f"--midi {self.knob}: a MIDI channel is a number from 1 to 16; found {self.channel}.")
        most = _FINE - 1 if self.kind == "cc14" else 127
        if any(not 0 <= number <= most for number in self.number):
            raise KnobError(f"--midi {self.knob}: {self.kind} has numbers from 0 to {most}; found {max(self.number)}.")
        if not 0 <= max(self.low, self.high or 0) <= self.top or self.low == self.high:
            raise KnobError(
                f"--midi {self.knob}: {self.kind} has values from 0 to {self.top}, and its ends must differ; found "
                f"{self.low} to {self.top if self.high is None else self.high}."
            )

    @property
    def top(self) -> int:
        """The highest value that there is."""
        return 16_383 if self.kind in ("cc14", "nrpn") else 127

    def check_fits(self, knob: Knob) -> None:
        """Raise KnobError when a switch has more choices than there are values."""
        if len(knob.choices) > abs(self._high(knob) - self.low) + 1:
            raise KnobError(
                f"--midi {self.knob}: {len(knob.choices)} choices do not fit values {self.low} to {self._high(knob)}."
            )

    def sent(self, knob: Knob, value: float | str) -> int:
        """Return what is sent for a plain value. Raises KnobError when the knob cannot stand there."""
        return self.value_of(knob, knob.position(value))

    def nearest(self, knob: Knob, value: float | str) -> float | str:
        """Return the plain value at which the knob stands when `value` is sent."""
        return knob.checked(value) if knob.choices else self.plain(knob, self.sent(knob, value))

    def plain(self, knob: Knob, sent: int) -> float | str:
        """Return the plain value at which the knob stands when it was `sent` this."""
        return knob.value_at((sent - self.low) / (self._high(knob) - self.low))

    def value_of(self, knob: Knob, position: Samples) -> int:
        """Return what is sent for a knob's positions of shape (width,)."""
        share = float(position.argmax()) / (len(knob.choices) - 1) if knob.choices else float(position[0])
        return round(self.low + share * (self._high(knob) - self.low))

    def messages(self, value: int) -> list[MidiMessage]:
        """Return the messages that carry a value, the coarse half first."""
        channel, coarse, fine = self.channel - 1, value >> 7, value & 127
        if self.kind == "pc":
            return [("program_change", channel, 0, value)]
        if self.kind == "cc":
            controls = [(self.number[0], value)]
        elif self.kind == "cc14":
            controls = [(self.number[0], coarse), (self.number[0] + _FINE, fine)]
        else:
            data = [(6, coarse), (38, fine)] if self.kind == "nrpn" else [(6, value)]
            controls = [(99, self.number[0]), (98, self.number[1]), *data]
        return [("control_change", channel, number, each) for number, each in controls]

    def _high(self, knob: Knob) -> int:
        if self.high is not None:
            return self.high
        if self.kind != "pc":
            return self.top
        steps = len(knob.choices) - 1 if knob.choices else round(knob.maximum - knob.minimum)
        return min(self.low + steps, self.top)


def midi_map(control: MidiControl | None) -> dict[str, MidiKnob]:
    """Return how the knobs of gear are sent, by id; none where there is no MIDI. Raises KnobError."""
    return {each.knob: each for each in map(parse_midi_knob, control.sent_as if control else ())}


def parse_midi_knob(text: str) -> MidiKnob:
    """Read how one knob is sent, such as `gain=cc:74` or `amp=nrpn:1:32@2/0-100`. Raises KnobError with the grammar."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise KnobError(f"--midi {text!r} is not understood. {_GRAMMAR}")
    part = found.groupdict()
    kinds: dict[str, Kind] = {"cc": "cc", "cc14": "cc14", "nrpn": "nrpn", "nrpn7": "nrpn7", "pc": "pc"}
    return MidiKnob(
        knob=part["knob"],
        kind=kinds[part["cc"] or part["nrpn"] or "pc"],
        number=tuple(int(part[name]) for name in ("number", "msb", "lsb") if part[name] is not None),
        channel=int(part["channel"] or 1),
        low=int(part["low"] or 0),
        high=None if part["high"] is None else int(part["high"]),
    )


def positions_sent(
    track: KnobTrack, knobs: Sequence[Knob], *, step_frames: int
) -> Iterator[tuple[int, dict[str, Samples]]]:
    """Yield frames and each knob's positions there: at every breakpoint, and along its ramp every `step_frames`."""
    motion = track.motion(knobs)
    for number, point in enumerate(track.breakpoints):
        following = track.breakpoints[number + 1 :]
        end = min(point.frame + point.ramp_frames, following[0].frame - 1 if following else _NO_END)
        for frame in sorted({*range(point.frame, end, step_frames), end}):
            columns, at = motion.at(frame, frame + 1)[0], 0
            positions: dict[str, Samples] = {}
            for knob in knobs:
                positions[knob.id], at = columns[at : at + knob.width], at + knob.width
            yield frame, positions
