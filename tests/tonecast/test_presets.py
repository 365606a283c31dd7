"""`tonecast presets`, and presets by name in the other commands."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from profiler.presets import catalogue, preset_path
from profiler.programme import programme

RATE = 48_000
PROFILES = [preset.name for preset in catalogue().presets]


def test_all_are_listed(ran):
    """With what they are, their knobs, scores and sizes; as JSON too."""
    code, out, _ = ran("presets", "--json")
    found = json.loads(out)
    assert code == 0
    assert [each["name"] for each in found["presets"]] == PROFILES
    assert all(each["knobs"] and each["esr"] is not None and each["grade"] for each in found["presets"])
    assert len(found["chains"]) == len(catalogue().chains)
    code, out, _ = ran("presets")
    assert code == 0
    assert all(name in out for name in PROFILES)


def test_one_is_shown_in_full(ran):
    """A profile with its knobs and scores, a chain with its slots; an unknown one is refused with those near."""
    code, out, _ = ran("presets", PROFILES[0])
    assert code == 0
    assert "ESR" in out
    assert "default" in out
    code, out, _ = ran("presets", catalogue().chains[0].name)
    assert code == 0
    assert "preset:" in out
    code, _, err = ran("presets", PROFILES[0][:-1])
    assert code == 2
    assert PROFILES[0] in err


@pytest.mark.parametrize("name", PROFILES)
def test_a_preset_is_rendered_by_name(ran, tmp_path: Path, name: str):
    """From the command line, as its file is."""
    dry = programme(8, sample_rate=RATE, frames=RATE // 2)
    soundfile.write(tmp_path / "dry.wav", dry, RATE, subtype="FLOAT")
    assert ran("render", name, tmp_path / "dry.wav", tmp_path / "wet.wav")[0] == 0
    assert ran("render", preset_path(name), tmp_path / "dry.wav", tmp_path / "same.wav")[0] == 0
    wet, same = (soundfile.read(tmp_path / f"{each}.wav", dtype="float32")[0] for each in ("wet", "same"))
    assert np.array_equal(wet, same)
    assert np.abs(wet - dry).max() > 1e-3
    assert 1e-3 < np.abs(wet).max() < 4


def test_presets_are_rendered_over_folders_and_again_when_they_change(ran, tmp_path: Path):
    """A table names them; what was rendered through the same preset is left as it is."""
    (tmp_path / "stems").mkdir()
    for name in ("kick", "lead"):
        soundfile.write(tmp_path / "stems" / f"{name}.wav", programme(1, sample_rate=RATE, frames=9000), RATE)
    (tmp_path / "stems.csv").write_text(f"file,effect\nkick.wav,preset:{PROFILES[0]}\n")
    words = ("render", PROFILES[1], tmp_path / "stems", tmp_path / "wet", "--table", tmp_path / "stems.csv", "--json")
    found = [json.loads(ran(*words)[1]) for _ in range(2)]
    assert [[bool(each["rendered"]) for each in one["files"]] for one in found] == [[True, True], [False, False]]
    (tmp_path / "stems.csv").write_text(f"file,effect\nkick.wav,{PROFILES[2]}\n")
    assert [bool(each["rendered"]) for each in json.loads(ran(*words)[1])["files"]] == [True, False]


def test_circuits_are_gear_by_name(ran, tmp_path: Path):
    """Their knobs are listed, and they are captured like a plugin; as a slot they play in chains."""
    code, out, _ = ran("capture", "plugin", "circuit:diode_clipper", "--list-knobs", "--json")
    assert code == 0
    assert [knob["id"] for knob in json.loads(out)["knobs"]] == ["drive", "tone", "level"]
    code, _, err = ran("capture", "plugin", "circuit:nothing", "--list-knobs")
    assert code == 2
    assert "optical_compressor" in err
    words = ("capture", "plugin", "circuit:optical_compressor", "--knob", "peak_reduction=20:80", "--captures", "2")
    code, out, _ = ran(*words, "--seconds", "7", "--sample-rate", "16000", "--out", tmp_path / "session", "--json")
    assert code == 0
    assert not json.loads(out)["findings"]
    slot = {"id": "opto", "kind": "circuit", "ref": "optical_compressor", "settings": {"peak_reduction": 80}}
    (tmp_path / "chain.json").write_text(json.dumps({"slots": [slot]}))
    soundfile.write(tmp_path / "dry.wav", programme(8, sample_rate=RATE, frames=RATE), RATE, subtype="FLOAT")
    wets = []
    for at in (80, 20):
        words = (
            tmp_path / "chain.json",
            tmp_path / "dry.wav",
            tmp_path / "wet.wav",
            "--set",
            f"opto.peak_reduction={at}",
        )
        assert ran("render", *words)[0] == 0
        wets.append(soundfile.read(tmp_path / "wet.wav")[0])
    assert np.mean(wets[0] ** 2) < 0.5 * np.mean(wets[1] ** 2)


def test_a_preset_is_exported_into_this_folder(ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Not to where the program lies."""
    monkeypatch.chdir(tmp_path)
    assert ran("export", "tape", "--format", "nam")[0] == 0
    assert (tmp_path / "tape.nam").is_file()


def test_a_preset_has_a_report(ran, tmp_path: Path):
    """Of what the profile alone tells."""
    page = tmp_path / "page.html"
    assert ran("report", "tape", "--out", page)[0] == 0
    assert "<h1>tape</h1>" in page.read_text()
