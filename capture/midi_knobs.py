"""Gear that turns its own knobs: settings sent as MIDI controllers, NRPNs or program changes, with mido."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import mido

from capture.midi_map import MidiKnob, MidiMessage, positions_sent
from profiler.errors import GearError, KnobError
from profiler.knob import Knob, KnobSettings
from profiler.knob_track import KnobTrack

__all__ = ["SETTLE_SECONDS", "MidiKnobs", "midi_ports", "open_midi"]

SETTLE_SECONDS = 0.3
"""How long gear is given after its knobs were sent, before anything is played through it."""

_BACKEND = "mido.backends.rtmidi"
_STEP_SECONDS = 0.005  # of ramps: a cable carries about five controllers in that time
_STALLED_SECONDS = 5.0


class MidiKnobs:
    """Turns the knobs of gear through `port`, an opened output of mido; it is closed with this.

    Raises KnobError when the map names a knob that is not there, or one twice.
    """

    def __init__(
        self, port: Any, knobs: Sequence[Knob], sent_as: Sequence[MidiKnob], *, settle_seconds: float = SETTLE_SECONDS
    ) -> None:
        self._port = port
        self._knobs = {knob.id: knob for knob in knobs}
        self._sent_as: Mapping[str, MidiKnob] = {each.knob: each for each in sent_as}
        self.settle_seconds = settle_seconds
        self.late_seconds = 0.0
        if strange := self._sent_as.keys() - self._knobs.keys():
            there = ", ".join(self._knobs) or "none"
            raise KnobError(f"--midi {min(strange)}: that is not a knob of this capture. It has: {there}.")
        if len(self._sent_as) < len(sent_as):
            raise KnobError("Each knob is sent in one way; --midi names one twice.")
        for id_, each in self._sent_as.items():
            each.check_fits(self._knobs[id_])

    @property
    def turns(self) -> frozenset[str]:
        """The ids of the knobs that turn themselves; a hand turns the others."""
        return frozenset(self._sent_as)

    def reached(self, settings: KnobSettings) -> dict[str, float | str]:
        """Return where knobs come to stand: the nearest value that MIDI has to the one asked for. Raises KnobError."""
        return {id_: self._way(id_).nearest(self._knob(id_), value) for id_, value in settings.items()}

    def turn(self, settings: KnobSettings) -> None:
        """Send knobs to where they shall stand, and wait until the gear has settled.

        Raises KnobError for one that is not in the map or a value outside its range, GearError when the port fails.
        """
        for message in [each for id_, value in settings.items() for each in self._messages(id_, value)]:
            self._send(message)
        time.sleep(self.settle_seconds)

    def follow(self, track: KnobTrack, sample_rate: int, elapsed_frames: Callable[[], float | None]) -> None:
        """Send a knob track in time while it plays, ramps in steps of 5 ms.

        `elapsed_frames` tells how far playing is, and None when it is over: then this returns, or when the last
        breakpoint is reached. The first breakpoint is sent at once: `turn` there first, for gear takes time to settle.
        `late_seconds` is then how late the latest message was. Raises KnobError as `turn` does, before anything is
        sent, and GearError when the clock stands still or the port fails.
        """
        self.late_seconds = 0.0
        for frame, messages in list(self._schedule(track, sample_rate)):
            at = _waited(frame, sample_rate, elapsed_frames)
            if at is None:
                return
            for message in messages:
                self._send(message)
            self.late_seconds = max(self.late_seconds, (at - frame) / sample_rate)

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _schedule(self, track: KnobTrack, sample_rate: int) -> Iterator[tuple[int, list[Any]]]:
        """Yield frames and what is sent there; what would say nothing new is left out."""
        named = {id_ for point in track.breakpoints for id_ in point.settings}
        knobs = tuple(self._knob(id_) for id_ in sorted(named))
        last: dict[str, int] = {}
        for frame, positions in positions_sent(track, knobs, step_frames=max(int(_STEP_SECONDS * sample_rate), 1)):
            changed: list[Any] = []
            for knob in knobs:
                value = self._way(knob.id).value_of(knob, positions[knob.id])
                if last.get(knob.id) != value:
                    last[knob.id] = value
                    changed += map(_mido, self._way(knob.id).messages(value))
            if changed:
                yield frame, changed

    def _messages(self, id_: str, value: float | str) -> list[Any]:
        way = self._way(id_)
        return list(map(_mido, way.messages(way.sent(self._knob(id_), value))))

    def _knob(self, id_: str) -> Knob:
        self._way(id_)
        return self._knobs[id_]

    def _way(self, id_: str) -> MidiKnob:
        if id_ not in self._sent_as:
            known = ", ".join(self._sent_as) or "none"
            raise KnobError(f"Knob {id_} is not in the MIDI map, which has: {known}. Add it: --midi {id_}=cc:NUMBER.")
        return self._sent_as[id_]

    def _send(self, message: Any) -> None:
        try:
            self._port.send(message)
        except (OSError, ValueError, RuntimeError) as error:
            raise GearError(f"MIDI port {self._port.name!r} takes nothing any more: {error}. Is it there?") from error


def midi_ports() -> list[str]:
    """Return the names of the ports that gear listens at, of every MIDI system of this machine that runs."""
    return [name for backend in _backends() for name in backend.get_output_names()]


def open_midi(name: str) -> Any:
    """Open the port whose name is `name`, or the only one that has it in its name.

    Raises GearError that lists the ports there are.
    """
    found = [(backend, port) for backend in _backends() for port in backend.get_output_names()]
    fitting = [each for each in found if each[1] == name] or [each for each in found if name in each[1]]
    if len(fitting) != 1:
        problem = "means several MIDI ports" if fitting else "is no MIDI port here"
        there = ", ".join(repr(port) for _, port in found) or "none"
        raise GearError(f"{name!r} {problem}. There are: {there}. Name one of them, or switch the gear on.")
    backend, port = fitting[0]
    try:
        return backend.open_output(port)
    except (OSError, RuntimeError) as error:
        raise GearError(f"MIDI port {port!r} does not open: {error}. Another program may hold it.") from error


def _backends() -> Iterator[Any]:
    """Yield mido's doors to the MIDI systems that run here: CoreMIDI, Windows', ALSA's, JACK's."""
    os.environ.setdefault("JACK_NO_START_SERVER", "1")  # to look for ports must not start one
    systems = mido.Backend(_BACKEND).module.get_api_names()
    for system in systems:
        backend = mido.Backend(f"{_BACKEND}/{system}")
        try:
            backend.get_output_names()
        except (OSError, RuntimeError, SystemError):  # compiled in, but not running
            continue
        yield backend


def _mido(message: MidiMessage) -> Any:
    kind, channel, number, value = message
    if kind == "program_change":
        return mido.Message(kind, channel=channel, program=value)
    return mido.Message(kind, channel=channel, control=number, value=value)


def _waited(frame: int, sample_rate: int, elapsed_frames: Callable[[], float | None]) -> float | None:
    """Wait until playing has come to a frame, and return where it is then; None when it was over before."""
    last, since = None, time.monotonic()
    while (at := elapsed_frames()) is not None and at < frame:
        if last is None or at > last:
            last, since = at, time.monotonic()
        elif time.monotonic() - since > _STALLED_SECONDS:
            raise GearError(f"Playing stands still at frame {at:.0f}: knobs cannot be turned in time. Try it again.")
        time.sleep(min(max((frame - at) / sample_rate, 0.0), 0.002))
    return at
