"""`tonecast capture plugin` with anyone's plugins."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from profiler.plugins import HostedPlugin
from profiler.session_folder import SessionFolder

TUBE_SCREAMER = "lv2:http://guitarix.sourceforge.net/plugins/gxts9#ts9sim"


@pytest.mark.usefixtures("lv2")
def test_an_lv2_is_captured_on_the_move(ran, tmp_path: Path):
    """One command gives a session of the knob that the plugin calls so; the same again records nothing new."""
    command = ("capture", "plugin", TUBE_SCREAMER, "--knob", "drive=0.2:1", "--out", tmp_path / "s")
    code, out, _ = ran(*command, "--moving", "--minutes", "0.5", "--json")
    found = json.loads(out)
    assert (code, found["takes"], found["held_out"]) == (0, 3, 2)
    session = SessionFolder.open(tmp_path / "s")
    (knob,) = session.session.knobs
    assert (knob.name, knob.minimum, knob.maximum, session.session.gear.name) == ("Drive", 0.2, 1, "GxTubeScreamer")
    hashes = [take.sha256 for take in session.session.takes]
    code, out, _ = ran(*command, "--moving", "--minutes", "0.5", "--json")
    assert code == 0
    assert [take.sha256 for take in SessionFolder.open(tmp_path / "s").session.takes] == hashes


def test_a_vst3_without_knobs_is_captured_once(ran, tmp_path: Path, vst3: Path):
    """No --knob is one long take of the plugin as it stands."""
    code, out, _ = ran("capture", "plugin", vst3 / "ZamComp.vst3", "--out", tmp_path / "s", "--json")
    assert (code, json.loads(out)["takes"]) == (0, 1)
    session = SessionFolder.open(tmp_path / "s")
    (take,) = session.session.takes
    assert take.latency_frames == 0
    with HostedPlugin(str(vst3 / "ZamComp.vst3")) as plugin:
        wet = plugin.process(session.dry_of(take).samples, 48_000)
    assert np.array_equal(session.wet_of(take).samples, wet)


@pytest.mark.usefixtures("lv2")
def test_knobs_are_listed(ran, tmp_path: Path):
    """People find ids, names, ranges and defaults in a table, programs in JSON; nothing is recorded."""
    code, out, _ = ran("capture", "plugin", TUBE_SCREAMER, "--list-knobs")
    assert code == 0
    assert "GxTubeScreamer" in out
    assert [line.split() for line in out.splitlines() if "fslider2_" in line] == [["fslider2_", "Drive", "0:1", "0.5"]]
    code, out, _ = ran("capture", "plugin", "lv2:urn:zamaudio:ZamComp", "--list-knobs", "--json")
    found = {knob["id"]: knob for knob in json.loads(out)["knobs"]}
    assert code == 0
    assert (found["thr"]["unit"], found["thr"]["minimum"], found["rat"]["scale"]) == ("dB", -80, "log")
    assert found["sidech"]["choices"] == ["off", "on"]
    code, out, _ = ran("capture", "plugin", "pedalboard:Distortion", "--list-knobs")
    assert "drive_db" in out
    assert "-60:100 dB" in out


@pytest.mark.usefixtures("lv2")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((TUBE_SCREAMER,), "--out"),
        ((TUBE_SCREAMER, "--out", "s", "--patience", "soon"), "no length of time"),
        (
            (TUBE_SCREAMER, "--out", "s", "--knob", "gain=0:1"),
            "It has: fslider0_ (Level), fslider1_ (Tone), fslider2_ (Drive)",
        ),
        ((TUBE_SCREAMER, "--out", "s", "--knob", "fslider2_=0:2"), "0 to 1"),
        (("lv2:urn:nobody:knows", "--out", "s"), "No LV2 plugin"),
        (("amp.vst3", "--out", "s"), "is not there"),
    ],
)
def test_wrong_use_is_told(
    ran,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
):
    """Each ends with code 2, one message and no session."""
    monkeypatch.chdir(tmp_path)
    code, out, err = ran("capture", "plugin", *arguments)
    assert (code, out) == (2, "")
    assert said in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "s").exists()


def test_patience_ends(ran, tmp_path: Path, vst3: Path):
    """A plugin that loads for longer than it may is stopped, and the message says how to let it."""
    command = ("capture", "plugin", vst3 / "ZamGEQ31.vst3", "--out", tmp_path / "s", "--patience", "0.01")
    code, _, err = ran(*command)
    assert code == 2
    assert "no answer within 0.01 s of loading" in err
    assert "--patience" in err


@pytest.mark.usefixtures("lv2")
def test_a_chain_with_a_plugin_renders(ran, tmp_path: Path):
    """`tonecast render` plays chains that a capture plays."""
    dry = np.random.default_rng(0).normal(0, 0.1, (9600, 2)).astype(np.float32)
    soundfile.write(tmp_path / "dry.wav", dry, 48_000, subtype="FLOAT")
    slots = [{"id": "screamer", "kind": "plugin", "ref": TUBE_SCREAMER}]
    (tmp_path / "chain.json").write_text(json.dumps({"version": 0, "slots": slots}))
    paths = (tmp_path / "chain.json", tmp_path / "dry.wav", tmp_path / "wet.wav")
    code, _, _ = ran("render", *paths, "--set", "screamer.fslider2_=1", "--no-tail")
    assert code == 0
    with HostedPlugin(TUBE_SCREAMER, {"fslider2_": 1}) as plugin:
        expected = plugin.process(np.ascontiguousarray(dry.T), 48_000)
    assert np.array_equal(soundfile.read(tmp_path / "wet.wav", dtype="float32")[0].T, expected)


def test_the_doctor_counts_plugins(ran, lv2: None, vst3: Path):
    """It says how many LV2 plugins there are, and where VST3 lie."""
    _, out, _ = ran("doctor", "--json")
    checks = {each["name"]: each for each in json.loads(out)["checks"]}
    assert int(checks["LV2 plugins"]["found"].split()[0]) >= 100
    assert f"in {vst3}" in checks["VST3 plugins"]["found"]
    assert not checks["LV2 plugins"]["needed"]


def test_without_lv2_the_doctor_is_content(ran, monkeypatch: pytest.MonkeyPatch):
    """No plugins at all is no failure."""
    monkeypatch.setenv("LV2_PATH", "/nowhere")
    code, out, _ = ran("doctor", "--json")
    checks = {each["name"]: each for each in json.loads(out)["checks"]}
    assert code == 0
    assert "LV2" in checks["LV2 plugins"]["found"]
