"""What many tests start from: a small real capture, and a profile trained on it for a few steps."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import profiler
from capture.plan import moving_plan
from capture.plugin_rig import PluginRig, choose_knobs, open_gear
from capture.recorder import record
from profiler.errors import GearError
from profiler.plugins.lilv import World
from profiler.session import CaptureSession
from profiler.session_folder import SessionFolder
from profiler.training import Schedule, TrainingPlan, train

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
SAMPLE_RATE = 48_000
GUITARIX = "http://guitarix.sourceforge.net/plugins/"


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


@pytest.fixture(scope="session")
def missing() -> Callable[[str, str], None]:
    """What a test calls that lacks a part of this machine: part, and reason.

    It skips the test, or fails it where the part is among those in TONECAST_REQUIRE, such as `lv2,vst3,cc`.
    """

    def tell(part: str, reason: str) -> None:
        if part in os.environ.get("TONECAST_REQUIRE", "").split(","):
            pytest.fail(f"TONECAST_REQUIRE asks for {part}, but: {reason}")
        pytest.skip(reason)

    return tell


@pytest.fixture(scope="session")
def lv2(missing: Callable[[str, str], None]) -> None:
    """LV2 plugins of guitarix and ZAM, and the library that finds them; tests are skipped without them."""
    try:
        installed = World().uris()
    except GearError as error:
        missing("lv2", str(error))
        raise
    for uri, package in ((GUITARIX + "gxts9#ts9sim", "guitarix-lv2"), ("urn:zamaudio:ZamTube", "zam-plugins")):
        if uri not in installed:
            missing("lv2", f"no LV2 plugin {uri} (Debian and Ubuntu: {package})")


@pytest.fixture(scope="session")
def vst3(missing: Callable[[str, str], None]) -> Path:
    """The folder of ZAM's VST3 plugins; tests are skipped without them."""
    folder = Path("/usr/lib/vst3")
    if not (folder / "ZamTube.vst3").exists():
        missing("vst3", f"no ZamTube.vst3 in {folder} (Debian and Ubuntu: zam-plugins)")
    return folder
