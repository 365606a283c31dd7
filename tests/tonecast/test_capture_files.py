"""`tonecast capture files`, from a folder of recordings to a profile."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import profiler
from profiler.programme import programme
from profiler.session import Gear
from profiler.session_folder import SessionFolder

RATE = 48_000


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder called pedal: three takes of a drive, the second late and upside down, and a silent fourth."""
    folder = tmp_path / "pedal"
    folder.mkdir()
    dry = programme(1, sample_rate=RATE, frames=3 * RATE)
    wets = {drive: np.tanh(dry * drive) / 2 for drive in (1, 4, 8)}
    wets[4] = -np.concatenate([np.zeros(960, np.float32), wets[4]])
    for name, samples in {"dry": dry, "bad": dry * 0, **wets}.items():
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="FLOAT")
    lines = ("dry,wet,drive", "dry.wav,1.wav,1", "dry.wav,bad.wav,2", "dry.wav,4.wav,4", "dry.wav,8.wav,8")
    (folder / "takes.csv").write_text("\n".join(lines))
    return folder


def test_files_to_profile(ran, recordings: Path, tmp_path: Path):
    """A table with one bad row becomes a session, says which row it left out, and trains."""
    out = tmp_path / "session"
    code, said, _ = ran("capture", "files", recordings / "takes.csv", "--out", out, "--json")
    found = json.loads(said)
    assert code == 0
    assert (found["takes"], found["held_out"]) == (3, 0)
    assert found["audio_seconds"] == pytest.approx(9.02)
    assert found["refused"] == [{"line": 3, "reason": "bad.wav is silent. Check what was recorded."}]
    assert [(each["take"], each["kind"]) for each in found["findings"]] == [(1, "latency"), (1, "polarity")]
    session = SessionFolder.open(out).session
    assert session.gear == Gear(name="pedal", kind="files")
    assert [take.settings for take in session.takes] == [{"drive": 1.0}, {"drive": 4.0}, {"drive": 8.0}]
    profile = tmp_path / "p.tonecast"
    arguments = ("--steps", 20, "--hold-out", "time=last:0.2", "--json")
    code, said, _ = ran("train", out, "--out", profile, *arguments)
    found = json.loads(said)
    assert code == 0
    assert found["steps"] == 20
    assert 0 < found["esr"] < 2
    loaded = profiler.load(profile).profile
    assert [knob.id for knob in loaded.knobs] == ["drive"]
    assert len(loaded.score.takes) == 3
    assert not any(row.seen for row in loaded.score.takes)


def test_what_people_read(ran, recordings: Path, tmp_path: Path):
    """Without --json the refusal, the findings and the next step are told, under the name and range that were typed."""
    out = tmp_path / "session"
    arguments = ("--out", out, "--knob", "drive=0:10", "--name", "Fuzz")
    code, said, _ = ran("capture", "files", recordings / "takes.csv", *arguments)
    assert code == 0
    assert "line 3 refused: bad.wav is silent." in said
    assert "3 takes, 0 of them held out" in said
    assert "take 1: The wet is upside down; turned over." in said
    assert f"Next: tonecast train {out} --out Fuzz.tonecast" in said
    session = SessionFolder.open(out).session
    assert session.gear.name == "Fuzz"
    assert (session.knobs[0].minimum, session.knobs[0].maximum) == (0, 10)


def test_a_wrong_table(ran, recordings: Path, tmp_path: Path):
    """Every wrong line is on standard error, and no session is begun."""
    lines = ("dry,wet,drive", "dry.wav,1.wav,1", "dry.wav,none.wav,2", "dry.wav,4.wav", "dry.wav,8.wav,loud")
    (recordings / "takes.csv").write_text("\n".join(lines))
    arguments = ("--out", tmp_path / "session", "--knob", "drive=0:10", "--json")
    code, said, told = ran("capture", "files", recordings / "takes.csv", *arguments)
    assert code == 1
    assert said == ""
    assert "line 3: the wet file 'none.wav' is not there" in told
    assert "line 4: 2 cells" in told
    assert "line 5: Knob drive takes a number; found 'loud'." in told
    assert "Traceback" not in told
    assert not (tmp_path / "session").exists()


@pytest.mark.parametrize(("text", "says"), [("drive", "ID=LOW:HIGH"), ("drive=10:0", "the low end must come first")])
def test_a_misspelt_range(ran, recordings: Path, tmp_path: Path, text: str, says: str):
    """A range that is none is wrong use."""
    arguments = ("--out", tmp_path / "session", "--knob", text)
    code, said, told = ran("capture", "files", recordings / "takes.csv", *arguments)
    assert code == 2
    assert said == ""
    assert says in told
    assert not (tmp_path / "session").exists()


def test_nothing_usable(ran, recordings: Path, tmp_path: Path):
    """When all rows are refused the command fails with every reason, and can be run again once they are mended."""
    table = recordings / "takes.csv"
    table.write_text("dry,wet\ndry.wav,bad.wav\n")
    code, _, told = ran("capture", "files", table, "--out", tmp_path / "session")
    assert code == 1
    assert "line 2: bad.wav is silent" in told
    table.write_text("dry,wet\ndry.wav,1.wav\n")
    code, said, _ = ran("capture", "files", table, "--out", tmp_path / "session")
    assert code == 0
    assert "1 takes, 0 of them held out" in said


def test_a_table_is_scored_without_a_session(ran, recordings: Path, tmp_path: Path, trained: Path):
    """`evaluate --table` gives what `--session` gives for the same recordings, and leaves nothing behind."""
    table = tmp_path / "table.csv"
    rows = (f"{recordings / 'dry.wav'},{recordings / f'{drive}.wav'},{drive}" for drive in (1, 4, 8))
    table.write_text("\n".join(("dry,wet,drive_db", *rows)))
    ran("capture", "files", table, "--out", tmp_path / "session", "--knob", "drive_db=0:40")
    _, by_session, _ = ran("evaluate", trained, "--session", tmp_path / "session", "--json")
    before = sorted(tmp_path.rglob("*"))
    code, by_table, _ = ran("evaluate", trained, "--table", table, "--json")
    assert code == 0
    scores = [json.loads(said) for said in (by_table, by_session)]
    for each in scores:
        assert each.pop("times_real_time") > 0  # a measurement: no two are alike
        if each["light"]:
            assert each["light"].pop("times_real_time") > 0
    assert scores[0] == scores[1]
    assert sorted(tmp_path.rglob("*")) == before
    code, said, told = ran("evaluate", trained, "--json")
    assert (code, said) == (2, "")
    assert "either --session or --table" in told
