"""Spectrograms as small pictures: frequency in octaves upwards, time to the right, louder is lighter."""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from profiler.audio import Samples

__all__ = ["HIGH_HZ", "LOW_HZ", "loudest_db", "png_url", "spectrogram"]

LOW_HZ, HIGH_HZ = 60.0, 16_000.0
_ROWS, _COLUMNS = 96, 240
_RANGE_DB = 80.0
_SHADES = ((8, 8, 28), (70, 20, 110), (165, 45, 120), (240, 100, 80), (252, 175, 110), (252, 250, 200))


def spectrogram(samples: Samples, sample_rate: int) -> NDArray[np.float64] | None:
    """Return levels in dB of shape (96 bands from 16 kHz down to 60 Hz, times), for mono (frames,).

    None for what is too short to have a spectrum.
    """
    length = min(2048, len(samples))
    if length < 256:
        return None
    hop = max((len(samples) - length) // _COLUMNS, 64)
    frequency, _, power = signal.spectrogram(
        samples.astype(np.float64), sample_rate, nperseg=length, noverlap=max(length - hop, 0), mode="psd"
    )
    wanted = np.geomspace(highest_hz(sample_rate), LOW_HZ, _ROWS)
    rows = np.clip(np.round(wanted / (frequency[1] or 1)).astype(int), 0, len(frequency) - 1)
    return 10 * np.log10(np.maximum(power[rows], 1e-20))


def highest_hz(sample_rate: int) -> float:
    """Return how far up a spectrogram goes."""
    return min(HIGH_HZ, 0.49 * sample_rate)


def loudest_db(levels: NDArray[np.float64]) -> float:
    """Return the level that is drawn lightest: what a thousandth of the picture is beyond."""
    return float(np.percentile(levels, 99.9))


def png_url(levels: NDArray[np.float64], top_db: float) -> str:
    """Return levels as a data URL of a PNG, from 80 dB below `top_db` (dark) up to it (light)."""
    indices = np.clip(np.round((levels - top_db + _RANGE_DB) / _RANGE_DB * 31), 0, 31).astype(np.uint8)
    height, width = indices.shape
    rows = b"".join(b"\x00" + row.tobytes() for row in indices)
    anchors = np.asarray(_SHADES, np.float64)
    palette = np.stack([np.interp(np.linspace(0, 5, 32), range(6), anchors[:, each]) for each in range(3)], axis=1)
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, content)
        for name, content in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", palette.round().astype(np.uint8).tobytes()),
            (b"IDAT", zlib.compress(rows, 9)),
            (b"IEND", b""),
        )
    )
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
