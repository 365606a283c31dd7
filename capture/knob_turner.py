"""Knob turners: what turns the knobs of hardware, a hand that is asked to or MIDI."""

from collections.abc import Callable
from typing import Protocol

from profiler.errors import GearError
from profiler.knob import KnobSettings
from profiler.knob_track import KnobTrack

__all__ = ["HandTurner", "KnobTurner"]


class KnobTurner(Protocol):
    """What turns the knobs of gear that is behind an interface."""

    def turn(self, settings: KnobSettings) -> None:
        """Bring the knobs to these settings and return when they stand there. Raises GearError when that fails."""

    def follow(self, track: KnobTrack, sample_rate: int, elapsed_frames: Callable[[], int | None]) -> None:
        """Turn the knobs along a track while it plays, and return when `elapsed_frames` says None: it is over.

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

    def follow(self, track: KnobTrack, sample_rate: int, elapsed_frames: Callable[[], int | None]) -> None:  # noqa: ARG002
        """Refuse: no hand turns a knob to the frame."""
        raise GearError("A hand cannot follow a moving take. Record takes at fixed settings, or turn knobs by MIDI.")
