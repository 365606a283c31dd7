"""A VST3 or Audio Unit as a processor with knobs, loaded by pedalboard. It runs in `worker`, not beside us."""

from pathlib import Path
from typing import Any

import numpy as np
import pedalboard

from profiler.audio import Samples
from profiler.errors import GearError
from profiler.knob import find_knob
from profiler.pedalboard_stream import PedalboardStream
from profiler.plugins.channels import Sides, gathered, spread
from profiler.plugins.parameter import Dial, read_dials
from profiler.processor import KnobProcessor

__all__ = ["PluginFile"]

_QUIET_SECONDS = 1.0
_PROBE_RATE = 48_000
_PROBE_FRAMES = 512


class PluginFile(KnobProcessor):
    """The plugin in a file, or `FILE#Name` for one of several. Raises GearError when it does not load.

    A plugin that takes no mono hears it on both sides, and the mean of what it answers is returned; one that takes
    no stereo is loaded once for each side.
    """

    def __init__(self, ref: str) -> None:
        self._ref = ref
        self._plugins = [_loaded(ref)]
        first = self._plugins[0]
        if not first.is_effect:
            raise GearError(f"{first.name} is an instrument: it makes sound of its own. Only effects can be captured.")
        self.name = str(first.name)
        self.version = str(first.version)
        self._dials: dict[str, Dial] = {dial.knob.id: dial for dial in read_dials(first)}
        self.knobs = tuple(dial.knob for dial in self._dials.values())
        self._takes = _channels_taken(first)
        self._settings: dict[str, float | str] = {knob.id: knob.default for knob in self.knobs}
        self._streams: list[PedalboardStream] = []
        self._channels = 0
        self._sides = Sides()

    def turn(self, knob: str, value: float | str) -> None:
        """Turn a knob, effective from the next frame fed. Raises KnobError."""
        found = find_knob(self.knobs, knob)
        plain = found.checked(value)
        self._settings[found.id] = plain
        for stream in self._streams:
            stream.settle()
        for plugin in self._plugins:
            self._dials[found.id].set(plugin, plain)

    def reset(self) -> None:
        """Bring the plugin to rest."""
        for stream in self._streams:
            stream.reset()
        self._streams, self._channels = [], 0

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready. Raises GearError for channels that the plugin does not take."""
        if not self._channels:
            self._begin(audio.shape[0])
        if len(self._streams) == 1:
            return self._heard(self._streams[0].feed(spread(audio, self._inputs), sample_rate))
        pieces = [stream.feed(audio[side : side + 1], sample_rate) for side, stream in enumerate(self._streams)]
        return np.concatenate(pieces)

    def flush(self) -> Samples:
        """Return what latency has held back."""
        if not self._channels:
            return np.zeros((1, 0), np.float32)
        pieces = [stream.flush() for stream in self._streams]
        rest = self._heard(pieces[0]) if len(pieces) == 1 else np.concatenate(pieces)
        self.side_db = self._sides.side_db
        self.reset()
        return rest

    def _begin(self, channels: int) -> None:
        self._inputs = channels if channels in self._takes else max(self._takes)
        copies = channels if self._inputs == 1 else 1
        if channels > max(2, *self._takes):
            raise GearError(f"{self.name} takes {' or '.join(map(str, self._takes))} channel(s); found {channels}.")
        while len(self._plugins) < copies:
            self._plugins.append(_loaded(self._ref))
        # Every stream begins at all settings: one that the plugin turned by itself, or by a preset, is turned back.
        for plugin in self._plugins[:copies]:
            for id_, value in self._settings.items():
                self._dials[id_].set(plugin, value)
        self._streams = [
            PedalboardStream(plugin, name=self.name, quiet_seconds=_QUIET_SECONDS) for plugin in self._plugins[:copies]
        ]
        for stream in self._streams:
            stream.reset()
        self._channels, self._sides = channels, Sides()

    def _heard(self, wet: Samples) -> Samples:
        if self._channels == 1:
            self._sides.hear(wet)
        return gathered(wet, self._channels)


def _loaded(ref: str) -> Any:
    """Load a plugin, and name the choice where a file holds several."""
    file, _, name = ref.partition("#")
    if not Path(file).exists():
        raise GearError(f"{file} is not there. Check the name; plugins often lie in /usr/lib/vst3 or ~/.vst3.")
    try:
        return pedalboard.load_plugin(file, plugin_name=name or None)
    except Exception as error:
        names = _names_in(file)
        if len(names) > 1 and name not in names:
            choice = ", ".join(f"'{file}#{each}'" for each in names)
            raise GearError(f"{file} holds several plugins. Give one of: {choice}.") from error
        said = " ".join(str(error).split())[:300]
        raise GearError(f"{ref} does not load: {said or type(error).__name__}") from error


def _names_in(file: str) -> list[str]:
    kinds = [getattr(pedalboard, kind, None) for kind in ("VST3Plugin", "AudioUnitPlugin")]
    found: list[str] = []
    for kind in kinds:
        try:
            found += kind.get_plugin_names_for_file(file) if kind else []
        except Exception:  # noqa: BLE001, S112 - it does not even list its plugins
            continue
    return found


def _channels_taken(plugin: Any) -> tuple[int, ...]:
    """Return which of one and two channels the plugin plays. Raises GearError when it is neither."""
    taken = []
    refusal = ""
    for channels in (1, 2):
        try:
            silence = np.zeros((channels, _PROBE_FRAMES), np.float32)
            plugin.process(silence, _PROBE_RATE, buffer_size=_PROBE_FRAMES, reset=True)
        except (ValueError, RuntimeError) as error:
            refusal = str(error)
        else:
            taken.append(channels)
    if not taken:
        raise GearError(f"{plugin.name} plays neither mono nor stereo: {refusal}")
    return tuple(taken)
