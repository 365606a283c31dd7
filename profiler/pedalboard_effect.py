"""pedalboard's own effects as gear and as slots: their knobs, and processing with them.

pedalboard's effects declare no ranges, so the table below does: what the effect accepts where it checks, what
its sound makes sense for where it does not. A test sets every end of every range on the real effect. PitchShift is
not among them: fed in blocks, pedalboard 0.9.26 returns silence for it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pedalboard

from profiler.audio import Samples
from profiler.errors import GearError, KnobError
from profiler.knob import Knob, KnobSettings, Scale, find_knob
from profiler.processor import KnobProcessor, check_same_stream

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

_NONE = np.zeros((1, 0), np.float32)
_BLOCK_FRAMES = 8192
_MOST_FLUSHES = 400

_UNITS = {"db": "dB", "hz": "Hz", "ms": "ms", "seconds": "s"}


class PedalboardEffect(KnobProcessor):
    """One of pedalboard's effects, its knobs set by plain values. Raises GearError for an unknown name."""

    def __init__(self, name: str, settings: KnobSettings | None = None) -> None:
        self.name = name
        self.knobs = effect_knobs(name)
        self._plugin = getattr(pedalboard, name)()
        self._channels = self._sample_rate = 0
        self._is_late = False
        self._due = self._unheard = 0
        self._waiting: Samples = _NONE
        self._ready: list[Samples] = []
        for knob, value in (settings or {}).items():
            self.turn(knob, value)

    def turn(self, knob: str, value: float | str) -> None:
        """Turn a knob, effective from the next frame fed. Raises KnobError."""
        found = find_knob(self.knobs, knob)
        plain = found.checked(value)
        native = _native(getattr(self._plugin, found.id), plain)
        if self._waiting.shape[1]:
            self._ready.append(self._run(self._waiting))
            self._waiting = self._waiting[:, :0]
        try:
            setattr(self._plugin, found.id, native)
        except (ValueError, TypeError) as error:
            raise KnobError(f"{self.name} does not take {found.id}={found.spelt(plain)}: {error}") from error

    def reset(self) -> None:
        """Bring the effect to rest."""
        self._plugin.reset()
        self._channels = self._due = 0
        self._waiting, self._ready = _NONE, []

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready; an effect with latency holds the first frames back.

        Raises AudioError when channels or rate change within a stream, GearError when the effect refuses them.
        """
        if not self._channels:
            self._begin(audio.shape[0], sample_rate)
        check_same_stream(audio, sample_rate, channels=self._channels, begun_at=self._sample_rate)
        self._due += audio.shape[1]
        if self._is_late:
            audio = np.concatenate([self._waiting, audio], axis=1)
            whole = audio.shape[1] - audio.shape[1] % _BLOCK_FRAMES
            audio, self._waiting = audio[:, :whole], audio[:, whole:]
        starts = range(0, audio.shape[1], _BLOCK_FRAMES)
        blocks = [*self._ready, *(self._run(audio[:, start : start + _BLOCK_FRAMES]) for start in starts)]
        self._ready = []
        return np.concatenate(blocks, axis=1) if blocks else audio[:, :0]

    def flush(self) -> Samples:
        """Return what latency has held back, by playing silence after the end."""
        blocks = [np.zeros((max(self._channels, 1), 0), np.float32), *self._ready]
        for _ in range(_MOST_FLUSHES):
            if self._due <= 0:
                break
            due = self._due
            silence = np.zeros((self._channels, _BLOCK_FRAMES - self._waiting.shape[1]), np.float32)
            blocks.append(self._run(np.concatenate([self._waiting, silence], axis=1))[:, :due])
            self._waiting = self._waiting[:, :0]
        if self._due > 0:
            raise GearError(f"pedalboard's {self.name} still owes {self._due} frames after a minute of silence.")
        self.reset()
        return np.concatenate(blocks, axis=1)

    def _begin(self, channels: int, sample_rate: int) -> None:
        """Play one block of silence, whose wet is dropped, and see whether the effect comes late.

        From it pedalboard learns which side of an array is channels: left to guess, it refuses a square array and
        takes two channels of one frame for one channel of two. And no later block is larger, which would make an
        effect forget what it has heard. Late effects mix up odd blocks, so theirs are all of one size.
        """
        self._channels, self._sample_rate = channels, sample_rate
        self._waiting = np.zeros((channels, 0), np.float32)
        self._unheard = _BLOCK_FRAMES
        self._run(np.zeros((channels, _BLOCK_FRAMES), np.float32))
        self._is_late = self._unheard > 0

    def _run(self, audio: Samples) -> Samples:
        try:
            wet = self._plugin.process(
                np.ascontiguousarray(audio), self._sample_rate, buffer_size=_BLOCK_FRAMES, reset=False
            )
        except (ValueError, RuntimeError) as error:
            raise GearError(f"pedalboard's {self.name} refused {audio.shape[0]} channel(s): {error}") from error
        wet = np.asarray(wet, np.float32).reshape(audio.shape[0], -1)
        dropped = min(self._unheard, wet.shape[1])
        self._unheard -= dropped
        self._due -= wet.shape[1] - dropped
        return wet[:, dropped:]


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
