"""The page of a report: one HTML file with everything in it."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np
import soundfile
from plotly.offline import get_plotlyjs

from profiler.audio import Samples
from profiler.evaluation import RenderedTake
from profiler.profile import Profile
from profiler.report.figures import Figure, learning_curve, spectra, waveforms
from profiler.score import Score
from profiler.session import described
from profiler.storage import write_bytes

__all__ = ["write_report"]

_EXCERPT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class _Player:
    """A sound to listen to, as a data URL of a FLAC file."""

    name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One take to look at and listen to."""

    take: int
    settings: str
    esr: float | None
    players: tuple[_Player, ...]
    spectrum: Figure
    waveform: Figure


def write_report(path: Path, profile: Profile, score: Score, rendered: Sequence[RenderedTake]) -> None:
    """Write a self-contained page on a profile: its score by take, worst first, and the rendered takes in that order.

    Raises StorageError.
    """
    esr = {row.take: row.esr for row in score.takes}
    order = [row.take for row in score.takes]
    cases = [_case(profile, each, esr.get(each.take.number)) for each in rendered]
    cases.sort(key=lambda case: order.index(case.take))
    curve = learning_curve(profile.provenance.curve)
    figures = {"curve": curve}
    for case in cases:
        figures |= {f"spectrum-{case.take}": case.spectrum, f"waveform-{case.take}": case.waveform}
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("profiler.report", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("report.html.jinja").render(
        profile=profile,
        score=score,
        cases=cases,
        described=described,
        # "</" would end the script element it stands in; JSON may write it otherwise.
        figures=json.dumps(figures, allow_nan=False).replace("</", "<\\/"),
        plotly=get_plotlyjs(),
    )
    write_bytes(path, page.encode())


def _case(profile: Profile, rendered: RenderedTake, esr: float | None) -> _Case:
    wet, learnt = rendered.wet.mean(axis=0), rendered.predicted.mean(axis=0)
    start, stop = _loudest(wet, int(_EXCERPT_SECONDS * profile.sample_rate))
    sounds = {"dry": rendered.dry.mean(axis=0), "gear": wet, "learnt": learnt}
    # One gain for gear and learnt alike, so that a difference in level is heard as one.
    gain = 0.9 / max(float(np.abs(wet).max()), float(np.abs(learnt).max()), 1e-6)
    return _Case(
        take=rendered.take.number,
        settings=described(profile.knobs, rendered.take.settings),
        esr=esr,
        players=tuple(
            _Player(name=name, url=_flac(sound[start:stop] * (1 if name == "dry" else gain), profile.sample_rate))
            for name, sound in sounds.items()
        ),
        spectrum=spectra(wet, learnt, profile.sample_rate),
        waveform=waveforms(wet, learnt, profile.sample_rate),
    )


def _loudest(samples: Samples, length: int) -> tuple[int, int]:
    length = min(length, len(samples))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    start = int(np.argmax(energy[length:] - energy[: len(energy) - length]))
    return start, start + length


def _flac(samples: Samples, sample_rate: int) -> str:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), sample_rate, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(buffer.getvalue()).decode()
