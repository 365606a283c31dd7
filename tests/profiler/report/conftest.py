"""One report on a small capture, for all tests that look at it."""

from dataclasses import replace
from pathlib import Path

import pytest

import profiler
from profiler.evaluation import scored
from profiler.report import write_report
from profiler.session_folder import SessionFolder

HOSTILE = '</script><script>alert("x")</script><!--'


@pytest.fixture(scope="session")
def report(trained: Path, captured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a profile whose name, gear and knob came from somebody unfriendly. Read only."""
    loaded, folder = profiler.load(trained), SessionFolder.open(captured)
    loaded, score = scored(loaded, folder, only_unseen=True)
    knobs = tuple(replace(knob, name=HOSTILE) for knob in loaded.profile.knobs)
    gear = replace(loaded.profile.gear, name=HOSTILE)
    loaded = replace(loaded, profile=replace(loaded.profile, name=HOSTILE, gear=gear, knobs=knobs))
    path = tmp_path_factory.mktemp("report") / "report.html"
    written = write_report(path, loaded, score, folder=folder)
    assert written.bytes == path.stat().st_size
    assert written.takes[0] == score.takes[0].take
    return path
