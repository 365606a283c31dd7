"""`tonecast check`: the page, the JSON and the exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from profiler.session_folder import SessionFolder
from tonecast.cli import run

RATE = 48_000
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs the command in a terminal of 100 columns; it returns exit code and standard output."""
    monkeypatch.setenv("COLUMNS", "100")

    def ran(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()  # what came before is not the page
        code = run(["check", *(str(each) for each in arguments)])
        return code, capsys.readouterr().out

    return ran


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """A function that brings dry and wet arrays into a session through `tonecast capture files`."""

    def made(*wets: np.ndarray, dry: np.ndarray) -> Path:
        lines = ["dry,wet,gain"]
        soundfile.write(tmp_path / "dry.wav", dry, RATE, subtype="FLOAT")
        for number, wet in enumerate(wets):
            soundfile.write(tmp_path / f"wet{number}.wav", wet, RATE, subtype="FLOAT")
            lines.append(f"dry.wav,wet{number}.wav,{number}")
        (tmp_path / "takes.csv").write_text("\n".join(lines))
        assert run(["capture", "files", str(tmp_path / "takes.csv"), "--out", str(tmp_path / "session")]) == 0
        return tmp_path / "session"

    return made


def test_a_good_session(captured: Path, check: Run):
    """A plugin's capture passes: exit 0, the best ESR, and the command to go on with."""
    code, page = check(captured)
    assert code == 0
    assert "Distortion: 4 takes" in page
    assert "Training makes sense. Best possible ESR: below 0.000001" in page
    assert f"Next: tonecast train {captured}" in page.replace("\n", "")
    assert "Traceback" not in page


def test_json_is_one_object_with_every_figure(captured: Path, check: Run):
    """What the page says and more, with nothing else on standard output."""
    code, out = check(captured, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["makes_sense"] is True
    assert found["floor_source"] == "replicate"
    assert found["floor"] == 0
    assert found["best_esr"] < 1e-6
    assert [each["knob"] for each in found["knobs"]] == ["drive_db"]
    assert found["knobs"][0]["verdict"] in {"works", "cannot tell"}  # half a minute of movement is little
    assert {"take", "peak_db", "noise_db", "latency_frames", "drift_ppm", "findings"} <= set(found["takes"][0])


def test_bad_news_comes_first_and_fits(table: Callable[..., Path], check: Run):
    """Errors stand above warnings and notes, alike ones in one row, no line is wider than 100 columns; exit 1."""
    rng = np.random.default_rng(0)
    dry = rng.normal(0, 0.1, 6 * RATE)
    session = table(*(np.clip(gain * dry, -1, 1) for gain in (0.005, 15, 20, 25)), dry=dry)
    code, page = check(session)
    assert code == 1
    assert "Training makes no sense yet: 3 of 4 takes cannot be used" in page
    assert "✗  1-3" in page
    assert page.index("✗") < page.index("!")
    assert max(len(line) for line in page.splitlines()) <= 100
    assert "Next: tonecast train" not in page


def test_a_knob_named_like_markup(session: SessionFolder, check: Run):
    """A session read from disk is printed as it is, whatever its gear is called."""
    path = session.path / "session.json"
    path.write_text(path.read_text().replace('"Distortion"', '"[bold]Fuzz[/]"'))
    _, page = check(session.path)
    assert "[bold]Fuzz[/]" in page


@pytest.mark.parametrize("content", [None, "{}", "not JSON"])
def test_what_is_no_session_gets_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None):
    """A folder without a session, or with a damaged one: exit 1 and a message, no traceback."""
    if content is not None:
        (tmp_path / "session.json").write_text(content)
    assert run(["check", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tonecast: ")


@pytest.mark.parametrize("name", ["gx_ts9", "invada_compressor", "panama_amp"])
def test_real_sets_pass_without_a_false_alarm(shared_data: Path, tmp_path: Path, check: Run, name: str):
    """Recordings by others of gear that profiles learn: nothing but notes, a forecast below what training reached."""
    table = shared_data / "pairs" / name / "takes.csv"
    lines = table.read_text().splitlines()
    few = [lines[0], *lines[1::9]]
    for number, line in enumerate(few[1:], 1):
        dry, wet, *settings = line.split(",")
        few[number] = ",".join([str(table.parent / dry), str(table.parent / wet), *settings])
    (tmp_path / "takes.csv").write_text("\n".join(few))
    assert run(["capture", "files", str(tmp_path / "takes.csv"), "--out", str(tmp_path / "session")]) == 0
    code, out = check(tmp_path / "session", "--json")
    found = json.loads(out.splitlines()[-1])
    assert code == 0
    assert (found["best_esr"] or 0) < 0.0012
    assert [each for take in found["takes"] for each in take["findings"] if each["severity"] != "note"] == []
