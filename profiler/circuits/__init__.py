"""Circuits simulated from their components' values: gear that anyone can rebuild, with knobs that turn."""

from profiler.circuits.circuit_effect import CIRCUIT_NAMES, CircuitEffect, circuit_knobs

__all__ = ["CIRCUIT_NAMES", "CircuitEffect", "circuit_knobs"]
