"""A disk that really fills up, a profile of a few weights, gear that swings both ways, and how hypothesis is used."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from scipy import signal

from profiler.effects import RecurrentEffect
from profiler.knob import Knob
from profiler.profile import LoadedProfile, Profile, Provenance, Stage
from profiler.profile_file import save
from profiler.session import Gear

settings.register_profile("tonecast", deadline=None, derandomize=True, database=None)
settings.load_profile("tonecast")


@dataclass(frozen=True)
class SmallDisk:
    """A file system of one megabyte, and the ballast that fills it."""

    path: Path

    def fill(self, *, leave: int = 0) -> None:
        """Take all space but `leave` bytes."""
        found = os.statvfs(self.path)
        (self.path / "ballast").write_bytes(bytes(found.f_bavail * found.f_frsize - leave))

    def free(self) -> None:
        """Give the space back."""
        (self.path / "ballast").unlink()

    def scratch_files(self) -> list[Path]:
        """Return what a writer left behind that is not a finished file."""
        return [path for path in self.path.rglob(".*") if path.is_file()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A real disk of one megabyte; tests that need it are skipped where none can be mounted."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("no small disk: this system has no mount command")
    folder = tmp_path / "small"
    folder.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode:
        pytest.skip(f"no small disk: {done.stderr.strip()} (mounting one takes root on Linux)")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def whole() -> LoadedProfile:
    """A whole profile of a few weights. Read only."""
    torch.manual_seed(1)
    effect = RecurrentEffect(knob_positions=1, hidden=2, features=2, shaper=2)
    rng = np.random.default_rng(1)
    profile = Profile(
        name="Drive",
        gear=Gear(name="Pedal", kind="plugin"),
        knobs=(Knob(id="drive", name="Drive"),),
        sample_rate=48_000,
        stages=(Stage(kind="recurrent", config=effect.config, prefix="0."),),
        latency_frames=0,
        golden_settings={"drive": 0.5},
        provenance=Provenance(
            learnt=(),
            hold_outs=(),
            seed=0,
            steps=1,
            seconds=0.0,
            audio_seconds=0.0,
            limited_by="steps",
            curve=(),
            versions={},
        ),
    )
    return LoadedProfile(
        profile=profile,
        weights={"0." + name: tensor.numpy() for name, tensor in effect.state_dict().items()},
        golden_dry=rng.normal(0, 0.5, (1, 480)).astype(np.float32),
        golden_wet=rng.normal(0, 0.5, (1, 480)).astype(np.float32),
    )


@pytest.fixture
def saved(whole: LoadedProfile, tmp_path: Path) -> Path:
    """That profile, saved."""
    save(tmp_path / "drive.tonecast", whole)
    return tmp_path / "drive.tonecast"


@pytest.fixture
def two_sided():
    """Return a clipper, at 48 kHz, that swings down at once and up six frames later, further when it is loud."""

    def played(dry, later_share: float = 1.2):
        band = 6 * signal.lfilter(*signal.butter(1, [200, 6000], "band", fs=48_000), dry)
        up = np.concatenate([np.zeros(6), np.tanh(band)[:-6]])
        return (later_share * up - 1.6 * np.clip(band, -0.9, 0.25)).astype(np.float32)

    return played
