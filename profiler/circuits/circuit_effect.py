"""Circuits by name, as gear and as slots: processors whose knobs turn while they play."""

import math
from collections.abc import Mapping

import numpy as np

from profiler.audio import Samples
from profiler.circuits.circuit import Circuit
from profiler.circuits.diodes import DiodeClipper, OpAmpFuzz
from profiler.circuits.optical import OpticalCompressor
from profiler.circuits.oversampled import Oversampled
from profiler.circuits.port import Wave
from profiler.circuits.tubes import CrunchAmp, TubePreamp
from profiler.errors import AudioError, GearError
from profiler.knob import Knob, KnobSettings, default_settings, find_knob
from profiler.processor import KnobProcessor, check_same_stream

__all__ = ["CIRCUIT_NAMES", "CircuitEffect", "circuit_knobs"]

_CIRCUITS: Mapping[str, type[Circuit]] = {
    "crunch_amp": CrunchAmp,
    "diode_clipper": DiodeClipper,
    "op_amp_fuzz": OpAmpFuzz,
    "optical_compressor": OpticalCompressor,
    "tube_preamp": TubePreamp,
}

CIRCUIT_NAMES = tuple(_CIRCUITS)
"""The circuits that can be profiled or stand in a chain."""


class CircuitEffect(KnobProcessor):
    """A circuit by name, its knobs set by plain values, each channel through one of its own.

    What it holds back of a stream, it returns when it is flushed. Raises GearError for an unknown name.
    """

    def __init__(self, name: str, settings: KnobSettings | None = None) -> None:
        self.name, self.knobs = name, circuit_knobs(name)
        self._settings = default_settings(self.knobs)
        self._begin()
        for knob, value in (settings or {}).items():
            self.turn(knob, value)

    def turn(self, knob: str, value: float | str) -> None:
        """Turn a knob, effective from the next frame fed. Raises KnobError."""
        found = find_knob(self.knobs, knob)
        self._settings[found.id] = found.checked(value)
        self._turns.append((self._fed, found.id, float(self._settings[found.id])))

    def reset(self) -> None:
        """Discharge everything; the knobs stay where they are."""
        self._begin()

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready; the first frames are held back, as oversampling looks ahead.

        Raises AudioError when channels or rate change within a stream, or for dry that is not finite.
        """
        if not self._channels:
            self._start(audio.shape[0], sample_rate)
        check_same_stream(audio, sample_rate, channels=len(self._channels), begun_at=self._sample_rate)
        if not np.isfinite(audio).all():
            raise AudioError(f"The circuit {self.name} was fed NaN or infinity. Look for what made it.")
        return self._played(audio)

    def flush(self) -> Samples:
        """Return what is still due, by playing silence after the end."""
        due, channels = self._fed - self._returned, max(len(self._channels), 1)
        rest = np.zeros((channels, 0), np.float32)
        if due:
            behind = 2 * self._channels[0].behind
            rest = self._played(np.zeros((channels, behind), np.float32))[:, :due]
        self.reset()
        return rest

    def _begin(self) -> None:
        self._circuits: list[Circuit] = []
        self._channels: list[Oversampled] = []
        self._sample_rate = self._fed = self._returned = 0
        self._turns: list[tuple[int, str, float]] = []

    def _start(self, channels: int, sample_rate: int) -> None:
        kind = _CIRCUITS[self.name]
        factor = max(math.ceil(kind.least_rate / sample_rate), 1)
        self._circuits = [kind(factor * sample_rate) for _ in range(channels)]
        self._channels = [Oversampled(circuit.play, factor) for circuit in self._circuits]
        self._sample_rate = sample_rate
        self._turns = [(0, knob, float(value)) for knob, value in self._settings.items()]

    def _played(self, dry: Samples) -> Samples:
        """Feed the channels up to each turn, so that a circuit hears it at the very frame."""
        pieces: list[list[Wave]] = []
        start, behind = 0, self._channels[0].behind
        while start < dry.shape[1] or not pieces:
            heard = self._fed - behind
            while self._turns and self._turns[0][0] <= max(heard, 0):
                _, knob, value = self._turns.pop(0)
                for circuit in self._circuits:
                    circuit.turn(knob, value)
            stop = dry.shape[1]
            if self._turns:
                stop = min(stop, start + self._turns[0][0] - heard)
            wide = dry[:, start:stop].astype(np.float64)
            pieces.append([each.feed(row) for each, row in zip(self._channels, wide, strict=True)])
            self._fed += stop - start
            start = stop
        wet = np.concatenate([np.asarray(piece) for piece in pieces], axis=1).astype(np.float32)
        self._returned += wet.shape[1]
        return wet


def circuit_knobs(name: str) -> tuple[Knob, ...]:
    """Return the knobs of a circuit. Raises GearError that lists the circuits there are."""
    if name not in _CIRCUITS:
        raise GearError(f"There is no circuit {name!r}. There are: {', '.join(CIRCUIT_NAMES)}.")
    return _CIRCUITS[name].knobs
