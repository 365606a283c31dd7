"""The parameters of a loaded VST3 or Audio Unit as knobs, and the setting of them to exact values.

pedalboard's own way of setting a parameter snaps to 1000 steps; its raw value, from 0 to 1, does not.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from profiler.errors import KnobError
from profiler.knob import Knob, Scale

__all__ = ["Dial", "is_knob", "raw_for", "read_dials"]

_CLUTTER = frozenset({"buffer_size_frames", "sample_rate_frames", "latency_frames", "current_program", "bypass"})
"""What pedalboard, or the plugin's framework, adds for the host."""

_METER = re.compile(r"gain_reduction(_\d+)?(_db)?|.*_meter(_db)?")
"""Names of meters. Most plugins mark theirs as not to be automated, but not all: ZaMultiComp forgets three. Names
such as `peak` and `input_level` are knobs on some, so they are not among them."""

_PROBES = (0.0, 0.25, 0.5, 0.75, 1.0)
_MOST_STEPS = 512
_BISECTIONS = 40
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Dial:
    """A knob and how it is set. `raws` has a raw value for each choice of a switch."""

    knob: Knob
    raws: Mapping[str, float] = field(default_factory=dict)
    is_linear: bool = True

    def set(self, plugin: Any, value: float | str) -> None:
        """Turn the plugin's parameter to a checked plain value."""
        parameter = plugin.parameters[self.knob.id]
        if self.knob.choices:
            parameter.raw_value = self.raws[str(value)]
            return
        low, high, number = self.knob.minimum, self.knob.maximum, float(value)
        if self.knob.step is not None:
            number = low + round((number - low) / self.knob.step) * self.knob.step
        raw = (number - low) / (high - low) if self.is_linear else raw_for(number, lambda raw: _shown(parameter, raw))
        parameter.raw_value = min(max(raw, 0.0), 1.0)


def read_dials(plugin: Any) -> tuple[Dial, ...]:
    """Return the dials of a plugin: its parameters without what is the host's and without its meters."""
    parameters: Mapping[str, Any] = plugin.parameters
    found = (_dial(id_, each) for id_, each in parameters.items() if is_knob(id_, automatable=each.is_automatable))
    return tuple(dial for dial in found if dial)


def is_knob(id_: str, *, automatable: bool) -> bool:
    """Whether a parameter is turned by the musician: a host may automate it, and it is neither clutter nor a meter."""
    return automatable and id_ not in _CLUTTER and not _METER.fullmatch(id_)


def raw_for(value: float, shown: Callable[[float], float]) -> float:
    """Return the raw value in [0, 1] at which the plugin shows `value`, whose text grows or falls all the way."""
    low, high = 0.0, 1.0
    grows = shown(1.0) >= shown(0.0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if (shown(middle) < value) == grows:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _dial(id_: str, parameter: Any) -> Dial | None:
    name, unit = str(parameter.name), str(parameter.label or "").strip()
    choices = _choices(parameter)
    if len(choices) > 1:
        now = min(choices, key=lambda choice: abs(choices[choice] - parameter.raw_value))
        return Dial(knob=Knob(id=id_, name=name, choices=tuple(choices), default=now), raws=choices)
    shown = [_shown(parameter, raw) for raw in _PROBES]
    minimum, maximum = min(shown[0], shown[-1]), max(shown[0], shown[-1])
    if not (math.isfinite(minimum) and math.isfinite(maximum) and minimum < maximum):
        return None
    steps = parameter.num_steps
    step = (maximum - minimum) / (steps - 1) if parameter.is_discrete and 2 < steps <= _MOST_STEPS else None
    is_linear = _follows(shown, [minimum + raw * (maximum - minimum) for raw in _PROBES])
    default = min(max(_rounded(_shown(parameter, parameter.raw_value)), minimum), maximum)
    try:
        knob = Knob(
            id=id_,
            name=name,
            unit=unit,
            minimum=minimum,
            maximum=maximum,
            default=default,
            scale=_scale(shown),
            step=step,
        )
    except KnobError:
        return None
    return Dial(knob=knob, is_linear=is_linear)


def _choices(parameter: Any) -> dict[str, float]:
    """Return a switch's choices with their raw values, empty for a knob."""
    if parameter.type is bool or parameter.num_steps == 2:
        texts = [str(parameter.get_text_for_raw_value(raw)).strip() for raw in (0.0, 1.0)]
        plain = all(_NUMBER.fullmatch(text) or not text for text in texts) or texts[0] == texts[1]
        return dict(zip(("off", "on") if plain else texts, (0.0, 1.0), strict=True))
    if parameter.type is str:
        # A comma parts the choices that are typed.
        return {
            str(each).replace(",", ";"): float(parameter.get_raw_value_for(each)) for each in parameter.valid_values
        }
    return {}


def _shown(parameter: Any, raw: float) -> float:
    """Return the number in the plugin's own text for a raw value, or NaN without one."""
    number = _NUMBER.search(str(parameter.get_text_for_raw_value(raw)))
    return float(number[0]) if number else math.nan


def _rounded(shown: float) -> float:
    return float(f"{shown:.6g}")


def _follows(shown: list[float], expected: list[float]) -> bool:
    slack = 1e-3 * max(abs(shown[-1] - shown[0]), 1e-9)
    return all(abs(found - wanted) <= slack for found, wanted in zip(shown, expected, strict=True))


def _scale(shown: list[float]) -> Scale:
    """Return log for a parameter whose text grows by equal ratios, as frequencies often do."""
    low, high = shown[0], shown[-1]
    if low <= 0 or high <= low or _follows(shown, [low + raw * (high - low) for raw in _PROBES]):
        return "linear"
    logs = [math.log(each) if each > 0 else math.nan for each in shown]
    return "log" if _follows(logs, [logs[0] + raw * (logs[-1] - logs[0]) for raw in _PROBES]) else "linear"
