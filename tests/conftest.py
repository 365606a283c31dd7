"""What many tests start from: a small real capture, and a profile trained on it for a few steps."""

import shutil
from pathlib import Path

import pytest

import profiler
from capture.plan import moving_plan
from capture.plugin_rig import PluginRig, choose_knobs, open_gear
from capture.recorder import record
from profiler.session import CaptureSession
from profiler.session_folder import SessionFolder
from profiler.training import Schedule, TrainingPlan, train

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
SAMPLE_RATE = 48_000


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of a distortion's drive: half a minute of moving knob, held-out takes and a replicate. Read only."""
    path = tmp_path_factory.mktemp("captured") / "session"
    gear = open_gear("pedalboard:Distortion")
    knobs = choose_knobs(gear, ["drive_db=0:40"])
    rig = PluginRig(gear, knobs, sample_rate=SAMPLE_RATE)
    folder = SessionFolder.create(path, CaptureSession(gear=gear, knobs=knobs, sample_rate=SAMPLE_RATE))
    record(folder, rig, moving_plan(knobs, sample_rate=SAMPLE_RATE, minutes=0.6, replicate=True))
    return path


@pytest.fixture
def session(captured: Path, tmp_path: Path) -> SessionFolder:
    """A copy of the captured session to do anything with."""
    shutil.copytree(captured, tmp_path / "session")
    return SessionFolder.open(tmp_path / "session")


@pytest.fixture(scope="session")
def trained(captured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile file trained on the captured session for 60 steps. Read only."""
    path = tmp_path_factory.mktemp("trained") / "drive.tonecast"
    loaded = train(SessionFolder.open(captured), TrainingPlan(schedule=Schedule(steps=60)), path)
    profiler.save(path, loaded)
    return path


@pytest.fixture
def shared_data() -> Path:
    """The folder of real recordings; tests that need it are skipped where it is not."""
    if not (SHARED_DATA / "dry").is_dir():
        pytest.skip(f"no real recordings at {SHARED_DATA}")
    return SHARED_DATA
