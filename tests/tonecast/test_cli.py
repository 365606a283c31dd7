"""The command line: what it prints, where, and how it ends."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import presets
import profiler
from profiler.effects.sizes import sized
from profiler.knob import Knob
from profiler.profile import Size
from profiler.rendering import ProfileProcessor
from tonecast.options import parse_settings


@pytest.fixture
def dry(tmp_path: Path) -> Path:
    """A second of stereo at 44.1 kHz."""
    path = tmp_path / "dry.wav"
    rng = np.random.default_rng(0)
    soundfile.write(path, rng.normal(0, 0.1, (44_100, 2)).astype(np.float32), 44_100, subtype="FLOAT")
    return path


def test_help_is_instant():
    """`tonecast --help` loads neither torch, scipy nor pedalboard."""
    code = "import sys; from tonecast.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "capture" in done.stdout
    assert not {"torch", "scipy", "pedalboard", "soxr"} & set(done.stderr.split())


def test_import_profiler_loads_no_torch():
    """The library's values come without torch."""
    code = "import sys, profiler; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "scipy", "pedalboard"} & set(done.stdout.split())


@pytest.mark.parametrize(
    "command", [["demo"], ["capture", "plugin"], ["check"], ["train"], ["evaluate"], ["render"], ["export"], ["doctor"]]
)
def test_every_command_explains_itself(ran, command: list[str]):
    """Each command's help names its --json option."""
    code, out, _ = ran(*command, "--help")
    assert code == 0
    assert "--json" in out


def test_the_main_job(ran, tmp_path: Path, dry: Path):
    """Capture, train, evaluate and render work together, and print one JSON object each and nothing else."""
    session, profile, wet = tmp_path / "s", tmp_path / "p.tonecast", tmp_path / "wet.wav"
    capture = ("capture", "plugin", "pedalboard:Distortion", "--knob", "drive_db=0:40", "--out", session)
    code, out, _ = ran(*capture, "--moving", "--minutes", "0.6", "--json")
    assert code == 0
    assert json.loads(out)["takes"] == 3
    code, out, _ = ran("train", session, "--out", profile, "--steps", "80", "--json")
    trained = json.loads(out)
    assert code == 0
    assert trained["steps"] == 80
    assert trained["limited_by"] == "steps"
    assert {"esr", "seconds", "audio_seconds", "profile"} <= trained.keys()
    assert not list(tmp_path.glob(".*checkpoint"))
    assert (trained["multiply_adds"], trained["light"]["multiply_adds"], trained["light"]["steps"]) == (11712, 5320, 45)
    assert trained["seconds"] > trained["light"]["seconds"] > 0
    code, out, _ = ran("evaluate", profile, "--session", session, "--json")
    score = json.loads(out)
    assert code == 0
    assert score["esr"] == pytest.approx(trained["esr"])
    assert score["light"]["esr"] == pytest.approx(trained["light"]["esr"])
    assert score["light"]["esr_worst"] >= score["light"]["esr_median"] > 0
    assert score["esr_worst"] >= score["esr_median"] > 0
    assert [row["seen"] for row in sorted(score["takes"], key=lambda row: row["take"])] == [True, False, False]
    code, out, _ = ran("render", profile, dry, wet, "--set", "drive_db=25", "--json")
    assert code == 0
    assert json.loads(out)["frames"] == 44_100
    rendered, rate = soundfile.read(wet, dtype="float32", always_2d=True)
    expected = ProfileProcessor(profiler.load(profile), {"drive_db": 25.0}).process(
        soundfile.read(dry, dtype="float32")[0].T.copy(), 44_100
    )
    assert rate == 44_100
    np.testing.assert_allclose(rendered.T, expected, atol=1e-5)


def test_one_size_alone(ran, trained: Path, captured: Path, dry: Path, tmp_path: Path):
    """`--size light` scores and renders the light effect, `--size full` scores the full one alone."""
    code, out, _ = ran("evaluate", trained, "--session", captured, "--size", "light", "--json")
    light = json.loads(out)
    assert (code, light["multiply_adds"], light["light"]) == (0, 5320, None)
    code, out, _ = ran("evaluate", trained, "--session", captured, "--size", "full", "--json")
    full = json.loads(out)
    assert (code, full["multiply_adds"], full["light"]) == (0, 11_712, None)
    assert full["esr"] != light["esr"]
    code, _, _ = ran("render", trained, dry, tmp_path / "wet.wav", "--size", "light")
    assert code == 0
    rendered, _ = soundfile.read(tmp_path / "wet.wav", dtype="float32", always_2d=True)
    expected = ProfileProcessor(sized(profiler.load(trained), Size.LIGHT)).process(
        soundfile.read(dry, dtype="float32")[0].T.copy(), 44_100
    )
    np.testing.assert_allclose(rendered.T, expected, atol=1e-5)


def test_oversampling_is_chosen(ran, trained: Path, dry: Path, tmp_path: Path):
    """`--oversampling 2` plays a profile at twice its rate; what no profile is played at is told, and so is a chain."""
    wet = tmp_path / "wet.wav"
    code, _, _ = ran("render", trained, dry, wet, "--oversampling", "2")
    assert code == 0
    rendered, _ = soundfile.read(wet, dtype="float32", always_2d=True)
    signal = soundfile.read(dry, dtype="float32")[0].T.copy()
    expected, plain = (
        ProfileProcessor(profiler.load(trained), oversampling=factor).process(signal, 44_100) for factor in (2, 1)
    )
    np.testing.assert_allclose(rendered.T, expected, atol=1e-5)
    assert np.abs(expected - plain).max() > 1e-4
    code, _, err = ran("render", trained, dry, wet, "--oversampling", "3")
    assert (code, "must be one of 1, 2, 4, 8" in err) == (1, True)
    (tmp_path / "chain.json").write_text("{}")
    code, _, err = ran("render", tmp_path / "chain.json", dry, wet, "--oversampling", "2")
    assert (code, "is of a profile" in err) == (2, True)


def test_words_without_json(ran, trained: Path, captured: Path):
    """Without --json the score is a table that fits 80 columns, worst first."""
    code, out, err = ran("evaluate", trained, "--session", captured)
    assert code == 0
    assert "Worst first" in out
    assert "noise floor" in out
    assert "It takes 11712 multiply-adds a frame, " in out
    assert re.search(r"Light \(--size light\): ESR 0\.\d{4}, 5320 multiply-adds a frame, [\d.]+ times real time", out)
    assert max(map(len, out.splitlines())) <= 100
    assert "100%" in err


WRONG = {
    "unknown plugin": (["capture", "plugin", "pedalboard:Nothing", "--out", "{tmp}/s"], "Nothing", "Distortion"),
    "unknown kind of plugin": (["capture", "plugin", "thing", "--out", "{tmp}/s"], "thing", "pedalboard:"),
    "unknown knob": (
        ["capture", "plugin", "pedalboard:Distortion", "--knob", "gain=0:1", "--out", "{tmp}/s"],
        "gain",
        "drive_db",
    ),
    "range outside the plugin's own": (
        ["capture", "plugin", "pedalboard:Compressor", "--knob", "ratio=0:4", "--out", "{tmp}/s"],
        "ratio",
        "1 to 100",
    ),
    "knob out of range at render": (
        ["render", "{profile}", "{dry}", "{tmp}/wet.wav", "--set", "drive_db=60"],
        "60",
        "0 to 40",
    ),
    "knob that is not there at render": (
        ["render", "{profile}", "{dry}", "{tmp}/w.wav", "--set", "x=1"],
        "x",
        "drive_db",
    ),
    "misspelt setting": (["render", "{profile}", "{dry}", "{tmp}/w.wav", "--set", "drive"], "drive", "KNOB=VALUE"),
    "misspelt hold-out": (
        ["train", "{session}", "--out", "{tmp}/p.tonecast", "--hold-out", "time=first:2"],
        "time=first:2",
        "time=last:0.2",
    ),
    "hold-out that matches nothing": (
        ["train", "{session}", "--out", "{tmp}/p.tonecast", "--hold-out", "take:99"],
        "take 99",
        "Its takes",
    ),
    "misspelt budget": (["train", "{session}", "--out", "{tmp}/p.tonecast", "--budget", "soon"], "soon", "5m"),
    "both budget and steps": (
        ["train", "{session}", "--out", "{tmp}/p.tonecast", "--budget", "5m", "--steps", "3"],
        "--budget",
        "--steps",
    ),
    "a size of a chain": (["render", "{chain}", "{dry}", "{tmp}/w.wav", "--size", "light"], "chain", "--size"),
    "an option that is not there": (["render", "{profile}", "{dry}", "{tmp}/w.wav", "--loud"], "--loud", "option"),
}

FAILED = {
    "no session": (["train", "{tmp}", "--out", "{tmp}/p.tonecast"], "session.json", "tonecast capture"),
    "no profile": (["render", "{tmp}/none.tonecast", "{dry}", "{tmp}/wet.wav"], "none.tonecast", "Check the name"),
    "no audio": (["render", "{profile}", "{tmp}/none.wav", "{tmp}/wet.wav"], "none.wav", "Check the name"),
    "a name that is no profile's": (["train", "{session}", "--out", "{tmp}/p.zip"], "p.zip", "p.tonecast"),
    "a target that is no audio": (["render", "{profile}", "{dry}", "{tmp}/wet.xyz"], ".xyz", ".wav"),
    "a target that is the source": (["render", "{profile}", "{dry}", "{dry}"], "dry.wav", "another name"),
    "nothing to resume": (["train", "{session}", "--out", "{tmp}/p.tonecast", "--resume"], "resume", "without"),
}


@pytest.fixture
def places(tmp_path: Path, trained: Path, captured: Path, dry: Path) -> dict[str, Path]:
    """Where things are that the cases below name."""
    chain = Path(presets.__file__).with_name("demo_chain.json")
    return {"tmp": tmp_path, "profile": trained, "session": captured, "dry": dry, "chain": chain}


@pytest.mark.parametrize(("case", "code"), [(each, 2) for each in WRONG] + [(each, 1) for each in FAILED])
def test_wrong_use_and_failure(ran, places: dict[str, Path], case: str, code: int):
    """Wrong use exits with 2 and failure with 1; both say what was found and what to do, and write nothing."""
    arguments, found, expected = (WRONG | FAILED)[case]
    before = sorted(places["tmp"].rglob("*"))
    got, out, err = ran(*(each.format(**places) for each in arguments))
    assert got == code
    assert out == ""
    assert found in err
    assert expected in err
    assert "Traceback" not in err
    assert sorted(places["tmp"].rglob("*")) == before


def test_a_switch_whose_choices_are_numbers_can_be_set():
    """What is typed stays text until its knob reads it."""
    assert parse_settings(["bits=8", "drive_db=2.5"]) == {"bits": "8", "drive_db": "2.5"}
    assert Knob(id="bits", name="bits", choices=("8", "12"), default="12").checked("8") == "8"
    assert Knob(id="drive_db", name="drive").checked("0.5") == 0.5


def test_doctor(ran):
    """The doctor finds training, plugins and files in working order on a machine that runs these tests."""
    code, out, _ = ran("doctor", "--json")
    checks = {each["name"]: each for each in json.loads(out)["checks"]}
    assert code == 0
    assert all(checks[name]["works"] for name in ("machine", "training", "plugins", "audio files", "disk"))
    if not checks["interfaces"]["works"]:
        assert "libportaudio2" in checks["interfaces"]["found"]


def test_demo(ran, tmp_path: Path):
    """The demo leaves a profile that plays, tracks that sound, and a report that needs nothing else."""
    code, out, _ = ran("demo", "--out", tmp_path / "demo", "--steps", "100", "--json")
    found = json.loads(out)
    assert code == 0
    assert 0 < found["esr"] < 1
    assert found["floor"] == 0
    assert len(found["takes"]) == 6
    assert not any(row["seen"] or row["settings_seen"] for row in found["takes"])
    soft, hard = (soundfile.read(tmp_path / "demo" / f"track_{name}.wav")[0] for name in ("soft", "hard"))
    assert np.abs(hard - soft).max() > 0.05
    assert len(hard) == len(soundfile.read(tmp_path / "demo" / "track.wav")[0])
    assert profiler.load(found["profile"]).profile.score is not None
    page = (tmp_path / "demo" / "report.html").read_text()
    assert page.count('"flac"') == 12
    assert not re.search(r"""(src|href)=["']?(http|//)""", page)
    assert page.index(f"Take {found['takes'][0]['take']}, the worst") < page.index(f"Take {found['takes'][1]['take']},")


def test_report(ran, tmp_path: Path, trained: Path, captured: Path):
    """A report is written whole and told; wrong use writes nothing and is told in a line."""
    page = tmp_path / "report.html"
    code, out, _ = ran("report", trained, "--session", captured, "--out", page, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["bytes"] == page.stat().st_size
    assert found["takes"]
    code, _, told = ran("report", trained, "--session", tmp_path / "none", "--out", tmp_path / "other.html")
    assert (code, (tmp_path / "other.html").exists()) == (1, False)
    assert "is not a capture session" in told
    assert ran("report", trained, "--session", captured, "--table", page, "--out", page)[0] == 2
    assert ran("report", trained, "--out", tmp_path / "report.txt")[0] == 2


def test_ctrl_c_keeps_the_best(tmp_path: Path, captured: Path):
    """SIGINT during training leaves a profile that plays and a checkpoint to go on from."""
    profile = tmp_path / "p.tonecast"
    command = [sys.executable, "-m", "tonecast", "train", captured, "--out", profile, "--budget", "10m", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    told = ""
    while not told.startswith("train"):
        told = process.stderr.readline()
    process.send_signal(2)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert json.loads(out)["limited_by"] == "interrupted"
    assert profiler.load(profile).profile.provenance.steps > 0
    assert len(list(tmp_path.glob(".*checkpoint"))) == 1
