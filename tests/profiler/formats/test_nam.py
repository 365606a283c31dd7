"""Profiles as Neural Amp Modeler files: exact at any setting, or refused."""

import json
import os
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from profiler.effects import RecurrentEffect
from profiler.effects.network_shape import A2, LIGHT
from profiler.effects.sizes import sized
from profiler.errors import ExportError, KnobError, ManifestError, StorageError
from profiler.formats import nam
from profiler.formats.nam import export_nam
from profiler.formats.nam_file import NamFile, nam_json, read_container, read_nam
from profiler.formats.nam_labels import GearType, NamLabels, ToneType
from profiler.knob import Knob
from profiler.profile import LoadedProfile, Size, Stage
from profiler.rendering import ProfileProcessor
from profiler.score import Score

RATE = 48_000
SETTINGS = {
    "defaults": {},
    "lowest": {"drive_db": 0, "tone_hz": 200, "voice": "dark"},
    "highest": {"drive_db": 40, "tone_hz": 8000, "voice": "bright"},
    "between": {"drive_db": 13.7, "tone_hz": 951, "voice": "bright"},
}
Make = Callable[..., LoadedProfile]


def noise(frames: int = RATE // 2) -> np.ndarray:
    """Return noise that swells and fades, (1, frames)."""
    swell = np.sin(np.linspace(0, 3 * np.pi, frames)) * 0.5
    return (np.random.default_rng(7).normal(0, 1, (1, frames)) * swell).astype(np.float32)


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference over the expected peak."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def played_by_their_own(missing: Callable[[str, str], None], folder: Path, *files: Path) -> list[list[int]]:
    """Have `neural-amp-modeler` play the noise through files; return each network's number of weights and its rate."""
    python = os.environ.get("TONECAST_NAM_PYTHON")
    if not python:
        missing("nam", "TONECAST_NAM_PYTHON names no Python that has neural-amp-modeler (.ci/run makes one)")
    np.save(folder / "dry.npy", noise()[0])
    player = Path(__file__).with_name("nam_player.py")
    told = (player, folder / "dry.npy", Path(torch.__file__).parents[1], *files)
    done = subprocess.run([python, *told], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def amp(convolutional: Make) -> LoadedProfile:
    """A profile of the A2 shape with two knobs and a switch."""
    return convolutional()


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_any_setting_is_a_file_that_sounds_the_same(amp: LoadedProfile, tmp_path: Path, settings: dict[str, object]):
    """Read back, the file plays what the profile plays at that setting, from the first frame on."""
    written = export_nam(amp, tmp_path / "amp.nam", settings)
    wet = ProfileProcessor(amp, settings).process(noise(), RATE)
    assert relative(read_nam(tmp_path / "amp.nam").play(noise()), wet) < 1e-5
    assert written.difference < 1e-5
    assert written.a2
    assert list(tmp_path.iterdir()) == [tmp_path / "amp.nam"]


def test_settings_sound_different(amp: LoadedProfile, tmp_path: Path):
    """The knobs of the profile are in its files: two settings are two sounds."""
    for name in ("lowest", "highest"):
        export_nam(amp, tmp_path / f"{name}.nam", SETTINGS[name])
    low, high = (read_nam(tmp_path / f"{name}.nam").play(noise()) for name in ("lowest", "highest"))
    assert relative(low, high) > 0.1


def test_the_file_is_an_a2(amp: LoadedProfile, tmp_path: Path):
    """What players go by to take their fast path: version, shape, activations, nothing gated, and the weights' end."""
    export_nam(amp, tmp_path / "amp.nam")
    document = json.loads((tmp_path / "amp.nam").read_text())
    assert list(document) == ["version", "metadata", "architecture", "config", "weights", "sample_rate"]
    assert (document["version"], document["architecture"], document["sample_rate"]) == ("0.7.0", "WaveNet", RATE)
    assert len(document["weights"]) == 12_146
    assert document["weights"][-1] == np.float32(0.01)
    config = document["config"]
    assert (config["head"], config["head_scale"]) == (None, 0.01)
    (layers,) = config["layers"]
    assert (layers["input_size"], layers["condition_size"], layers["channels"], layers["bottleneck"]) == (1, 1, 8, 8)
    assert layers["kernel_sizes"] == [6] * 14 + [15, 15] + [6] * 7
    assert layers["dilations"] == [1, 3, 7, 17, 41, 101, 239] * 2 + [1, 13] + [1, 3, 7, 17, 41, 101, 239]
    assert layers["activation"] == [{"type": "LeakyReLU", "negative_slope": 0.01}] * 23
    assert layers["head"] == {"out_channels": 1, "kernel_size": 16, "bias": True}
    assert layers["layer1x1"] == {"active": True, "groups": 1}
    assert not any(layers[name]["active"] for name in layers if name.endswith("film") or name == "head1x1")
    assert layers["gating_mode"] == ["none"] * 23


def test_other_peoples_a2_is_read_and_sounds_as_in_their_player(shared_data: Path, tmp_path: Path):
    """A stranger's A2 has the config that ours has, and plays here as the reference player in C++ plays it."""
    container = json.loads((shared_data / "formats" / "nam" / "a2_example.nam").read_text())
    (tmp_path / "a2.nam").write_text(json.dumps(container["config"]["submodels"][-1]["model"]))
    raw = (shared_data / "formats" / "nam_golden" / "golden_a2_example.bin").read_bytes()
    (frames,) = struct.unpack("<I", raw[:4])
    dry, wet = np.frombuffer(raw[4:], "<f4").reshape(2, 1, frames)
    assert relative(read_nam(tmp_path / "a2.nam").play(dry), wet) < 1e-5


def test_neural_amp_modeler_plays_it(amp: LoadedProfile, tmp_path: Path, missing: Callable[[str, str], None]):
    """The trainer's own package reads the files and plays what the profile plays at their settings."""
    files = {name: tmp_path / f"{name}.nam" for name in SETTINGS}
    for name, file in files.items():
        export_nam(amp, file, SETTINGS[name])
    assert played_by_their_own(missing, tmp_path, *files.values()) == [[12_145, RATE]] * len(files)
    for name, file in files.items():
        wet = ProfileProcessor(amp, SETTINGS[name]).process(noise(), RATE)
        assert relative(np.load(file.with_suffix(".npy"))[None], wet) < 1e-5, name


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_both_sizes_are_one_file(both_sizes: LoadedProfile, tmp_path: Path, settings: dict[str, object]):
    """A container has the light network first and the full one last, and each plays what its size plays."""
    file = tmp_path / "amp.nam"
    written = export_nam(both_sizes, file, settings, sizes=tuple(Size))
    assert written.difference < 1e-5
    assert not written.a2
    light, full = read_container(file)
    assert (light.shape, full.shape) == (LIGHT, A2)
    wet = {size: ProfileProcessor(sized(both_sizes, size), settings).process(noise(), RATE) for size in Size}
    assert relative(light.play(noise()), wet[Size.LIGHT]) < 1e-5
    assert relative(full.play(noise()), wet[Size.FULL]) < 1e-5
    assert relative(wet[Size.LIGHT], wet[Size.FULL]) > 0.1


def test_neural_amp_modeler_plays_both_sizes(
    both_sizes: LoadedProfile, tmp_path: Path, missing: Callable[[str, str], None]
):
    """The trainer's own package plays each network of a container as its size plays at the container's settings."""
    files = {name: tmp_path / f"{name}.nam" for name in SETTINGS}
    for name, file in files.items():
        export_nam(both_sizes, file, SETTINGS[name], sizes=tuple(Size))
    found = played_by_their_own(missing, tmp_path, *files.values())
    assert found == [[5641, RATE], [12_145, RATE]] * len(files)
    for name in files:
        for number, size in enumerate((Size.LIGHT, Size.FULL)):
            wet = ProfileProcessor(sized(both_sizes, size), SETTINGS[name]).process(noise(), RATE)
            assert relative(np.load(tmp_path / f"{name}-{number}.npy")[None], wet) < 1e-5, (name, size)


def test_the_container_is_as_theirs(both_sizes: LoadedProfile, shared_data: Path, tmp_path: Path):
    """Keys, architecture and the steps from small to large are those of a file that the trainer wrote."""
    export_nam(both_sizes, tmp_path / "amp.nam", sizes=(Size.FULL, Size.LIGHT))
    ours = json.loads((tmp_path / "amp.nam").read_text())
    theirs = json.loads((shared_data / "formats" / "nam" / "a2_example.nam").read_text())
    assert ours.keys() == theirs.keys()
    for key in ("version", "architecture", "weights", "sample_rate"):
        assert ours[key] == theirs[key]
    assert ours["config"].keys() == theirs["config"].keys()
    for mine, other in zip(ours["config"]["submodels"], theirs["config"]["submodels"], strict=True):
        assert mine.keys() == other.keys()
        assert mine["max_value"] == other["max_value"]
        assert mine["model"].keys() == other["model"].keys()
        assert mine["model"]["config"]["layers"][0].keys() == other["model"]["config"]["layers"][0].keys()
    assert ours["metadata"] == ours["config"]["submodels"][-1]["model"]["metadata"]


def test_one_size_alone_is_a_plain_file(both_sizes: LoadedProfile, amp: LoadedProfile, tmp_path: Path):
    """The light size is a network of its own; a profile without one has no two to put into a file."""
    assert not export_nam(both_sizes, tmp_path / "light.nam", sizes=(Size.LIGHT,)).a2
    assert export_nam(both_sizes, tmp_path / "full.nam").a2
    assert (read_nam(tmp_path / "light.nam").shape, read_nam(tmp_path / "full.nam").shape) == (LIGHT, A2)
    with pytest.raises(ExportError, match=r"'Amp' has one size only.*without --size, or train it again without"):
        export_nam(amp, tmp_path / "both.nam", sizes=tuple(Size))
    assert not (tmp_path / "both.nam").exists()


def test_another_shape_is_told(convolutional: Make, tmp_path: Path):
    """A network that is no A2 is as exact, and said to be none; A2's lite size is one."""
    small = convolutional(channels=4, taps=[6, 6, 3], dilations=[1, 7, 30], head_taps=8, slope=0.2)
    lite = convolutional(channels=3)
    assert not export_nam(small, tmp_path / "small.nam").a2
    assert export_nam(lite, tmp_path / "lite.nam").a2
    wet = ProfileProcessor(small).process(noise(), RATE)
    assert relative(read_nam(tmp_path / "small.nam").play(noise()), wet) < 1e-5


def test_what_is_known_is_told(amp: LoadedProfile, tmp_path: Path):
    """Labels, date, score and knobs are in the metadata under NAM's names, and what is unknown is not there."""
    scored = replace(
        amp, profile=replace(amp.profile, score=Score(esr=0.01, esr_median=0.01, esr_worst=0.02, floor=None, takes=()))
    )
    labels = NamLabels(
        modeled_by="Ann", gear_type=GearType.PEDAL_AMP, tone_type=ToneType.HI_GAIN, gear_make="Ö", input_level_dbu=12.5
    )
    export_nam(scored, tmp_path / "amp.nam", {"drive_db": 20}, labels)
    metadata = json.loads((tmp_path / "amp.nam").read_text())["metadata"]
    assert set(metadata.pop("date")) == {"year", "month", "day", "hour", "minute", "second"}
    assert metadata == {
        "name": "Amp (Drive 20 dB, Tone 1000 Hz, Voice dark)",
        "modeled_by": "Ann",
        "gear_make": "Ö",
        "gear_model": "Pedal",
        "gear_type": "pedal_amp",
        "tone_type": "hi_gain",
        "input_level_dbu": 12.5,
        "training": {"validation_esr": 0.01},
        "tonecast": {
            "profile": "Amp",
            "settings": {"drive_db": 20.0, "tone_hz": 1000.0, "voice": "dark"},
            "latency_frames": 0,
        },
    }


HOSTILE = ['"},"weights":[', "a\\u0000\x00\n", "ключ 🎸", "]]>", "__proto__"]


def test_hostile_names_are_just_text(convolutional: Make, tmp_path: Path):
    """Whatever knobs, choices and the profile are called, the file is the same JSON with these names in it."""
    knobs = tuple(Knob(id=each, name=each, choices=("off", each)[:2], default=each) for each in HOSTILE)
    hostile = convolutional(knobs=knobs, name=HOSTILE[0])
    export_nam(hostile, tmp_path / "amp.nam", labels=NamLabels(modeled_by=HOSTILE[1]))
    content = (tmp_path / "amp.nam").read_bytes()
    document = json.loads(content)
    assert content.isascii()
    assert len(document["weights"]) == 12_146
    assert document["metadata"]["tonecast"]["settings"] == {each: each for each in HOSTILE}
    assert document["metadata"]["modeled_by"] == HOSTILE[1]


def _two_stages(amp: LoadedProfile) -> LoadedProfile:
    (stage,) = amp.profile.stages
    again = Stage(kind=stage.kind, config=stage.config, prefix="1.")
    weights = {**amp.weights, **{name.replace("0.", "1.", 1): each for name, each in amp.weights.items()}}
    return replace(amp, weights=weights, profile=replace(amp.profile, stages=(stage, again)))


def _recurrent(amp: LoadedProfile) -> LoadedProfile:
    effect = RecurrentEffect(knob_positions=4, hidden=2)
    weights = {"0." + name: tensor.numpy() for name, tensor in effect.state_dict().items()}
    stage = Stage(kind="recurrent", config=effect.config, prefix="0.")
    return replace(amp, weights=weights, profile=replace(amp.profile, stages=(stage,)))


def _at_50_khz(amp: LoadedProfile) -> LoadedProfile:
    return replace(amp, profile=replace(amp.profile, sample_rate=50_000))


def _infinite(amp: LoadedProfile) -> LoadedProfile:
    last = max(name for name in amp.weights if name.endswith("bias"))
    return replace(amp, weights={**amp.weights, last: np.full_like(amp.weights[last], 500)})


REFUSED = {
    "two stages": (_two_stages, ["has 2 stages (convolutional, convolutional)", "a single network", "one stage"]),
    "another effect": (_recurrent, ["is a recurrent effect", "of the A2 shape cannot hold it", "tonecast render"]),
    "another rate": (_at_50_khz, ["runs at 50000 Hz", "44100, 48000", "Capture the gear at 48000 Hz"]),
    "infinite weights": (_infinite, ["weights are infinite", "Try others"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_format_cannot_hold_is_refused(amp: LoadedProfile, tmp_path: Path, case: str):
    """One error says what was found, what was expected and what to do, and nothing is written."""
    change, says = REFUSED[case]
    with pytest.raises(ExportError) as refused:
        export_nam(change(amp), tmp_path / "amp.nam")
    assert all(each in str(refused.value) for each in says), refused.value
    assert list(tmp_path.iterdir()) == []


def test_wrong_words_are_refused(amp: LoadedProfile, tmp_path: Path):
    """Another suffix, a knob or value that is not there, a level of no gear, torn text and a bad place are errors."""
    with pytest.raises(ExportError, match=r"ends in \.nam; found 'amp\.json'"):
        export_nam(amp, tmp_path / "amp.json")
    with pytest.raises(KnobError, match=r"'gain' is not a knob of this gear\. It has: drive_db"):
        export_nam(amp, tmp_path / "amp.nam", {"gain": 1})
    with pytest.raises(KnobError, match="0 to 40 dB"):
        export_nam(amp, tmp_path / "amp.nam", {"drive_db": 41})
    for level in (61.0, float("nan")):
        with pytest.raises(ExportError, match=r"output level is .* dBu; gear lies within -60 to 60 dBu"):
            NamLabels(output_level_dbu=level)
    with pytest.raises(ExportError, match="is not text"):
        export_nam(amp, tmp_path / "amp.nam", labels=NamLabels(modeled_by="\udcff"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"):
        export_nam(amp, tmp_path / "file" / "amp.nam")


@pytest.mark.parametrize("wrong", [1.001, float("nan")])
def test_a_file_that_sounds_different_is_not_left(
    amp: LoadedProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: float
):
    """Where what was written plays something else, the file that was there before stays."""

    def altered(file: NamFile) -> bytes:
        return nam_json(replace(file, weights=file.weights * 1.001))

    def spoilt(path: Path) -> NamFile:
        return replace(read_nam(path), weights=read_nam(path).weights * wrong)

    (tmp_path / "amp.nam").write_bytes(b"before")
    monkeypatch.setattr(nam, "nam_json", altered) if wrong > 1 else monkeypatch.setattr(nam, "read_nam", spoilt)
    with pytest.raises(ExportError, match="was not written: what it plays differs from the profile by"):
        export_nam(amp, tmp_path / "amp.nam")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


def test_a_container_of_which_one_part_sounds_different_is_not_left(
    both_sizes: LoadedProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Every network in it is played: where one plays something else, or no number, nothing is written."""
    for part in (0, 1):
        for wrong in (1.001, float("nan")):

            def spoilt(path: Path, part: int = part, wrong: float = wrong) -> list[NamFile]:
                files = read_container(path)
                files[part] = replace(files[part], weights=files[part].weights * wrong)
                return files

            monkeypatch.setattr(nam, "read_container", spoilt)
            with pytest.raises(ExportError, match="was not written: what it plays differs from the profile by"):
                export_nam(both_sizes, tmp_path / "amp.nam", sizes=tuple(Size))
    assert list(tmp_path.iterdir()) == []


def _changed(**changes: object) -> Callable[[dict[str, object]], bytes]:
    return lambda document: json.dumps({**document, **changes}).encode()


OTHERS = {
    "empty": lambda _: b"",
    "a list": lambda _: b"[]",
    "no object": lambda _: b'{"version": "0.7.0", "config": 3, "weights": []}',
    "deep": lambda _: b"[" * 100_000,
    "another version": _changed(version="0.8.0"),
    "another architecture": _changed(architecture="LSTM"),
    "a weight less": lambda document: _changed(weights=document["weights"][1:])(document),
    "a weight that is none": lambda document: _changed(weights=[*document["weights"][1:], None])(document),
    "a head on top": lambda document: _changed(config={**document["config"], "head": {}})(document),
    "no layers": _changed(config={"layers": []}),
    "no rate": _changed(sample_rate=None),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_files_are_not_read(amp: LoadedProfile, tmp_path: Path, case: str):
    """What is not such a file is refused by one error with its name."""
    export_nam(amp, tmp_path / "amp.nam")
    document = json.loads((tmp_path / "amp.nam").read_text())
    (tmp_path / "amp.nam").write_bytes(OTHERS[case](document))
    with pytest.raises(ManifestError, match=r"amp\.nam is not a \.nam file as Tonecast writes it"):
        read_nam(tmp_path / "amp.nam")
    with pytest.raises(ManifestError, match="cannot be read"):
        read_nam(tmp_path / "none.nam")


def _step(value: object) -> Callable[[dict[str, object]], object]:
    def changed(document: dict[str, object]) -> object:
        document["config"]["submodels"][0]["max_value"] = value
        return document

    return changed


def _many(document: dict[str, object]) -> object:
    submodels = document["config"]["submodels"]
    submodels[:0] = [{**submodels[0], "max_value": number / 100} for number in range(16)]
    return document


OTHER_CONTAINERS = {
    "a plain file": lambda document: document["config"]["submodels"][1]["model"],
    "nothing in it": lambda document: {**document, "config": {"submodels": []}},
    "no list": lambda document: {**document, "config": {"submodels": None}},
    "another rate": lambda document: {**document, "sample_rate": 44_100},
    "a step twice": _step(1.0),
    "a step that is none": _step("half"),
    "steps that fall": _step(2.0),
    "too many": _many,
    "a container within": lambda document: {**document, "config": {"submodels": [{"max_value": 1, "model": document}]}},
}


@pytest.mark.parametrize("case", OTHER_CONTAINERS)
def test_other_containers_are_not_read(both_sizes: LoadedProfile, tmp_path: Path, case: str):
    """What is not such a container is refused by one error with its name."""
    export_nam(both_sizes, tmp_path / "amp.nam", sizes=tuple(Size))
    document = OTHER_CONTAINERS[case](json.loads((tmp_path / "amp.nam").read_text()))
    (tmp_path / "amp.nam").write_text(json.dumps(document))
    with pytest.raises(ManifestError, match=r"amp\.nam is not a \.nam file as Tonecast writes it"):
        read_container(tmp_path / "amp.nam")
