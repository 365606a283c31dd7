"""pedalboard's own effects as gear and as slots: their knobs, and processing with them.

pedalboard's effects declare no ranges, so the table below does: what the effect accepts where it checks, what
its sound makes sense for where it does not. A test sets every end of every range on the real effect. PitchShift is
not among them: fed in blocks, pedalboard 0.9.26 returns silence for it.
"""

from collections.abc import Mapping
from typing import Any

import pedalboard

from profiler.errors import GearError, KnobError
from profiler.knob import Knob, KnobSettings, Scale, find_knob
from profiler.pedalboard_stream import PedalboardStream
from profiler.processor import KnobProcessor

__all__ = ["EFFECT_NAMES", "PedalboardEffect", "effect_knobs"]

_AUDIBLE = (20.0, 20_000.0, "log")
_SHELF = {"cutoff_frequency_hz": _AUDIBLE, "gain_db": (-60.0, 60.0), "q": (0.05, 20.0, "log")}
_SHARE = (0.0, 1.0)
_ATTACK = (0.01, 1000.0, "log")
_RELEASE = (1.0, 5000.0, "log")
_LEVEL = (-100.0, 0.0)

_RANGES: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "Bitcrush": {"bit_depth": (0.0, 32.0)},
    "BrickwallLimiter": {
        "ceiling_db": (-60.0, 0.0),
        "lookahead_ms": (0.1, 100.0, "log"),
        "release_ms": _RELEASE,
        "true_peak": (),
    },
    "Chorus": {
        "rate_hz": (0.0, 100.0),
        "depth": _SHARE,
        "centre_delay_ms": (1.0, 100.0, "log"),
        "feedback": (-0.99, 0.99),
        "mix": _SHARE,
    },
    "Clipping": {"threshold_db": _LEVEL},
    "Compressor": {"threshold_db": _LEVEL, "ratio": (1.0, 100.0, "log"), "attack_ms": _ATTACK, "release_ms": _RELEASE},
    "Delay": {"delay_seconds": (0.0, 30.0), "feedback": _SHARE, "mix": _SHARE},
    "Distortion": {"drive_db": (-60.0, 100.0)},
    "GSMFullRateCompressor": {"quality": ()},
    "Gain": {"gain_db": (-100.0, 100.0)},
    "HighShelfFilter": _SHELF,
    "HighpassFilter": {"cutoff_frequency_hz": _AUDIBLE},
    "Invert": {},
    "LadderFilter": {"mode": (), "cutoff_hz": _AUDIBLE, "resonance": _SHARE, "drive": (1.0, 100.0, "log")},
    "Limiter": {"threshold_db": _LEVEL, "release_ms": _RELEASE},
    "LowShelfFilter": _SHELF,
    "LowpassFilter": {"cutoff_frequency_hz": _AUDIBLE},
    "MP3Compressor": {"vbr_quality": (0.0, 9.99)},
    "NoiseGate": {
        "threshold_db": _LEVEL,
        "ratio": (1.0, 100.0, "log"),
        "attack_ms": _ATTACK,
        "release_ms": _RELEASE,
    },
    "PeakFilter": _SHELF,
    "Phaser": {
        "rate_hz": (0.0, 99.0),
        "depth": _SHARE,
        "centre_frequency_hz": _AUDIBLE,
        "feedback": (-0.99, 0.99),
        "mix": _SHARE,
    },
    "Resample": {"target_sample_rate": (1000.0, 192_000.0, "log"), "quality": ()},
    "Reverb": {
        "room_size": _SHARE,
        "damping": _SHARE,
        "wet_level": _SHARE,
        "dry_level": _SHARE,
        "width": _SHARE,
        "freeze_mode": _SHARE,
    },
}

EFFECT_NAMES = tuple(_RANGES)
"""The effects that can be profiled or stand in a chain."""

_UNITS = {"db": "dB", "hz": "Hz", "ms": "ms", "seconds": "s"}


class PedalboardEffect(PedalboardStream, KnobProcessor):
    """One of pedalboard's effects, its knobs set by plain values. Raises GearError for an unknown name."""

    def __init__(self, name: str, settings: KnobSettings | None = None) -> None:
        self.name = name
        self.knobs = effect_knobs(name)
        super().__init__(getattr(pedalboard, name)(), name=f"pedalboard's {name}")
        for knob, value in (settings or {}).items():
            self.turn(knob, value)

    def turn(self, knob: str, value: float | str) -> None:
        """Turn a knob, effective from the next frame fed. Raises KnobError."""
        found = find_knob(self.knobs, knob)
        plain = found.checked(value)
        native = _native(getattr(self.plugin, found.id), plain)
        self.settle()
        try:
            setattr(self.plugin, found.id, native)
        except (ValueError, TypeError) as error:
            raise KnobError(f"{self.name} does not take {found.id}={found.spelt(plain)}: {error}") from error


def effect_knobs(name: str) -> tuple[Knob, ...]:
    """Return the knobs of an effect, with its own defaults. Raises GearError that lists the effects there are."""
    if name not in _RANGES:
        raise GearError(f"pedalboard has no effect {name!r} to profile. It has: {', '.join(EFFECT_NAMES)}.")
    plugin = getattr(pedalboard, name)()
    return tuple(_knob(id_, span, getattr(plugin, id_)) for id_, span in _RANGES[name].items())


def _knob(id_: str, span: tuple[Any, ...], default: Any) -> Knob:
    name, unit = _name_and_unit(id_)
    if isinstance(default, bool):
        return Knob(id=id_, name=name, default="on" if default else "off", choices=("off", "on"))
    if _is_enumeration(default):
        return Knob(id=id_, name=name, default=default.name, choices=tuple(type(default).__members__))
    minimum, maximum, *scale = span
    spelt: Scale = "log" if scale else "linear"

    return Knob(
        id=id_,
        name=name,
        unit=unit,
        minimum=minimum,
        maximum=maximum,
        default=min(max(float(default), minimum), maximum),
        scale=spelt,
    )


def _name_and_unit(id_: str) -> tuple[str, str]:
    """Return `drive` and `dB` for `drive_db`: pedalboard's names end in their unit."""
    words = id_.split("_")
    unit = _UNITS.get(words[-1], "")
    return " ".join(words[:-1] if unit else words), unit


def _native(current: Any, plain: float | str) -> Any:
    if isinstance(current, bool):
        return plain == "on"
    if _is_enumeration(current):
        return type(current).__members__[str(plain)]
    return plain


def _is_enumeration(value: Any) -> bool:
    """Whether this is one of pedalboard's enumerations, which are pybind11's and not Python's."""
    return hasattr(type(value), "__members__")
