"""A library whose processes are killed while it is used loses nothing: `benchmarks/library_crashes.py`, in short.

What kills do to trainings is in test_job_workers; here it is uploads, removals, renders, exports and migrations.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VICTIMS = ("all", "migration")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc, which Linux has")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_few_kills_lose_nothing(kind: str, new_settings: Callable, tmp_path: Path):
    """Everything that clients were told is so after each, and rows, files and hashes agree."""
    told, program = tmp_path / "told.json", ROOT / "benchmarks" / "library_crashes.py"
    command = [sys.executable, str(program), "--work", str(tmp_path), "--kills", str(len(VICTIMS)), "--no-train"]
    command += ["--victims", ",".join(VICTIMS), "--json", str(told)]
    database = new_settings(kind, tmp_path / "library").database
    command += ["--database", database] if database else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(told.read_text())[kind]
    assert (figures["flaws"], figures["replies_of_500"], figures["victims"]) == ([], 0, dict.fromkeys(VICTIMS, 1))
    assert figures["told"]["uploaded"] > 0
