"""Figures of a report, as plotly's JSON."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from profiler.audio import Samples
from profiler.profile import CurvePoint

__all__ = ["Figure", "learning_curve", "spectra", "waveforms"]

Figure: TypeAlias = dict[str, Any]
Series: TypeAlias = NDArray[np.floating[Any]]

_WET, _LEARNT, _DIFFERENCE = "#2a6fdb", "#e8590c", "#868e96"
_WAVEFORM_SECONDS = 0.03
_BANDS_AN_OCTAVE = 12


def learning_curve(curve: Sequence[CurvePoint]) -> Figure:
    """Return the error on watched audio against training time."""
    trace = {
        "x": [point.seconds for point in curve],
        "y": [point.esr for point in curve],
        "mode": "lines+markers",
        "line": {"color": _LEARNT},
        "name": "error",
    }
    return _figure([trace], x={"title": "seconds of training"}, y={"title": "ESR on watched audio", "type": "log"})


def spectra(wet: Samples, learnt: Samples, sample_rate: int) -> Figure:
    """Return the mean spectra of wet, learnt and difference, in twelfth-octave bands, for mono (frames,)."""
    traces = [
        _line(*_bands(samples, sample_rate), name, colour)
        for name, samples, colour in (
            ("gear", wet, _WET),
            ("learnt", learnt, _LEARNT),
            ("difference", wet - learnt, _DIFFERENCE),
        )
    ]
    top = max(max(trace["y"]) for trace in traces)
    return _figure(
        traces,
        x={"title": "Hz", "type": "log", "range": [np.log10(30), np.log10(min(20_000, sample_rate / 2))]},
        y={"title": "dB", "range": [top - 90, top + 5]},
    )


def waveforms(wet: Samples, learnt: Samples, sample_rate: int) -> Figure:
    """Return thirty milliseconds of gear and learnt laid over each other where it is loudest, for mono (frames,)."""
    length = min(int(_WAVEFORM_SECONDS * sample_rate), len(wet))
    loudest = int(np.argmax(np.abs(wet)))
    start = int(np.clip(loudest - length // 3, 0, len(wet) - length))
    seconds = np.round((start + np.arange(length)) / sample_rate, 6)
    traces = [
        _line(seconds, samples[start : start + length], name, colour)
        for name, samples, colour in (
            ("gear", wet, _WET),
            ("learnt", learnt, _LEARNT),
            ("difference", wet - learnt, _DIFFERENCE),
        )
    ]
    return _figure(traces, x={"title": "seconds"}, y={"title": "amplitude"})


def _bands(samples: Samples, sample_rate: int) -> tuple[Series, Series]:
    """Return centre frequencies in Hz and levels in dB of the bands that hold at least one bin."""
    frequency, power = signal.welch(samples, sample_rate, nperseg=min(8192, len(samples)))
    band = np.round(_BANDS_AN_OCTAVE * np.log2(np.maximum(frequency, 1e-3) / 1000)).astype(int)
    audible = (frequency >= 25) & (frequency < 0.499 * sample_rate)
    bands = np.unique(band[audible])
    level = np.asarray([power[audible & (band == each)].mean() for each in bands])
    centre = 1000 * 2.0 ** (bands / _BANDS_AN_OCTAVE)
    return centre, 10 * np.log10(np.maximum(level, 1e-20))


def _line(x: Series, y: Series, name: str, colour: str) -> dict[str, Any]:
    return {
        "x": [float(f"{value:.6g}") for value in x],
        "y": [float(f"{value:.5g}") for value in y],
        "mode": "lines",
        "name": name,
        "line": {"color": colour, "width": 1.5},
    }


def _figure(traces: list[dict[str, Any]], *, x: dict[str, Any], y: dict[str, Any]) -> Figure:
    layout = {
        "margin": {"l": 60, "r": 10, "t": 10, "b": 45},
        "height": 280,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "y": 1.15},
        "xaxis": x | {"title": {"text": x["title"]}},
        "yaxis": y | {"title": {"text": y["title"]}},
    }
    return {"data": traces, "layout": layout}
