"""Windows of a recording along a line of lag: how each differs from what all say together, and in which bands."""

import functools
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from profiler.recording import Recording
from profiler.timing.lag_line import LagLine, lay_line
from profiler.timing.lateness import whitened
from profiler.timing.transfer import Transfer
from profiler.varispeed import read_along

__all__ = ["REACH", "Windows", "peak_place"]

REACH = 48
"""Frames by which a window may come earlier or later than the line says."""

_LEAST_ERROR = 0.02
_PARTS = np.arange(-8, 9) / 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """Windows read along a line: their middles, what all say together, and how each differs from that in frames.

    `at`, `left`, `error` and `between_bands` are of shape (windows,). `between_bands` is by how many frames more the
    lower half of what is heard differs than the upper: clocks delay all bands alike, gear does not.
    """

    at: NDArray[np.float64]
    left: NDArray[np.float64]
    error: NDArray[np.float64]
    between_bands: NDArray[np.float64]
    transfer: Transfer
    start: float
    slope: float

    @classmethod
    def read(cls, dry: Recording, wet: Recording, line: LagLine, *, size: int) -> "Windows":
        """Read the windows of a line, each of `size` frames."""
        still = abs(line.slope) * np.ptp(line.at) < 1
        lag, slope = (
            (float(round(float(np.median(line.start + line.slope * line.at)))), 0.0)
            if still
            else (line.start, line.slope)
        )
        crosses, transfers = [], []
        taper = np.hanning(size)
        for centre in line.at:
            start = int(centre) - size // 2
            one = dry.read(start, size).astype(np.float64)
            along = read_along(wet, start=start + lag + slope * start, step=1 + slope, frames=size)
            other = np.concatenate(list(along)).astype(np.float64)
            transfers.append(Transfer.of(one, other))
            crosses.append(fft.rfft(other * taper) * np.conj(fft.rfft(one * taper)))
        total = _together(transfers, line.at, size)
        template = np.sum(crosses, axis=0)
        told = np.asarray([_told(cross, template, total, size) for cross in crosses])
        left, error, between = told.T
        return cls(at=line.at, left=left, error=error, between_bands=between, transfer=total, start=lag, slope=slope)

    def corrected(self) -> LagLine:
        """Return the line laid anew through what the windows say."""
        return lay_line(self.at, self.start + self.slope * self.at + self.left)


def _together(transfers: list[Transfer], at: NDArray[np.float64], size: int) -> Transfer:
    """Return the average transfer. Windows lie closely about the anchor: what two share tells no more than once."""
    total = transfers[0]
    for each in transfers[1:]:
        total = total + each
    apart = float(np.minimum(np.diff(np.sort(at)), size).sum()) + size
    return replace(total, windows=total.windows * apart / (size * len(at)))


def _told(
    cross: NDArray[np.complex128], template: NDArray[np.complex128], transfer: Transfer, size: int
) -> tuple[float, float, float]:
    """Return by how many frames one window comes later than the template, how well that is known, and the bands'."""
    bins = np.linspace(0, 1, len(cross))
    coherence = np.interp(bins, np.linspace(0, 1, len(transfer.coherence)), transfer.coherence)
    weighted = coherence**2 * whitened(cross * np.conj(template))
    apart, peak = peak_place(weighted, size)
    # How far the phases scatter about the peak tells how well its place is known (Cramer and Rao's bound).
    share = np.abs(weighted)
    total = float(share.sum()) + 1e-30
    scatter = math.sqrt(-2 * math.log(min(max(peak / total, 1e-3), 0.9999)))
    width = math.sqrt(float(np.sum(share * (np.arange(len(share)) / size) ** 2)) / total) + 1e-9
    independent = total**2 / (float(np.sum(share**2)) + 1e-30)
    error = scatter / (2 * math.pi * width * math.sqrt(independent)) + _LEAST_ERROR
    is_low = np.cumsum(share) < total / 2
    lower, upper = (peak_place(np.where(band, weighted, 0), size)[0] for band in (is_low, ~is_low))
    return apart, error, lower - upper


def peak_place(weighted: NDArray[np.complex128], size: int) -> tuple[float, float]:
    """Return the place of the highest peak, within `REACH`, of a correlation given by its spectrum, and its height."""
    match = fft.irfft(weighted, size)
    near = np.concatenate([match[-REACH:], match[: REACH + 1]])
    whole = int(np.argmax(near)) - REACH
    # Between frames the peak of a band-limited correlation is found by evaluating it there.
    bins = np.arange(len(weighted)) / size
    height = np.real((weighted * np.exp(2j * np.pi * whole * bins)) @ _turns(len(weighted), size))
    best = int(np.clip(np.argmax(height), 1, len(height) - 2))
    before, peak, after = height[best - 1 : best + 2]
    bend = before - 2 * peak + after
    return whole + float(_PARTS[best]) + (float(0.5 * (before - after) / bend) / 8 if bend else 0.0), float(peak)


@functools.lru_cache(maxsize=2)  # the windows of a session are of one size; working this out took most of a check
def _turns(bins: int, size: int) -> NDArray[np.complex128]:
    """Return what turns a spectrum by each part of a frame, of shape (bins, parts)."""
    turns: NDArray[np.complex128] = np.exp(2j * np.pi * np.outer(np.arange(bins) / size, _PARTS))
    return turns
