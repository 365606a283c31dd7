"""An LV2 plugin as a processor with knobs. It crashes whatever process it runs in, so it runs in `worker`."""

import numpy as np

from profiler.audio import Samples
from profiler.errors import AudioError, GearError
from profiler.knob import find_knob
from profiler.plugins.channels import Sides, gathered, spread
from profiler.plugins.lilv import World, lilv
from profiler.plugins.lv2_features import SUPPORTED
from profiler.plugins.lv2_instance import BLOCK_FRAMES, Lv2Instance
from profiler.plugins.lv2_ports import Port, read_ports
from profiler.processor import KnobProcessor

__all__ = ["Lv2Plugin"]

_QUIET_SECONDS = 1.0
"""Silence before a stream: guitarix's plugins fade in from the dry signal when they start."""

_CORE = "http://lv2plug.in/ns/lv2core#"
_MOST_LATENCY_SECONDS = 60


class Lv2Plugin(KnobProcessor):
    """The plugin of that URI. Raises GearError when there is none, or it asks for what is not offered here.

    It always runs in blocks of 64 frames from the start of a stream on, so its sound does not hang on how it is fed,
    and knobs turn on multiples of 64 frames. Mono goes to every main input and the outputs are averaged; stereo
    through a plugin of one input goes through two instances.
    """

    step_frames = BLOCK_FRAMES

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._world = World()
        plugin = self._world.plugin(uri)
        self._check(plugin)
        self._ports = read_ports(self._world, plugin)
        self.name = self._world.text(lilv().lilv_plugin_get_name(plugin)) or uri
        self.version = self._version(plugin)
        self.knobs = tuple(port.knob for port in self._ports if port.knob)
        self._by_knob = {port.knob.id: port for port in self._ports if port.knob}
        self._inputs, self._outputs = self._sound_ports()
        self._settings = {knob.id: knob.default for knob in self.knobs}
        self._pending: list[tuple[Port, float | str]] = []
        self._instances: list[Lv2Instance] = []
        self._sides = Sides()
        self._channels = self._sample_rate = self._due = self._unheard = 0
        self._held = np.zeros((1, 0), np.float32)

    def turn(self, knob: str, value: float | str) -> None:
        """Turn a knob, effective from the next multiple of 64 frames on. Raises KnobError."""
        found = find_knob(self.knobs, knob)
        plain = found.checked(value)
        self._settings[found.id] = plain
        if self._held.shape[1]:
            self._pending.append((self._by_knob[found.id], plain))
        else:
            self._set(self._by_knob[found.id], plain)

    def reset(self) -> None:
        """End the stream; the next begins with a plugin started anew."""
        for instance in self._instances:
            instance.free()
        self._instances, self._pending = [], []
        self._channels = self._due = self._unheard = 0
        self._held = self._held[:, :0]

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet of all whole blocks. Raises AudioError when channels or rate change within a stream."""
        if not self._channels:
            self._begin(audio.shape[0], sample_rate)
        if (audio.shape[0], sample_rate) != (self._channels, self._sample_rate):
            raise AudioError(
                f"This stream has {self._channels} channel(s) at {self._sample_rate} Hz; found {audio.shape[0]} "
                f"at {sample_rate} Hz. Reset before another kind of signal."
            )
        self._due += audio.shape[1]
        audio = np.concatenate([self._held, audio], axis=1)
        whole = audio.shape[1] - audio.shape[1] % BLOCK_FRAMES
        self._held = audio[:, whole:]
        return self._heard(self._run(audio[:, :whole]))

    def flush(self) -> Samples:
        """Return what is still due, by playing silence after the end."""
        if not self._channels:
            return np.zeros((1, 0), np.float32)
        missing = self._due + self._unheard - self._held.shape[1]
        padded = np.pad(self._held, ((0, 0), (0, max(missing, 0))))
        padded = np.pad(padded, ((0, 0), (0, -padded.shape[1] % BLOCK_FRAMES)))
        rest = self._heard(self._run(padded)) if self._due else padded[:, :0]
        self.side_db = self._sides.side_db
        self.reset()
        return rest

    def close(self) -> None:
        """Take the plugin down."""
        self.reset()

    def _begin(self, channels: int, sample_rate: int) -> None:
        """Start the plugin anew, let it play silence at its settings, and read its latency."""
        count = channels if self._inputs == 1 else 1
        self._instances = [Lv2Instance(self._world, self.uri, self._ports, sample_rate) for _ in range(count)]
        self._channels, self._sample_rate, self._sides = channels, sample_rate, Sides()
        self._held = np.zeros((channels, 0), np.float32)
        for id_, value in self._settings.items():
            self._set(self._by_knob[id_], value)
        blocks = -(-int(_QUIET_SECONDS * sample_rate) // BLOCK_FRAMES)
        self._run(np.zeros((channels, blocks * BLOCK_FRAMES), np.float32))
        self._sides = Sides()
        self._unheard = self._latency()

    def _run(self, dry: Samples) -> Samples:
        """Run whole blocks through the plugin; what was turned while frames were held back turns after the first."""
        wet = np.empty_like(dry)
        for at in range(0, dry.shape[1], BLOCK_FRAMES):
            block = slice(at, at + BLOCK_FRAMES)
            if len(self._instances) > 1:
                for channel, instance in enumerate(self._instances):
                    wet[channel, block] = instance.run(dry[channel : channel + 1, block]).mean(axis=0)
            else:
                answer = self._instances[0].run(spread(dry[:, block], self._inputs))
                if self._channels == 1:
                    self._sides.hear(answer)
                wet[:, block] = gathered(answer, self._channels)
            while self._pending:
                self._set(*self._pending.pop(0))
        return wet

    def _heard(self, wet: Samples) -> Samples:
        """Return wet without the plugin's latency, and no more of it than is due."""
        dropped = min(self._unheard, wet.shape[1])
        self._unheard -= dropped
        wet = wet[:, dropped : dropped + self._due]
        self._due -= wet.shape[1]
        return wet

    def _set(self, port: Port, value: float | str) -> None:
        for instance in self._instances:
            instance.controls[port.index] = port.native(value, self._sample_rate)

    def _latency(self) -> int:
        reported = [self._instances[0].controls[port.index] for port in self._ports if port.is_latency]
        frames = round(float(reported[0])) if reported else 0
        if not 0 <= frames <= _MOST_LATENCY_SECONDS * self._sample_rate:
            raise GearError(f"{self.name} says that it is {frames} frames late, which cannot be.")
        return frames

    def _sound_ports(self) -> tuple[int, int]:
        audio = [port for port in self._ports if port.kind == "audio"]
        inputs = sum(port.is_input and not port.is_side_chain for port in audio)
        outputs = sum(not port.is_input for port in audio)
        if not inputs or not outputs:
            raise GearError(
                f"{self.name} has {inputs} audio inputs and {outputs} outputs; an effect has one of each at least."
            )
        return inputs, outputs

    def _check(self, plugin: int) -> None:
        required = set(self._world.values(lilv().lilv_plugin_get_required_features(plugin)))
        if missing := required - SUPPORTED:
            raise GearError(f"{self.uri} needs a host with {', '.join(sorted(missing))}, which this one has not.")

    def _version(self, plugin: int) -> str:
        parts = [
            "".join(self._world.values(lilv().lilv_plugin_get_value(plugin, self._world.node(f"{_CORE}{part}")))[:1])
            for part in ("minorVersion", "microVersion")
        ]
        return ".".join(part for part in parts if part)
