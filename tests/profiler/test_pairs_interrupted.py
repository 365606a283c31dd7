"""Taking in recordings on a full disk and in a process that is killed: the session stays whole and goes on."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from profiler.errors import StorageError
from profiler.pairs import take_in
from profiler.pairs_table import read_pairs_table
from profiler.programme import programme
from profiler.session import CaptureSession, Gear
from profiler.session_folder import SessionFolder

RATE = 48_000
TAKES = 6

TAKE_ALL = """
import sys
from pathlib import Path
from profiler.pairs import take_in
from profiler.pairs_table import read_pairs_table
from profiler.session import CaptureSession, Gear
from profiler.session_folder import SessionFolder

table = read_pairs_table(Path(sys.argv[1]))
session = CaptureSession(gear=Gear(name="Pedal", kind="files"), knobs=table.knobs, sample_rate=48_000)
take_in(SessionFolder.create(Path(sys.argv[2]), session), table)
"""


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A table with six takes of a second and a quarter."""
    folder = tmp_path / "brought"
    folder.mkdir()
    dry = programme(1, sample_rate=RATE, frames=5 * RATE // 4)
    soundfile.write(folder / "dry.wav", dry, RATE, subtype="FLOAT")
    for number in range(TAKES):
        soundfile.write(folder / f"{number}.wav", np.tanh((number + 2) * dry) / 2, RATE, subtype="FLOAT")
    lines = (f"dry.wav,{number}.wav,{number}" for number in range(TAKES))
    (folder / "takes.csv").write_text("\n".join(("dry,wet,drive", *lines)))
    return folder / "takes.csv"


def take_all(table_path: Path, out: Path) -> SessionFolder:
    """Take the table into a session."""
    table = read_pairs_table(table_path)
    session = CaptureSession(gear=Gear(name="Pedal", kind="files"), knobs=table.knobs, sample_rate=RATE)
    folder = SessionFolder.create(out, session)
    take_in(folder, table)
    return folder


def check_whole(path: Path, *, at_least: int) -> None:
    """Every take that the session names is there and is what was recorded."""
    folder = SessionFolder.open(path)
    assert len(folder.session.takes) >= at_least
    for take in folder.session.takes:
        assert folder.wet_of(take).frames == take.frames
        assert folder.dry_of(take).frames == 5 * RATE // 4


def test_a_full_disk(brought, small_disk, tmp_path):
    """What fits is kept, the error says what to do, nothing half-written stays, and more space lets it go on."""
    out = small_disk.path / "session"
    with pytest.raises(StorageError, match="No space left"):
        take_all(brought, out)
    check_whole(out, at_least=1)
    assert [path.name for path in small_disk.scratch_files()] == [".lock"]
    roomier = tmp_path / "roomier"
    shutil.copytree(out, roomier)
    assert take_all(brought, roomier).session == take_all(brought, tmp_path / "whole").session


def test_a_killed_process(brought, tmp_path):
    """A process that is killed while it writes leaves a whole session, and the next one finishes it."""
    out = tmp_path / "killed"
    with subprocess.Popen([sys.executable, "-c", TAKE_ALL, brought, out]) as process:
        while process.poll() is None and not (out / "takes" / "001.wav").is_file():
            time.sleep(0.002)
        process.kill()
    check_whole(out, at_least=1)
    assert take_all(brought, out).session == take_all(brought, tmp_path / "whole").session
    check_whole(out, at_least=TAKES)
