"""An LV2 plugin as a processor with knobs. It crashes whatever process it runs in, so it runs in `worker`."""

import numpy as np

from profiler.audio import Samples
from profiler.errors import GearError
from profiler.plugins.channels import spread
from profiler.plugins.grid import BLOCK_FRAMES, GridPlugin
from profiler.plugins.lilv import World, lilv
from profiler.plugins.lv2_features import SUPPORTED
from profiler.plugins.lv2_instance import Lv2Instance
from profiler.plugins.lv2_ports import read_ports

__all__ = ["Lv2Plugin"]

_CORE = "http://lv2plug.in/ns/lv2core#"


class Lv2Plugin(GridPlugin):
    """The plugin of that URI; each stream is played by one that is started anew.

    Raises GearError when there is none, or it asks for what is not offered here.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._world = World()
        plugin = self._world.plugin(uri)
        self._check(plugin)
        self._ports = read_ports(self._world, plugin)
        super().__init__(
            self._world.text(lilv().lilv_plugin_get_name(plugin)) or uri,
            self._version(plugin),
            tuple(port.knob for port in self._ports if port.knob),
        )
        self._by_knob = {port.knob.id: port for port in self._ports if port.knob}
        self._inputs = self._main_inputs()
        self._copies: list[Lv2Instance] = []

    def reset(self) -> None:
        """End the stream and take the plugin down."""
        super().reset()
        for copy in self._copies:
            copy.free()
        self._copies = []

    def close(self) -> None:
        """Take the plugin down."""
        self.reset()

    def _start(self, channels: int, sample_rate: int) -> None:
        self._copies = [
            Lv2Instance(self._world, self._uri, self._ports, sample_rate)
            for _ in range(channels if self._inputs == 1 else 1)
        ]

    def _set(self, knob: str, value: float | str) -> None:
        port = self._by_knob[knob]
        for copy in self._copies:
            copy.controls[port.index] = port.native(value, copy.sample_rate)

    def _blocks(self, dry: Samples) -> list[Samples]:
        if len(self._copies) > 1:
            return [self._run(copy, dry[side : side + 1]) for side, copy in enumerate(self._copies)]
        return [self._run(self._copies[0], spread(dry, self._inputs))]

    def _run(self, copy: Lv2Instance, dry: Samples) -> Samples:
        wet = np.empty((copy.outputs, dry.shape[1]), np.float32)
        for at in range(0, dry.shape[1], BLOCK_FRAMES):
            wet[:, at : at + BLOCK_FRAMES] = copy.run(dry[:, at : at + BLOCK_FRAMES])
        return wet

    def _latency(self) -> int:
        reported = [self._copies[0].controls[port.index] for port in self._ports if port.is_latency]
        return round(float(reported[0])) if reported and np.isfinite(reported[0]) else 0

    def _main_inputs(self) -> int:
        audio = [port for port in self._ports if port.kind == "audio"]
        inputs = sum(port.is_input and not port.is_side_chain for port in audio)
        outputs = sum(not port.is_input for port in audio)
        if not inputs or not outputs:
            raise GearError(
                f"{self.name} has {inputs} audio inputs and {outputs} outputs; an effect has one of each at least."
            )
        return inputs

    def _check(self, plugin: int) -> None:
        required = set(self._world.values(lilv().lilv_plugin_get_required_features(plugin)))
        if missing := required - SUPPORTED:
            raise GearError(f"{self._uri} needs a host with {', '.join(sorted(missing))}, which this one has not.")

    def _version(self, plugin: int) -> str:
        parts = [
            "".join(self._world.values(lilv().lilv_plugin_get_value(plugin, self._world.node(f"{_CORE}{part}")))[:1])
            for part in ("minorVersion", "microVersion")
        ]
        return ".".join(part for part in parts if part)
