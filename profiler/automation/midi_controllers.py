"""The controllers of MIDI files, read with mido: what a foot pedal or a lane in a DAW recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import mido

from profiler.automation.automation import Automation, Share, Turn
from profiler.errors import AutomationError
from profiler.manifest import MAXIMUM_BYTES

__all__ = ["Controller", "read_midi"]

_FINE = 32  # controllers below this one may have a partner, so many above, that tells the last seven of 14 bits


@dataclass(frozen=True, kw_only=True)
class Controller:
    """Which knob a controller turns, from plain value `low` to `high`, or through its whole range.

    `channel` counts from 1, as musicians do; None is any.
    """

    number: int
    knob: str
    channel: int | None = None
    low: float | str | None = None
    high: float | str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 127:
            raise AutomationError(f"A MIDI controller is a number from 0 to 127; found {self.number}.")
        if self.channel is not None and not 1 <= self.channel <= 16:
            raise AutomationError(f"A MIDI channel is a number from 1 to 16; found {self.channel}.")


@dataclass(frozen=True, kw_only=True)
class _Event:
    seconds: float
    channel: int
    number: int
    share: float


def read_midi(path: Path, controllers: Sequence[Controller]) -> Automation:
    """Return the turns of what `controllers` turn. Controllers of 14 bits are taken as such.

    Raises AutomationError for a damaged file, or one in which a controller never moves.
    """
    events = list(_events(path))
    moved = sorted({(event.channel, event.number) for event in events})
    told = ", ".join(f"{number} on channel {channel}" for channel, number in moved) or "none at all"
    if not controllers:
        raise AutomationError(f"{path} moves controllers: {told}. Say which turns which knob: --cc NUMBER=KNOB.")
    turns = []
    for each in controllers:
        own = [event for event in events if event.number == each.number and each.channel in (None, event.channel)]
        if not own:
            raise AutomationError(f"{path} never moves controller {each.number}. It moves: {told}.")
        for event in own:
            value = Share(share=event.share, low=each.low, high=each.high)
            turns.append(Turn(seconds=event.seconds, knob=each.knob, value=value))
    return Automation(turns=tuple(sorted(turns, key=lambda turn: turn.seconds)))


def _events(path: Path) -> Iterator[_Event]:
    """Yield what controllers say, in the order of time, with the tempo changes followed."""
    changes = _changes(path)
    pairs = {(channel, number) for _, channel, number, _ in changes}
    coarse: dict[tuple[int, int], int] = {}
    for seconds, channel, number, value in changes:
        if _FINE <= number < 2 * _FINE and (channel, number - _FINE) in pairs:
            share = (128 * coarse.get((channel, number - _FINE), 0) + value) / 16_383
            yield _Event(seconds=seconds, channel=channel, number=number - _FINE, share=share)
            continue
        coarse[channel, number] = value
        has_fine = number < _FINE and (channel, number + _FINE) in pairs
        share = 128 * value / 16_383 if has_fine else value / 127
        yield _Event(seconds=seconds, channel=channel, number=number, share=share)


def _changes(path: Path) -> list[tuple[float, int, int, int]]:
    """Return seconds, channel from 1, number and value of every control change."""
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise AutomationError(f"{path} is {path.stat().st_size} bytes; a MIDI file has at most {MAXIMUM_BYTES}.")
        found, seconds = [], 0.0
        for message in mido.MidiFile(path, clip=True):
            seconds += message.time
            if message.type == "control_change":
                found.append((seconds, message.channel + 1, message.control, message.value))
    except OSError as error:  # mido raises it for damage too
        if error.errno is not None:
            raise AutomationError(
                f"{path} cannot be read: {error.strerror}. Check the name and the permissions."
            ) from error
        raise AutomationError(f"{path} is no MIDI file that can be followed: {error}") from error
    except (EOFError, ValueError, TypeError, LookupError, mido.KeySignatureError) as error:
        raise AutomationError(
            f"{path} is no MIDI file that can be followed: {error or type(error).__name__}."
        ) from error
    return found
