"""The report."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import profiler
from profiler.evaluation import render_take, scored, scored_spans
from profiler.report import write_report
from profiler.report.figures import spectra, waveforms
from profiler.session_folder import SessionFolder

HOSTILE = '</script><script>alert("x")</script>'


@pytest.fixture
def page(trained: Path, captured: Path, tmp_path: Path) -> str:
    """A report on a profile whose name, gear and knob came from somebody unfriendly."""
    loaded, folder = profiler.load(trained), SessionFolder.open(captured)
    loaded, score = scored(loaded, folder, only_unseen=True)
    spans = [span for span in scored_spans(loaded.profile, folder.session) if span.take > 0]
    rendered = [render_take(loaded, folder, span) for span in spans]
    knobs = tuple(replace(knob, name=HOSTILE) for knob in loaded.profile.knobs)
    gear = replace(loaded.profile.gear, name=HOSTILE)
    profile = replace(loaded.profile, name=HOSTILE, gear=gear, knobs=knobs)
    write_report(tmp_path / "report.html", profile, score, rendered)
    return (tmp_path / "report.html").read_text()


def test_names_are_not_code(page: str):
    """What a stranger writes into a profile is shown, never run."""
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_light_size_has_its_line(page: str):
    """Where there is a light effect, the page says what it scores and what each size costs."""
    assert re.search(
        r"The light size scores\s+0\.\d+; it takes\s+5320 multiply-adds a frame, the full one 11712\.", page
    )


def test_figures_are_data(page: str):
    """Every figure that the page asks for is in it, as JSON with numbers."""
    figures = json.loads(re.search(r"const figures = (.*);\n", page)[1])
    wanted = re.findall(r'data-figure="([\w-]+)"', page)
    assert sorted(wanted) == sorted(figures)
    assert "curve" in wanted
    for figure in figures.values():
        assert all(np.isfinite(trace["y"]).all() for trace in figure["data"])


def test_spectrum_finds_a_tone():
    """A tone of 1 kHz peaks at 1 kHz, and a difference of nothing lies far below it."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000).astype(np.float32)
    gear, learnt, difference = spectra(tone, tone, 48_000)["data"]
    assert gear["x"][int(np.argmax(gear["y"]))] == pytest.approx(1000, rel=0.06)
    assert learnt["y"] == gear["y"]
    assert max(difference["y"]) < max(gear["y"]) - 100


@pytest.mark.parametrize("frames", [1, 100, 48_000])
def test_waveform_shows_the_loudest_place(frames: int):
    """The excerpt holds the peak, however short the take."""
    samples = np.zeros(frames, np.float32)
    samples[frames * 2 // 3] = 0.5
    figure = waveforms(samples, samples, 48_000)
    assert max(figure["data"][0]["y"]) == 0.5
