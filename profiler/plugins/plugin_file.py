"""A VST3 or Audio Unit as a processor with knobs, loaded by pedalboard. It runs in `worker`, not beside us."""

from pathlib import Path
from typing import Any

import numpy as np
import pedalboard

from profiler.audio import Samples
from profiler.errors import GearError
from profiler.plugins.channels import spread
from profiler.plugins.folders import plugin_folders
from profiler.plugins.grid import BLOCK_FRAMES, GridPlugin
from profiler.plugins.parameter import Dial, read_dials

__all__ = ["PluginFile"]

_PROBE_RATE = 48_000
_MOST_COPIES = 2


class PluginFile(GridPlugin):
    """The plugin in a file, or `FILE#Name` for one of several. Raises GearError when it does not load.

    It is loaded once for all streams, as loading may take a minute, and reset before each.
    """

    def __init__(self, ref: str) -> None:
        self._ref = ref
        first = _loaded(ref)
        if not first.is_effect:
            raise GearError(f"{first.name} is an instrument: it makes sound of its own. Only effects can be captured.")
        self._dials: dict[str, Dial] = {dial.knob.id: dial for dial in read_dials(first)}
        super().__init__(str(first.name), str(first.version), tuple(dial.knob for dial in self._dials.values()))
        self._takes = _channels_taken(first)
        self._loaded = [first]
        self._copies: list[Any] = []
        self._inputs = 1

    def _start(self, channels: int, sample_rate: int) -> None:
        self._inputs = channels if channels in self._takes else max(self._takes)
        count = channels if self._inputs == 1 else 1
        if channels > max(_MOST_COPIES, *self._takes):
            raise GearError(f"{self.name} takes {' or '.join(map(str, self._takes))} channel(s); found {channels}.")
        while len(self._loaded) < count:
            self._loaded.append(_loaded(self._ref))
        self._copies, self._rate = self._loaded[:count], sample_rate
        for copy in self._copies:
            copy.reset()

    def _set(self, knob: str, value: float | str) -> None:
        for copy in self._copies:
            self._dials[knob].set(copy, value)

    def _blocks(self, dry: Samples) -> list[Samples]:
        """Pedalboard takes latency out by itself: what comes late is missing at the start of a stream."""
        if len(self._copies) > 1:
            return [self._run(copy, dry[side : side + 1]) for side, copy in enumerate(self._copies)]
        return [self._run(self._copies[0], spread(dry, self._inputs))]

    def _run(self, copy: Any, dry: Samples) -> Samples:
        try:
            wet = copy.process(np.ascontiguousarray(dry), self._rate, buffer_size=BLOCK_FRAMES, reset=False)
        except (ValueError, RuntimeError) as error:
            raise GearError(f"{self.name} refused {dry.shape[0]} channel(s): {error}") from error
        return np.asarray(wet, np.float32).reshape(dry.shape[0], -1)


def _loaded(ref: str) -> Any:
    """Load a plugin, and name the choice where a file holds several."""
    file, _, name = ref.partition("#")
    if not Path(file).exists():
        folders = " or ".join(map(str, plugin_folders()))
        raise GearError(f"The plugin {file} is not there. Install it, or correct its path; plugins lie in {folders}.")
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
            silence = np.zeros((channels, 4 * BLOCK_FRAMES), np.float32)
            plugin.process(silence, _PROBE_RATE, buffer_size=BLOCK_FRAMES, reset=True)
        except (ValueError, RuntimeError) as error:
            refusal = str(error)
        else:
            taken.append(channels)
    if not taken:
        raise GearError(f"{plugin.name} plays neither mono nor stereo: {refusal}")
    return tuple(taken)
