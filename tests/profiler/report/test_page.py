"""The page: what is in it, whatever names, takes and sessions it is about."""

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from profiler.audio import Audio
from profiler.evaluation import scored
from profiler.profile import LoadedProfile
from profiler.report import write_report
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder

RATE = 48_000


@pytest.fixture(scope="session")
def page(report: Path) -> str:
    """The page as text."""
    return report.read_text()


def test_names_are_not_code(page: str):
    """What a stranger writes into a profile is shown, never run, and the script that runs is the one allowed."""
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert page.count("<script") == 2
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    allowed = re.search(r"script-src (?:&#39;|')sha256-([^'&]+)", page)[1]
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() == allowed


def test_nothing_is_loaded(page: str):
    """No address is in it but those of data."""
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:|//)""", page)
    assert "@import" not in page


def test_players_hold_sound_of_equal_loudness(page: str):
    """Every player decodes; gear and learnt have one stored gain, and none plays beyond full scale."""
    sounds = json.loads(re.search(r'id="sounds">(.*?)</script>', page, re.DOTALL)[1])
    assert sounds
    for each in sounds:
        decoded = {
            name: soundfile.read(io.BytesIO(base64.b64decode(each[name]["flac"])))[0]
            for name in ("dry", "gear", "learnt")
        }
        assert len({len(sound) for sound in decoded.values()}) == 1
        for name, sound in decoded.items():
            assert np.abs(sound).max() * max(each[name]["equal_gain"], each[name]["true_gain"]) <= 1
        assert each["gear"]["true_gain"] == each["learnt"]["true_gain"]


def test_it_says_how_close(page: str):
    """Grade, scores, latency, polarity, offset and aliasing are told in words."""
    for words in (
        "below the sound itself",
        "Latency of the recordings",
        "Polarity",
        "DC in the recordings",
        "Aliasing",
    ):
        assert words in page
    assert "in order" in page
    assert "NOT in order" not in page


def test_without_a_session(convolutional: Callable[..., LoadedProfile], tmp_path: Path):
    """The profile alone has its tones and knobs, and the page says what a session would add."""
    written = write_report(tmp_path / "r.html", convolutional(), None)
    page = (tmp_path / "r.html").read_text()
    assert written.takes == ()
    assert "--session" in page
    assert "Static curve" in page
    assert page.count("Learnt, only this knob turned") >= 3
    assert 'class="abx"' not in page


@pytest.mark.parametrize("kind", ["silent", "one frame", "stereo"])
def test_odd_takes(kind: str, convolutional: Callable[..., LoadedProfile], tmp_path: Path):
    """A take that holds next to nothing, which is not shown in full, or two channels, is no reason to fail."""
    loaded = convolutional()
    frames = 1 if kind == "one frame" else RATE
    dry = np.random.default_rng(1).normal(0, 0.1, (1, frames)).astype(np.float32)
    wet = np.repeat(dry * 0.5, 2, axis=0) if kind == "stereo" else dry * 0.5
    if kind == "silent":
        wet = wet * 0
    session = CaptureSession(gear=Gear(name="Odd", kind="files"), knobs=loaded.profile.knobs, sample_rate=RATE)
    folder = SessionFolder.create(tmp_path / "session", session)
    number = folder.add_dry(Audio(samples=dry, sample_rate=RATE), None)
    take = Take(number=0, dry=number, file="", sha256="", frames=0, settings=loaded.profile.golden_settings)
    folder.add_take(take, Audio(samples=wet, sample_rate=RATE))
    loaded, score = scored(loaded, folder)
    written = write_report(tmp_path / "r.html", loaded, score, folder=folder)
    assert "nan" not in re.sub(r"[a-z]*nan[a-z]+", "", (tmp_path / "r.html").read_text().split("<script")[0])
    assert written.takes == ((0,) if kind == "stereo" else ())
