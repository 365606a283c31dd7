"""One running LV2 plugin: its memory, and the running of one block."""

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_uint32, c_void_p
from typing import Any

import numpy as np

from profiler.audio import Samples
from profiler.errors import GearError
from profiler.plugins.grid import BLOCK_FRAMES
from profiler.plugins.lilv import World, lilv
from profiler.plugins.lv2_features import Features
from profiler.plugins.lv2_ports import Port

__all__ = ["Lv2Instance"]

_ATOM_BYTES = 65_536
_WORKER = b"http://lv2plug.in/ns/ext/worker#interface"
_STATE = b"http://lv2plug.in/ns/ext/state#interface"


class _Descriptor(Structure):
    _fields_ = (
        ("uri", c_char_p),
        ("instantiate", c_void_p),
        ("connect_port", CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)),
        ("activate", CFUNCTYPE(None, c_void_p)),
        ("run", CFUNCTYPE(None, c_void_p, c_uint32)),
        ("deactivate", CFUNCTYPE(None, c_void_p)),
        ("cleanup", c_void_p),
        ("extension_data", CFUNCTYPE(c_void_p, c_char_p)),
    )


class _LilvInstance(Structure):
    _fields_ = (("descriptor", POINTER(_Descriptor)), ("handle", c_void_p), ("pimpl", c_void_p))


class Lv2Instance:
    """A plugin at one sample rate. Raises GearError when the plugin refuses to start."""

    def __init__(self, world: World, uri: str, ports: Sequence[Port], sample_rate: int) -> None:
        plugin = world.plugin(uri)
        self.sample_rate = sample_rate
        self._features = Features(sample_rate, BLOCK_FRAMES)
        self._pointer: int | None = lilv().lilv_plugin_instantiate(plugin, float(sample_rate), self._features.pointer)
        if not self._pointer:
            raise GearError(f"{uri} did not start at {sample_rate} Hz. Try it in another host, or at another rate.")
        instance = ctypes.cast(self._pointer, POINTER(_LilvInstance)).contents
        self._descriptor, self._handle = instance.descriptor.contents, instance.handle
        self._run = self._descriptor.run
        self.controls = np.asarray([port.at_rest(sample_rate) for port in ports], np.float32)
        self._ins = [port for port in ports if port.kind == "audio" and port.is_input and not port.is_side_chain]
        self._outs = [port for port in ports if port.kind == "audio" and not port.is_input]
        self._sound = {port.index: np.zeros(BLOCK_FRAMES, np.float32) for port in ports if port.kind in {"audio", "cv"}}
        self._atoms = {port.index: _Atoms(port, self._features) for port in ports if port.kind == "atom"}
        for port in ports:
            if port.kind == "cv" and port.is_input:
                self._sound[port.index][:] = port.default
            self._descriptor.connect_port(self._handle, port.index, self._memory(port))
        self._attach(world, plugin)
        if self._descriptor.activate:
            self._descriptor.activate(self._handle)

    @property
    def outputs(self) -> int:
        """How many audio outputs it has."""
        return len(self._outs)

    def run(self, dry: Samples) -> Samples:
        """Return the wet of one block: (main inputs, BLOCK_FRAMES) to (outputs, BLOCK_FRAMES).

        Side-chain inputs hear silence: nothing is plugged into them.
        """
        for row, port in zip(dry, self._ins, strict=True):
            self._sound[port.index][:] = row
        for atoms in self._atoms.values():
            atoms.rewind()
        self._run(self._handle, BLOCK_FRAMES)
        self._features.worker.work()
        return np.stack([self._sound[port.index] for port in self._outs])

    def free(self) -> None:
        """Take the plugin down."""
        if self._pointer:
            if self._descriptor.deactivate:
                self._descriptor.deactivate(self._handle)
            lilv().lilv_instance_free(self._pointer)
            self._pointer = None

    def _memory(self, port: Port) -> int | None:
        if port.kind == "control":
            return int(self.controls.ctypes.data) + 4 * port.index
        if port.kind == "atom":
            return ctypes.addressof(self._atoms[port.index].memory)
        return int(self._sound[port.index].ctypes.data) if port.index in self._sound else None

    def _attach(self, world: World, plugin: int) -> None:
        """Let the plugin have its work done, and bring it into the state that its bundle gives as the default."""
        extension: Any = self._descriptor.extension_data
        self._features.worker.attach(self._handle, extension(_WORKER) if extension else None)
        if not (extension and extension(_STATE)):
            return
        library = lilv()
        uri = library.lilv_plugin_get_uri(plugin)
        state = library.lilv_state_new_from_world(world.pointer, ctypes.addressof(self._features.map), uri)
        if state:
            library.lilv_state_restore(state, self._pointer, None, None, 0, None)


class _Atoms:
    """The memory of an atom port: an empty sequence of events into the plugin, room for some out of it."""

    def __init__(self, port: Port, features: Features) -> None:
        self._is_input = port.is_input
        self._types: Mapping[str, int] = {
            name: features.number(f"http://lv2plug.in/ns/ext/atom#{name}") for name in ("Sequence", "Chunk")
        }
        self._room = max(port.least_bytes, _ATOM_BYTES)
        self.memory = (c_uint32 * (self._room // 4 + 4))()  # size, type, then unit and padding of the body

    def rewind(self) -> None:
        """Make it as it must be before a block."""
        self.memory[0] = 8 if self._is_input else self._room
        self.memory[1] = self._types["Sequence" if self._is_input else "Chunk"]
        self.memory[2] = self.memory[3] = 0
