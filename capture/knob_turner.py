"""Knob turners: what turns the knobs of hardware, a hand that is asked to or MIDI."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from profiler.errors import GearError
from profiler.knob import KnobSettings
from profiler.knob_track import KnobTrack

__all__ = ["HandTurner", "KnobTurner", "PartTurner", "Sent"]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Knobs that were sent to gear at the time `when` of `time.monotonic`, at the values that it was sent."""

    when: float
    settings: KnobSettings


class KnobTurner(Protocol):
    """What turns the knobs of gear that is behind an interface."""

    def turn(self, settings: KnobSettings) -> None:
        """Bring the knobs to these settings and return when they stand there. Raises GearError when that fails."""

    def reached(self, settings: KnobSettings) -> KnobSettings:
        """Return where the knobs come to stand when they are turned to these settings."""

    def follow(self, track: KnobTrack, sample_rate: int, elapsed_frames: Callable[[], float | None]) -> Sequence[Sent]:
        """Turn the knobs along a track while it plays, and return what was sent once `elapsed_frames` says None.

        `elapsed_frames` is the dry's frame that is being handed to the interface, negative before the first. It runs in
        a thread of its own, after `turn` to the first settings. Raises GearError.
        """


class HandTurner:
    """A person, who is asked by `ask` and has turned the knobs when that returns."""

    def __init__(self, ask: Callable[[KnobSettings], None]) -> None:
        self._ask = ask

    def turn(self, settings: KnobSettings) -> None:
        """Ask for these settings."""
        self._ask(settings)

    def reached(self, settings: KnobSettings) -> KnobSettings:
        """Return them: hands are believed."""
        return settings

    def follow(
        self,
        track: KnobTrack,  # noqa: ARG002
        sample_rate: int,  # noqa: ARG002
        elapsed_frames: Callable[[], float | None],  # noqa: ARG002
    ) -> Sequence[Sent]:
        """Refuse: no hand turns a knob to the frame."""
        raise GearError("A hand cannot follow a moving take. Record takes at fixed settings, or turn knobs by MIDI.")


class PartTurner:
    """Turns some knobs by another turner; a hand has turned the rest before."""

    def __init__(self, turner: KnobTurner, ids: Collection[str]) -> None:
        self._turner = turner
        self._ids = ids

    def turn(self, settings: KnobSettings) -> None:
        """Turn those that it turns."""
        self._turner.turn(self._own(settings))

    def reached(self, settings: KnobSettings) -> KnobSettings:
        """Return where all come to stand."""
        return {**settings, **self._turner.reached(self._own(settings))}

    def follow(self, track: KnobTrack, sample_rate: int, elapsed_frames: Callable[[], float | None]) -> Sequence[Sent]:
        """Turn along a track that moves none but its own. Raises GearError, or KnobError for another knob."""
        return self._turner.follow(track, sample_rate, elapsed_frames)

    def _own(self, settings: KnobSettings) -> KnobSettings:
        return {id_: value for id_, value in settings.items() if id_ in self._ids}
