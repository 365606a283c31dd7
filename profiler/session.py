"""A capture session: gear, knobs, dry signals and the takes recorded so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from profiler.chain_file import ChainFile
from profiler.errors import SessionError
from profiler.finding import Finding
from profiler.knob import Knob, KnobSettings
from profiler.stimulus import Stimulus

__all__ = ["SESSION_VERSIONS", "CaptureSession", "Dry", "Gear", "MidiControl", "Take", "Wiring"]

SESSION_VERSIONS = range(1)
"""Format versions of `session.json` that this program reads."""


@dataclass(frozen=True, kw_only=True)
class Gear:
    """The thing profiled. A plugin is described by the chain that plays it; of others only the name is known."""

    name: str
    kind: Literal["plugin", "files", "hardware"]
    chain: ChainFile | None = None


@dataclass(frozen=True, kw_only=True)
class MidiControl:
    """How gear turns its own knobs: the MIDI port that it listens at, and for each such knob how it is sent there.

    `sent_as` is as people type it, such as `gain=cc:74@2/0-100`. A hand turns the knobs that it does not name.
    """

    port: str
    sent_as: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """How hardware hangs on interfaces: their names, PortAudio's host API, and channels counted from 1.

    The loopback channel is connected to the send by a cable alone. Dry signals are sent `send_db` louder than they are
    kept, most often less loud. `send_dbu` and `return_dbu` are the levels of full scale at either socket, if known.
    `midi` is what turns its knobs, if hands do not.
    """

    output: str
    input: str
    host: str
    send_channel: int = 1
    return_channel: int = 1
    loopback_channel: int | None = None
    send_db: float = 0.0
    send_dbu: float | None = None
    return_dbu: float | None = None
    midi: MidiControl | None = None

    @property
    def has_one_clock(self) -> bool:
        """Whether one interface sends and records, so that nothing can drift."""
        return self.output == self.input


@dataclass(frozen=True, kw_only=True)
class Dry:
    """A dry signal that takes were made of; `file` is relative to the session's folder.

    `source_sha256` is the hash of the file that somebody brought, if this was made from one.
    """

    file: str
    sha256: str
    frames: int
    stimulus: Stimulus | None = None
    source_sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Take:
    """One wet recording of dry number `dry`: at fixed `settings`, or along the knob track in `knob_track`.

    `latency_frames` is how late the wet is, `polarity` +1 or -1, `gain_db` by how much it is louder than it should be;
    all are undone before training. `measured_latency_frames` is what this take alone showed as it was recorded, if it
    was measured then. `masked` are spans of its frames in which a converter clipped, or in which it is not sure where
    knobs stood: they are neither learnt nor scored. A held-out take is never trained on. `replicate_of` is the number
    of the take that this one repeats. `source_sha256` is the hash of the file that somebody brought, if this was made
    from one. `loopback` is the file of what came back over the loopback channel.
    """

    number: int
    dry: int
    file: str
    sha256: str
    frames: int
    settings: KnobSettings | None = None
    knob_track: str | None = None
    latency_frames: int = 0
    measured_latency_frames: float | None = None
    polarity: Literal[-1, 1] = 1
    gain_db: float = 0.0
    masked: tuple[tuple[int, int], ...] = ()
    held_out: bool = False
    replicate_of: int | None = None
    findings: tuple[Finding, ...] = ()
    source_sha256: str | None = None
    loopback: str | None = None


@dataclass(frozen=True, kw_only=True)
class CaptureSession:
    """Everything that `session.json` says; `wiring` is that of hardware.

    Raises SessionError when two takes share a number, or one names a dry signal that is not there.
    """

    gear: Gear
    knobs: tuple[Knob, ...]
    sample_rate: int
    dries: tuple[Dry, ...] = ()
    takes: tuple[Take, ...] = ()
    wiring: Wiring | None = None
    version: int = 0

    def __post_init__(self) -> None:
        numbers = [take.number for take in self.takes]
        if twice := {number for number in numbers if numbers.count(number) > 1}:
            raise SessionError(f"Takes must have numbers of their own; found take {min(twice)} more than once.")
        for take in self.takes:
            if not 0 <= take.dry < len(self.dries):
                raise SessionError(f"Take {take.number} names dry {take.dry}; the session has {len(self.dries)}.")

    def take(self, number: int) -> Take | None:
        """Return the take of that number, or None while it has not been recorded."""
        return next((take for take in self.takes if take.number == number), None)


def described(knobs: Sequence[Knob], settings: KnobSettings | None) -> str:
    """Return settings on one line as a person reads them."""
    if settings is None:
        return "moving knobs"
    return ", ".join(f"{knob.name} {knob.spelt(settings[knob.id])}" for knob in knobs) or "no knobs"
