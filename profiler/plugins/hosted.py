"""A plugin in a process of its own, as a processor with knobs. One that hangs or crashes costs one clear error."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from profiler.audio import Samples
from profiler.errors import GearError, KnobError
from profiler.knob import Knob, KnobSettings, find_knob
from profiler.plugins.child import Child
from profiler.plugins.wire import MOST_FRAMES, Message
from profiler.processor import KnobProcessor

__all__ = ["PATIENCE_SECONDS", "HostedPlugin", "PluginDescription", "describe_plugin"]

PATIENCE_SECONDS = 60.0
"""How long a plugin may take to load unless more is allowed."""

_GRACE_SECONDS = 30.0
_SECONDS_PER_SECOND = 30.0
_DESCRIBED: "dict[str, PluginDescription]" = {}


@dataclass(frozen=True, kw_only=True)
class PluginDescription:
    """What a plugin says of itself. `version` may be empty."""

    name: str
    version: str
    step_frames: int
    knobs: tuple[Knob, ...]


class HostedPlugin(KnobProcessor):
    """Plays through a plugin that runs in a child process: `lv2:URI`, or the path of a VST3 or an Audio Unit.

    `patience_seconds` is how long it may take to load. For whatever it then plays it gets `grace_seconds`, and 30 s
    more for each second of audio. Raises GearError when the plugin is not there, does not load, hangs or crashes,
    KnobError for settings that it does not take. Close it, or use it in a `with` statement.
    """

    def __init__(
        self,
        ref: str,
        settings: KnobSettings | None = None,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        grace_seconds: float = _GRACE_SECONDS,
    ) -> None:
        self.ref = ref
        self._grace_seconds = grace_seconds
        self._child = Child(ref)
        try:
            answer = self._child.ask(
                Message(header={"do": "open", "ref": ref}), doing="loading", seconds=patience_seconds
            )
            self.description = _description(ref, answer.header)
            self._turns: list[tuple[str, float | str]] = []
            self.name, self.knobs = self.description.name, self.description.knobs
            self.step_frames = self.description.step_frames
            for knob, value in (settings or {}).items():
                self.turn(knob, value)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The number of the child process."""
        return self._child.pid

    def turn(self, knob: str, value: float | str) -> None:
        """Turn a knob; the plugin hears of it with the next frames. Raises KnobError."""
        found = find_knob(self.knobs, knob)
        self._turns.append((found.id, found.checked(value)))

    def reset(self) -> None:
        """Bring the plugin to rest."""
        self._ask("reset")

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready. Raises GearError when the plugin fails, AudioError for audio it cannot play."""
        pieces = [
            self._ask("feed", audio[:, at : at + MOST_FRAMES], sample_rate=sample_rate)
            for at in range(0, max(audio.shape[1], 1), MOST_FRAMES)
        ]
        return np.concatenate(pieces, axis=1)

    def flush(self) -> Samples:
        """Return what the plugin's latency has held back, and bring it to rest."""
        return self._ask("flush")

    def close(self) -> None:
        """End the plugin's process."""
        self._child.close()

    def _ask(self, do: str, audio: Samples | None = None, *, sample_rate: int = 48_000) -> Samples:
        turns, self._turns = self._turns, []
        header: dict[str, Any] = {"do": do, "turns": turns, "sample_rate": sample_rate}
        message = Message(header=header) if audio is None else Message(header=header, samples=audio)
        seconds = self._grace_seconds + _SECONDS_PER_SECOND * message.samples.shape[1] / sample_rate
        answer = self._child.ask(message, doing="playing", seconds=seconds)
        side = answer.header.get("side_db")
        self.side_db = float(side) if isinstance(side, int | float) else None
        return answer.samples


def describe_plugin(ref: str, *, patience_seconds: float = PATIENCE_SECONDS) -> PluginDescription:
    """Return what a plugin says of itself, for which a program loads it once. Raises GearError."""
    if ref not in _DESCRIBED:
        with HostedPlugin(ref, patience_seconds=patience_seconds) as plugin:
            _DESCRIBED[ref] = plugin.description
    return _DESCRIBED[ref]


def _description(ref: str, said: Mapping[str, Any]) -> PluginDescription:
    try:
        knobs = tuple(Knob(**{**each, "choices": tuple(each["choices"])}) for each in said["knobs"])
        return PluginDescription(
            name=str(said["name"]), version=str(said["version"]), step_frames=int(said["step_frames"]), knobs=knobs
        )
    except (KeyError, TypeError, ValueError, KnobError) as error:
        raise GearError(f"{ref} describes itself in a way that is not understood: {error}.") from error
