"""The house: imports point down, and the map that people read is the one that is enforced."""

import re
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_imports_point_down():
    """Every contract in pyproject.toml holds."""
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


def test_the_map_is_the_enforced_one():
    """CONTRIBUTING's layers, from the top, are import-linter's."""
    rows = re.findall(r"^\| (`.*?) \|.*\|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    shown = [set(re.findall(r"`(\w+)`", row)) for row in rows]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each.get("exhaustive"))
    assert shown == [set(layer.split(" | ")) for layer in layers]


def test_modules_say_what_they_are():
    """Every module opens with a line that completes "this is"."""
    for package in ("profiler", "capture", "api", "tonecast", "presets"):
        for path in (ROOT / package).rglob("*.py"):
            assert path.read_text().startswith('"""'), path
