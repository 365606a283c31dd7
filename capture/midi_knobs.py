"""Gear that turns its own knobs: settings sent as MIDI controllers, NRPNs or program changes, through a port."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from capture.knob_turner import Sent
from capture.midi_map import MidiKnob, MidiMessage, parse_midi_knob, positions_sent
from capture.midi_port import MidiPort, open_midi
from profiler.errors import GearError, KnobError
from profiler.knob import Knob, KnobSettings
from profiler.knob_track import KnobTrack
from profiler.session import MidiControl

__all__ = ["SETTLE_SECONDS", "MidiKnobs", "checked_map"]

SETTLE_SECONDS = 0.3
"""How long gear is given after its knobs were sent, before anything is played through it."""

_STEP_SECONDS = 0.005  # of ramps: a cable carries about five controllers in that time
_STALLED_SECONDS = 5.0


class MidiKnobs:
    """Turns the knobs of gear through an opened `port`, which is closed with this.

    Raises KnobError when the map names a knob that is not there, or one twice.
    """

    def __init__(
        self,
        port: MidiPort,
        knobs: Sequence[Knob],
        sent_as: Sequence[MidiKnob],
        *,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._port = port
        self._knobs = {knob.id: knob for knob in knobs}
        self._sent_as: Mapping[str, MidiKnob] = checked_map(knobs, sent_as)
        self.settle_seconds = settle_seconds
        self.late_seconds = 0.0

    @classmethod
    def opened(cls, control: MidiControl, knobs: Sequence[Knob]) -> Self:
        """Open the port that a session names. Raises KnobError for its map, GearError for the port."""
        sent_as = [parse_midi_knob(text) for text in control.sent_as]
        checked_map(knobs, sent_as)
        return cls(open_midi(control.port), knobs, sent_as)

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
        self._port.send([each for id_, value in settings.items() for each in self._messages(id_, value)])
        time.sleep(self.settle_seconds)

    def follow(
        self, track: KnobTrack, sample_rate: int, elapsed_frames: Callable[[], float | None]
    ) -> tuple[Sent, ...]:
        """Send a knob track in time while it plays, ramps in steps of 5 ms, and return what was sent, and when.

        `elapsed_frames` tells how far playing is, and None when it is over: then this returns, or when the last
        breakpoint is reached. The first breakpoint is sent at once: `turn` there first, for gear takes time to settle.
        `late_seconds` is then how late the latest message was. Raises KnobError as `turn` does, before anything is
        sent, and GearError when the clock stands still or the port fails.
        """
        self.late_seconds = 0.0
        sent: list[Sent] = []
        for frame, values in list(self._schedule(track, sample_rate)):
            at = _waited(frame, sample_rate, elapsed_frames)
            if at is None:
                break
            messages = [each for id_, value in values.items() for each in self._way(id_).messages(value)]
            when = self._port.send(messages)
            stands = {id_: self._way(id_).plain(self._knob(id_), value) for id_, value in values.items()}
            sent.append(Sent(when=when, settings=stands))
            self.late_seconds = max(self.late_seconds, (at - frame) / sample_rate)
        return tuple(sent)

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _schedule(self, track: KnobTrack, sample_rate: int) -> Iterator[tuple[int, dict[str, int]]]:
        """Yield frames and the values that are sent there; what would say nothing new is left out."""
        named = {id_ for point in track.breakpoints for id_ in point.settings}
        knobs = tuple(self._knob(id_) for id_ in sorted(named))
        last: dict[str, int] = {}
        for frame, positions in positions_sent(track, knobs, step_frames=max(int(_STEP_SECONDS * sample_rate), 1)):
            values = {knob.id: self._way(knob.id).value_of(knob, positions[knob.id]) for knob in knobs}
            changed = {id_: value for id_, value in values.items() if last.get(id_) != value}
            last |= changed
            if changed:
                yield frame, changed

    def _messages(self, id_: str, value: float | str) -> list[MidiMessage]:
        way = self._way(id_)
        return way.messages(way.sent(self._knob(id_), value))

    def _knob(self, id_: str) -> Knob:
        self._way(id_)
        return self._knobs[id_]

    def _way(self, id_: str) -> MidiKnob:
        if id_ not in self._sent_as:
            known = ", ".join(self._sent_as) or "none"
            raise KnobError(f"Knob {id_} is not in the MIDI map, which has: {known}. Add it: --midi {id_}=cc:NUMBER.")
        return self._sent_as[id_]


def checked_map(knobs: Sequence[Knob], sent_as: Sequence[MidiKnob]) -> dict[str, MidiKnob]:
    """Return how knobs are sent, by id. Raises KnobError for one that is not there, named twice, or does not fit."""
    known = {knob.id: knob for knob in knobs}
    found = {each.knob: each for each in sent_as}
    if strange := found.keys() - known.keys():
        there = ", ".join(known) or "none"
        raise KnobError(f"--midi {min(strange)}: that is not a knob of this capture. It has: {there}.")
    if len(found) < len(sent_as):
        raise KnobError("Each knob is sent in one way; --midi names one twice.")
    for id_, each in found.items():
        each.check_fits(known[id_])
    return found


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
