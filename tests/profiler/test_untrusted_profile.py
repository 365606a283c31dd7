"""Profile files that anyone may have made: what is damaged, oversized or hostile is refused, with the reason."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from profiler.errors import ProfileError
from profiler.profile import LoadedProfile
from profiler.profile_file import load, save

NAMES = ["profile.json", "weights.safetensors", "golden.wav"]
BOMB = bytes(200 << 20)


def contents(path: Path) -> dict[str, bytes]:
    """Return what a profile file holds."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repack(path: Path, *, method: int = zipfile.ZIP_DEFLATED, **changes: bytes | None) -> None:
    """Write a profile file again with other entries: `golden="..."` replaces golden.wav, None leaves it out."""
    entries = contents(path)
    for name, content in changes.items():
        entry = next((each for each in entries if each.startswith(name)), name)
        entries[entry] = content
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            if content is not None:
                archive.writestr(name, content)


def tensors_with(whole: LoadedProfile, **changes: np.ndarray) -> bytes:
    """Return the weights as safetensors, some of them changed."""
    return safetensors.numpy.save({**whole.weights, **changes})


def audio(samples: np.ndarray, *, rate: int = 48_000, form: str = "WAV", subtype: str = "FLOAT") -> bytes:
    """Return samples of shape (frames, channels) as a file's bytes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize("content", [b"", b"Dear diary", b"PK\x03\x04", pickle.dumps({"weights": [1.0]})])
def test_what_is_not_a_zip_is_refused(saved, content):
    """Empty files, text and pickles have no entries to look at."""
    saved.write_bytes(content)
    with pytest.raises(ProfileError, match=f"{saved} is not a whole profile: .*Ask for the file again"):
        load(saved)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_profile_cut_short_is_refused(saved, share):
    """Half a download is no profile."""
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ProfileError, match="is not a whole profile"):
        load(saved)


@settings(max_examples=300)
@given(st.data())
def test_damage_anywhere_is_refused_or_harmless(whole, tmp_path_factory, data):
    """Whatever bytes are changed, loading gives a profile with finite weights or a ProfileError, and nothing else."""
    path = tmp_path_factory.getbasetemp() / "damaged.tonecast"
    save(path, whole)
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    try:
        found = load(path)
    except ProfileError:
        return
    assert all(np.isfinite(tensor).all() and tensor.dtype == np.float32 for tensor in found.weights.values())


@pytest.mark.parametrize("extra", ["evil.pkl", "../escape.json", "/etc/passwd", "profile.json/"])
def test_an_entry_too_many_is_refused(saved, extra, tmp_path):
    """Only the three names are taken; nothing is written anywhere."""
    before = sorted(tmp_path.rglob("*"))
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr(extra, pickle.dumps(print))
    with pytest.raises(ProfileError, match=r"holds .*; a profile holds exactly golden\.wav, profile\.json"):
        load(saved)
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent / "escape.json").exists()


def test_an_entry_twice_is_refused(saved):
    """Two entries of one name: readers would not agree which one counts."""
    with zipfile.ZipFile(saved, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("profile.json", b"{}")
    with pytest.raises(ProfileError, match="a profile holds exactly"):
        load(saved)


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_too_few_is_refused(saved, name):
    """Each of the three is needed."""
    repack(saved, **{name: None})
    with pytest.raises(ProfileError, match="a profile holds exactly"):
        load(saved)


@pytest.mark.parametrize("name", NAMES)
def test_a_zip_bomb_is_not_unpacked(saved, name):
    """An entry that unpacks to 200 MB is refused by what it declares, and by what it holds when it lies."""
    repack(saved, **{name: BOMB})
    with pytest.raises(ProfileError, match=f"{name} declares {len(BOMB)} bytes; at most"):
        load(saved)
    saved.write_bytes(saved.read_bytes().replace(struct.pack("<I", len(BOMB)), struct.pack("<I", 1000)))
    with pytest.raises(ProfileError, match="is not a whole profile: Bad CRC-32"):
        load(saved)


@pytest.mark.parametrize("declared", [0xFFFFFFFE, 1 << 30])
def test_an_absurd_size_is_refused_unread(saved, declared):
    """An entry that declares gigabytes is refused though it holds a few bytes."""
    size = len(contents(saved)["weights.safetensors"])
    saved.write_bytes(saved.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", declared)))
    with pytest.raises(ProfileError, match=f"declares {declared} bytes"):
        load(saved)


def test_an_oversized_file_is_refused_unread(saved):
    """A sparse file of a gigabyte is not searched for a zip."""
    with saved.open("r+b") as file:
        file.truncate(1 << 30)
    with pytest.raises(ProfileError, match="is 1024 MB; a profile has at most"):
        load(saved)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_packing_is_refused(saved, method):
    """Only deflate is read: other methods may ask for any amount of memory."""
    repack(saved, method=method)
    with pytest.raises(ProfileError, match="is packed in a way that no profile is"):
        load(saved)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 1}, "version 1; this Tonecast reads up to 0. Update Tonecast"),
        ({"version": -1}, "damaged"),
        ({"stages": "many"}, "at stages"),
        ({"knobs": [{"id": "k", "name": "K", "minimum": 2, "maximum": 1}]}, "Knob k goes from 2 to 1"),
        ({"sample_rate": 44_100}, "at 44100 Hz; found .* at 48000 Hz"),
    ],
)
def test_a_profile_json_that_says_something_else_is_refused(saved, change, says):
    """A newer version asks for an update; damage is told by its place."""
    document = json.loads(contents(saved)["profile.json"])
    repack(saved, profile=json.dumps(document | change).encode())
    with pytest.raises(ProfileError, match=f"{saved}: .*{says}"):
        load(saved)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", pickle.dumps({"w": np.zeros(3, np.float32)}), (2**63).to_bytes(8, "little") + b"{}"],
    ids=["empty", "json", "pickle", "endless header"],
)
def test_weights_that_are_not_safetensors_are_refused(saved, content):
    """A pickle is never opened, whatever its name."""
    repack(saved, weights=content)
    with pytest.raises(ProfileError, match=r"weights\.safetensors is not a set of tensors"):
        load(saved)


def test_a_tensor_larger_than_its_file_is_refused(saved):
    """A header that declares 10 GB is refused before memory is asked for."""
    header = {"0.out.bias": {"dtype": "F32", "shape": [2_500_000_000], "data_offsets": [0, 10_000_000_000]}}
    text = json.dumps(header).encode()
    repack(saved, weights=len(text).to_bytes(8, "little") + text + bytes(64))
    with pytest.raises(ProfileError, match=r"weights\.safetensors is not a set of tensors"):
        load(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(whole, saved, value):
    """One NaN would spread through everything that is rendered."""
    repack(saved, weights=tensors_with(whole, **{"0.out.bias": np.float32([value])}))
    with pytest.raises(ProfileError, match=r"tensor '0\.out\.bias' must be finite float32"):
        load(saved)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "bool"])
def test_weights_of_another_type_are_refused(whole, saved, dtype):
    """Weights are float32."""
    repack(saved, weights=tensors_with(whole, **{"0.out.bias": np.zeros(1, dtype)}))
    with pytest.raises(ProfileError, match=f"must be finite float32; found {dtype}"):
        load(saved)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not audio"),
        (b"Dear diary", "is not audio"),
        (audio(np.zeros((10, 1))), "found 1 channel"),
        (audio(np.zeros((10, 3))), "found 3 channel"),
        (audio(np.zeros((0, 2))), "of 0 frames"),
        (audio(np.zeros((10, 2)), rate=44_100), "at 44100 Hz"),
        (audio(np.full((10, 2), np.nan)), "finite dry and wet"),
    ],
    ids=["empty", "text", "mono", "three", "no frames", "rate", "nan"],
)
def test_another_golden_pair_is_refused(saved, content, says):
    """The pair is dry and wet at the profile's rate, finite, and at least a frame."""
    repack(saved, golden=content)
    with pytest.raises(ProfileError, match=rf"golden\.wav .*{says}"):
        load(saved)


def test_a_golden_pair_that_declares_hours_is_refused_unread(saved):
    """A packed format may declare any length; memory is asked for only within the limit."""
    flac = bytearray(audio(np.zeros((4096, 2)), form="FLAC", subtype="PCM_24"))
    flac[21] |= 0x0F  # the high bits of the 36-bit count of frames
    repack(saved, golden=bytes(flac))
    with pytest.raises(ProfileError, match=r"golden\.wav must hold .* found 2 channel\(s\) of 6442\d+ frames"):
        load(saved)
