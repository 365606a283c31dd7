"""Building: a wheel comes out with and without a compiler, and the engine compiles for processors that are not here."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "engine"
SHIPPED = (".tonecast", ".json")
CROSS = "aarch64-linux-gnu-g++"


@pytest.mark.slow
def test_without_a_compiler_there_is_a_wheel_all_the_same(tmp_path: Path):
    """Where the compiler fails the wheel is plain Python, without the engine and with all else, presets too."""
    tree = tmp_path / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "build", ".*cache", "demo"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, tree]
    subprocess.run(command, check=True, env={**os.environ, "CXX": "false"}, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "profiler/effects/convolution.py" in names
    shipped = {path.relative_to(ROOT).as_posix() for path in (ROOT / "presets").rglob("*") if path.suffix in SHIPPED}
    assert len(shipped) > 20
    assert shipped <= set(names)
    assert not [name for name in names if name.startswith("profiler/_engine.") and not name.endswith(".pyi")]


@pytest.mark.slow
def test_the_engine_compiles_for_arm(tmp_path: Path, missing: Callable[[str, str], None]):
    """The kernels for NEON, and all that is not for one processor alone, compile with nothing to warn of."""
    if shutil.which(CROSS) is None:
        missing("engine", f"{CROSS} is not installed (Debian and Ubuntu: g++-aarch64-linux-gnu)")
    for name in ("kernels_neon.cpp", "kernels_plain.cpp", "network.cpp"):
        flags = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-DTONECAST_NEON", "-ffp-contract=fast"]
        subprocess.run([CROSS, *flags, "-c", ENGINE / name, "-o", tmp_path / "out.o"], check=True, timeout=300)
