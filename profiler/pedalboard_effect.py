"""pedalboard's own effects as gear and as slots: their knobs, and processing with them. The one door to pedalboard.

pedalboard's effects declare no ranges, so the table below does: what the effect accepts where it checks, what
its sound makes sense for where it does not. A test sets every end of every range on the real effect.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pedalboard

from profiler.audio import Samples
from profiler.errors import GearError, KnobError
from profiler.knob import Knob, KnobSettings, Scale, find_knob
from profiler.processor import Processor

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
    "PitchShift": {"semitones": (-72.0, 72.0)},
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

_FLUSH_FRAMES = 8192
_MOST_FLUSHES = 400

_UNITS = {"db": "dB", "hz": "Hz", "ms": "ms", "seconds": "s"}


class PedalboardEffect(Processor):
    """One of pedalboard's effects, its knobs set by plain values. Raises GearError for an unknown name."""

    def __init__(self, name: str, settings: KnobSettings | None = None) -> None:
        self.name = name
        self.knobs = effect_knobs(name)
        self._plugin = getattr(pedalboard, name)()
        self._channels = 0
        self._sample_rate = 0
        self._due = 0
        for knob, value in (settings or {}).items():
            self.turn(knob, value)

    def turn(self, knob: str, value: float | str) -> None:
        """Turn a knob, effective from the next frame fed. Raises KnobError."""
        found = find_knob(self.knobs, knob)
        plain = found.checked(value)
        native = _native(getattr(self._plugin, found.id), plain)
        try:
            setattr(self._plugin, found.id, native)
        except (ValueError, TypeError) as error:
            raise KnobError(f"{self.name} does not take {found.id}={found.spelt(plain)}: {error}") from error

    def reset(self) -> None:
        """Bring the effect to rest."""
        self._plugin.reset()
        self._due = 0

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready; an effect with latency holds the first frames back. Raises GearError."""
        if audio.shape[0] != self._channels:
            self._learn_layout(audio.shape[0], sample_rate)
        self._sample_rate = sample_rate
        self._due += audio.shape[1]
        return self._run(audio) if audio.shape[1] else audio

    def flush(self) -> Samples:
        """Return what latency has held back, by playing silence after the end."""
        blocks = [np.zeros((max(self._channels, 1), 0), np.float32)]
        for _ in range(_MOST_FLUSHES):
            if self._due <= 0:
                break
            due = self._due
            blocks.append(self._run(np.zeros((self._channels, _FLUSH_FRAMES), np.float32))[:, :due])
            self._due = due - blocks[-1].shape[1]
        if self._due > 0:
            raise GearError(f"pedalboard's {self.name} still owes {self._due} frames after a minute of silence.")
        return np.concatenate(blocks, axis=1)

    def _learn_layout(self, channels: int, sample_rate: int) -> None:
        """Show pedalboard which side of an array is channels: it guesses, and refuses a square one."""
        self._plugin.process(np.zeros((channels, channels + 64), np.float32), sample_rate, reset=True)
        self._channels = channels
        self.reset()

    def _run(self, audio: Samples) -> Samples:
        try:
            wet = self._plugin.process(np.ascontiguousarray(audio), self._sample_rate, reset=False)
        except (ValueError, RuntimeError) as error:
            raise GearError(f"pedalboard's {self.name} refused {audio.shape[0]} channel(s): {error}") from error
        wet = np.asarray(wet, np.float32).reshape(audio.shape[0], -1)
        self._due -= wet.shape[1]
        return wet


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
