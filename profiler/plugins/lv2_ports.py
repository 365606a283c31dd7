"""The ports of an LV2 plugin, and the knobs among them.

https://lv2plug.in/ns/lv2core, https://lv2plug.in/ns/ext/port-props, https://lv2plug.in/ns/extensions/units
"""

import math
from ctypes import byref, c_void_p
from dataclasses import dataclass
from typing import Any, Literal

from profiler.errors import GearError, KnobError
from profiler.knob import Knob, Scale
from profiler.plugins.lilv import World, lilv

__all__ = ["REFERENCE_RATE", "Port", "read_ports"]

REFERENCE_RATE = 48_000
"""A range that a plugin states in shares of the sample rate is told as at this one."""

_CORE = "http://lv2plug.in/ns/lv2core#"
_PROPS = "http://lv2plug.in/ns/ext/port-props#"
_UNITS = "http://lv2plug.in/ns/extensions/units#"
_GROUPS = "http://lv2plug.in/ns/ext/port-groups#"
_TIME = "http://lv2plug.in/ns/ext/time#"
_KINDS: dict[str, Literal["audio", "control", "cv", "atom"]] = {
    f"{_CORE}AudioPort": "audio",
    f"{_CORE}ControlPort": "control",
    f"{_CORE}CVPort": "cv",
    "http://lv2plug.in/ns/ext/atom#AtomPort": "atom",
}
_SYMBOLS = {
    "db": "dB",
    "hz": "Hz",
    "khz": "kHz",
    "ms": "ms",
    "s": "s",
    "min": "min",
    "pc": "%",
    "bpm": "BPM",
    "cent": "cents",
    "semitone12TET": "semitones",
    "oct": "oct",
    "degree": "°",
    "m": "m",
    "mm": "mm",
    "cm": "cm",
}
_HOSTS_OWN = frozenset({f"{_PROPS}notOnGUI", f"{_PROPS}trigger", f"{_CORE}reportsLatency"})
"""Properties of inputs that the host turns, or that are pushed and do not stay: no knobs."""

_HOSTS_VALUES = {f"{_CORE}enabled": 1.0, f"{_CORE}freeWheeling": 0.0}
"""Inputs of these designations are the host's: the plugin is on, and does not wheel freely (some play worse then)."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """One port. A control input that a musician turns has a `knob`; others stay at their `default`.

    `values` are what the knob's choices mean. `follows_rate` says that default and range are stated as shares of the
    sample rate; the knob has them in hertz.
    """

    index: int
    symbol: str
    kind: Literal["audio", "control", "cv", "atom", "other"]
    is_input: bool
    default: float = 0.0
    knob: Knob | None = None
    values: tuple[float, ...] = ()
    follows_rate: bool = False
    is_integer: bool = False
    is_side_chain: bool = False
    is_latency: bool = False
    is_optional: bool = False
    least_bytes: int = 0

    def at_rest(self, sample_rate: int) -> float:
        """Return what the port takes when nobody turns it."""
        return self.default * sample_rate if self.follows_rate else self.default

    def native(self, value: float | str, sample_rate: int) -> float:
        """Return a knob's checked value as what the port takes: exact, and within the range at this rate."""
        assert self.knob is not None  # noqa: S101 - asked of knobs only
        if self.knob.choices:
            return self.values[self.knob.choices.index(str(value))]
        number = float(value)
        if self.follows_rate:
            factor = sample_rate / REFERENCE_RATE
            return min(max(number, self.knob.minimum * factor), self.knob.maximum * factor)
        return float(round(number)) if self.is_integer else number


def read_ports(world: World, plugin: int) -> tuple[Port, ...]:
    """Return all ports in order. Raises GearError for a port of a kind that no host could leave unconnected."""
    library = lilv()
    count = library.lilv_plugin_get_num_ports(plugin)
    ports = tuple(
        _port(world, plugin, library.lilv_plugin_get_port_by_index(plugin, index), index) for index in range(count)
    )
    for port in ports:
        if port.kind == "other" and not port.is_optional:
            raise GearError(f"Port {port.symbol} is of a kind that is not known here, and must be connected.")
    return ports


def _port(world: World, plugin: int, port: int, index: int) -> Port:
    library = lilv()

    def asked(predicate: str) -> list[str]:
        return world.values(library.lilv_port_get_value(plugin, port, world.node(predicate)))

    kind = next(
        (word for uri, word in _KINDS.items() if library.lilv_port_is_a(plugin, port, world.node(uri))), "other"
    )
    properties = set(asked(f"{_CORE}portProperty"))
    designation = "".join(asked(f"{_CORE}designation")[:1])
    is_input = bool(library.lilv_port_is_a(plugin, port, world.node(f"{_CORE}InputPort")))
    plain = Port(
        index=index,
        symbol=world.text(library.lilv_port_get_symbol(plugin, port)),
        kind=kind,  # type: ignore[arg-type]
        is_input=is_input,
        is_side_chain=f"{_CORE}isSideChain" in properties or bool(asked(f"{_GROUPS}sideChainOf")),
        is_latency=f"{_CORE}reportsLatency" in properties or designation == f"{_CORE}latency",
        is_optional=f"{_CORE}connectionOptional" in properties,
        least_bytes=int(float("".join(asked("http://lv2plug.in/ns/ext/resize-port#minimumSize")[:1]) or 0)),
    )
    return _control(world, plugin, port, plain, properties, designation) if kind == "control" and is_input else plain


def _control(world: World, plugin: int, port: int, plain: Port, properties: set[str], designation: str) -> Port:
    """Return a control input with its default and, where it is one, its knob."""
    default, minimum, maximum = _range(plugin, port)
    follows_rate = f"{_CORE}sampleRate" in properties
    factor = REFERENCE_RATE if follows_rate else 1
    default = _HOSTS_VALUES.get(designation, default)
    is_integer = f"{_CORE}integer" in properties or f"{_CORE}enumeration" in properties
    is_toggle = f"{_CORE}toggled" in properties
    if is_toggle and not minimum < maximum:
        minimum, maximum = 0.0, 1.0
    left_out = properties & _HOSTS_OWN or designation in _HOSTS_VALUES or designation.startswith(_TIME)
    points = world.scale_points(plugin, port) if f"{_CORE}enumeration" in properties else []
    if is_toggle:
        points = [(minimum, "off"), (maximum, "on")]
    found: dict[str, Any] = {
        "default": default,
        "follows_rate": follows_rate,
        "is_integer": is_integer,
        "knob": None,
        "values": tuple(value for value, _ in points),
    }
    if not left_out:
        name = world.text(lilv().lilv_port_get_name(plugin, port)) or plain.symbol
        unit = _unit(world, plugin, port)
        if len(points) > 1:
            found["knob"] = _switch(plain.symbol, name, default, points)
        else:
            is_log = f"{_PROPS}logarithmic" in properties
            steps = 1.0 if is_integer else None
            span = (minimum * factor, maximum * factor, min(max(default, minimum), maximum) * factor)
            found["knob"] = _dial(plain.symbol, name, unit or ("Hz" if follows_rate else ""), span, steps, is_log)
    return Port(**{**vars(plain), **found})


def _range(plugin: int, port: int) -> tuple[float, float, float]:
    """Return default, minimum and maximum; without a default the low end, and NaN for ends that are not stated."""
    nodes = [c_void_p(), c_void_p(), c_void_p()]
    lilv().lilv_port_get_range(plugin, port, *(byref(node) for node in nodes))
    default, minimum, maximum = (_decimal(lilv().lilv_node_as_float(node)) if node else math.nan for node in nodes)
    if math.isnan(default):
        default = minimum if not math.isnan(minimum) else 0.0
    return default, minimum, maximum


def _decimal(single: float) -> float:
    """Return the short decimal that a single-precision number was written as: 0.1, not 0.10000000149."""
    return float(f"{single:.7g}")


def _switch(symbol: str, name: str, default: float, points: list[tuple[float, str]]) -> Knob:
    """Return a switch; labels that two positions share get their value behind them."""
    labels = [label.replace(",", ";") for _, label in points]  # a comma parts the choices that are typed
    points = [(value, label) for (value, _), label in zip(points, labels, strict=True)]
    choices = tuple(
        label if label and labels.count(label) == 1 else f"{label} {value:g}".strip() for value, label in points
    )
    nearest = min(range(len(points)), key=lambda number: abs(points[number][0] - default))
    return Knob(id=symbol, name=name, choices=choices, default=choices[nearest])


def _dial(
    symbol: str,
    name: str,
    unit: str,
    span: tuple[float, float, float],
    step: float | None,
    is_log: bool,  # noqa: FBT001
) -> Knob | None:
    """Return a knob of low end, high end and default, or None for a range that no knob can have."""
    minimum, maximum, default = span
    scale: Scale = "log" if is_log and minimum > 0 else "linear"
    try:
        return Knob(
            id=symbol,
            name=name,
            unit=unit,
            minimum=minimum,
            maximum=maximum,
            default=default,
            scale=scale,
            step=step,
        )
    except KnobError:
        return None


def _unit(world: World, plugin: int, port: int) -> str:
    library = lilv()
    found = library.lilv_port_get_value(plugin, port, world.node(f"{_UNITS}unit"))
    for node in world.nodes(found):
        unit = world.text(node)
        if unit.startswith(_UNITS):
            return _SYMBOLS.get(unit.removeprefix(_UNITS), "")
        symbol = library.lilv_world_get(world.pointer, node, world.node(f"{_UNITS}symbol"), None)
        return world.text(symbol).strip()
    return ""
