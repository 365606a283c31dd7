"""What listeners go by, beside the energy of the error: spectra, timbre and loudness of a signal and a prediction."""

from profiler.listening.running import RunningListening

__all__ = ["RunningListening"]
