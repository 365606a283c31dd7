"""A disk that really fills up, and the way these tests use hypothesis."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

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
