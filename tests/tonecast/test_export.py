"""`tonecast export`: the file, the JSON, the words and the exit codes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import profiler
from profiler.effects import RecurrentEffect
from profiler.effects.network_shape import A2, LIGHT
from profiler.formats.nam_file import read_container, read_nam
from profiler.profile import LoadedProfile, Stage
from tonecast.cli import run

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def amp(convolutional: Callable[..., LoadedProfile], tmp_path: Path) -> Path:
    """A saved profile of a convolutional effect."""
    profiler.save(tmp_path / "amp.tonecast", convolutional())
    return tmp_path / "amp.tonecast"


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs the command; it returns exit code, standard output and standard error."""

    def ran(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["export", *(str(each) for each in arguments)])
        return (code, *capsys.readouterr())

    return ran


def test_json(export: Run, amp: Path, tmp_path: Path):
    """One JSON object says what was written where, and the file holds what was asked for."""
    out = tmp_path / "new" / "bright.nam"
    told = ("--gear-make", "Ann & Co", "--gear-type", "pedal", "--tone-type", "fuzz", "--input-level-dbu", "-3.5")
    code, text, _ = export(amp, "--format", "nam", out, "--set", "drive=25", "--set", "voice=bright", *told, "--json")
    assert code == 0
    found = json.loads(text)
    assert found.pop("difference") < 1e-5
    settings = {"drive_db": 25.0, "tone_hz": 1000.0, "voice": "bright"}
    assert (found.pop("size"), found.pop("format"), found.pop("a2")) == ("full", "nam", True)
    assert found == {"out": str(out), "settings": settings, "sample_rate": 48_000}
    metadata = read_nam(out).metadata
    assert metadata["tonecast"]["settings"] == settings
    labels = {"gear_make": "Ann & Co", "gear_type": "pedal", "tone_type": "fuzz", "input_level_dbu": -3.5}
    assert labels.items() <= metadata.items()


def test_words(export: Run, amp: Path, tmp_path: Path):
    """Without a name the file lies beside the profile; without --json the settings and the check are told in words."""
    code, text, _ = export(amp, "--format", "nam")
    assert code == 0
    assert f"{tmp_path / 'amp.nam'} written at Drive 10 dB, Tone 1000 Hz, Voice dark" in text
    assert "differs from the profile by" in text
    assert "A2" not in text
    assert read_nam(tmp_path / "amp.nam").sample_rate == 48_000


def test_sizes(export: Run, both_sizes: LoadedProfile, tmp_path: Path):
    """A file has the size that was asked for, or both, and that the light one is no A2 is told."""
    path = tmp_path / "amp.tonecast"
    profiler.save(path, both_sizes)
    code, text, _ = export(path, "--format", "nam", "--size", "both", tmp_path / "both.nam", "--json")
    assert (code, json.loads(text)["size"], json.loads(text)["a2"]) == (0, "both", False)
    assert [file.shape for file in read_container(tmp_path / "both.nam")] == [LIGHT, A2]
    code, text, _ = export(path, "--format", "nam", "--size", "light", tmp_path / "light.nam")
    assert code == 0
    assert "It is not of NAM's A2 shape" in text
    assert read_nam(tmp_path / "light.nam").shape == LIGHT
    code, text, _ = export(path, "--format", "nam", "--size", "both", tmp_path / "both.nam")
    assert code == 0
    assert "Its light size is not of NAM's A2 shape" in text


def test_a_shape_of_its_own_is_told(export: Run, convolutional: Callable[..., LoadedProfile], tmp_path: Path):
    """A network that fewer players play is said to be one."""
    profiler.save(tmp_path / "own.tonecast", convolutional(channels=4))
    code, text, _ = export(tmp_path / "own.tonecast", "--format", "nam")
    assert code == 0
    assert "not of NAM's A2 shape" in text


WRONG = {
    "no format": ([], "--format", 2),
    "another format": (["--format", "wav"], "'nam'", 2),
    "another knob": (["--format", "nam", "--set", "gain=1"], "It has: drive_db", 2),
    "another kind of gear": (["--format", "nam", "--gear-type", "kazoo"], "'amp_cab'", 2),
    "another name": (["--format", "nam", "amp.json"], "ends in .nam", 1),
    "no light size": (["--format", "nam", "--size", "light"], "has no light effect", 1),
    "no two sizes": (["--format", "nam", "--size", "both"], "has one size only", 1),
    "a level of no gear": (["--format", "nam", "--output-level-dbu", "900"], "-60 to 60 dBu", 1),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use(export: Run, amp: Path, tmp_path: Path, case: str):
    """Each says what was expected, and nothing is written."""
    arguments, says, expected = WRONG[case]
    code, text, error = export(amp, *arguments)
    assert (code, text) == (expected, "")
    assert says in error
    assert list(tmp_path.iterdir()) == [amp]


def test_a_profile_that_cannot_be_exported(export: Run, convolutional: Callable[..., LoadedProfile], tmp_path: Path):
    """A recurrent profile is refused in one line, with what to do instead."""
    loaded, effect = convolutional(), RecurrentEffect(knob_positions=4)
    weights = {"0." + name: tensor.numpy() for name, tensor in effect.state_dict().items()}
    stage = Stage(kind=effect.kind, config=effect.config, prefix="0.")
    profile = replace(loaded.profile, stages=(stage,))
    profiler.save(tmp_path / "old.tonecast", replace(loaded, profile=profile, weights=weights))
    code, text, error = export(tmp_path / "old.tonecast", "--format", "nam", tmp_path / "amp.nam")
    assert (code, text) == (1, "")
    assert error.count("\n") == 1
    assert "is a recurrent effect; a .nam of the A2 shape cannot hold it" in error
    assert not (tmp_path / "amp.nam").exists()
