"""Markers and tags that are taken from one file to another."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from profiler import audio_file
from profiler.audio_file import reading, writing
from profiler.markers import add_markers, markers_of

CUE = (b"cue ", struct.pack("<I", 1) + struct.pack("<II4sIII", 1, 700, b"data", 0, 0, 700))
LABEL = (b"LIST", b"adtl" + b"labl" + struct.pack("<I", 11) + struct.pack("<I", 1) + b"Chorus\0" + b"\0")
BROADCAST = (b"bext", b"Take 3".ljust(338, b"\0") + struct.pack("<Q", 48_000 * 3600) + bytes(257))
MARK = (b"MARK", struct.pack(">HHIB", 1, 1, 700, 6) + b"Chorus" + b"\0")
SOUND = np.random.default_rng(0).normal(0, 0.1, (1501, 1)).astype(np.float32)


def marked(path: Path, *chunks: tuple[bytes, bytes], subtype: str = "PCM_24", rate: int = 48_000) -> Path:
    """Write a file with these chunks at its end."""
    soundfile.write(path, SOUND, rate, subtype=subtype, format="WAV" if path.suffix == ".wav" else "AIFF")
    add_markers(path, chunks)
    return path


def copied(source: Path, target: Path, *, rate: int | None = None, subtype: str | None = None) -> Path:
    """Write the sound of one file into another that is like it."""
    with reading(source) as reader:
        frames, own = reader.frames, reader.sample_rate
        with writing(
            target, sample_rate=rate or own, channels=1, expected_frames=frames, subtype=subtype, like=reader
        ) as writer:
            writer.write(reader.read(0, frames))
    return target


@pytest.mark.parametrize(
    ("name", "chunks"), [("a.wav", (CUE, LABEL, BROADCAST)), ("a.aiff", (MARK,)), ("a.AIF", (MARK,))]
)
def test_markers_are_taken_over(tmp_path: Path, name: str, chunks: tuple[tuple[bytes, bytes], ...]):
    """Every chunk to the byte, the sound as it was, in a file that other readers take."""
    source = marked(tmp_path / name, *chunks)
    assert markers_of(source) == chunks
    target = copied(source, tmp_path / ("b" + Path(name).suffix))
    assert markers_of(target) == chunks
    assert np.abs(soundfile.read(target, dtype="float32")[0] - SOUND[:, 0]).max() < 2e-7
    size = int.from_bytes(target.read_bytes()[4:8], "little" if name == "a.wav" else "big")
    assert size + 8 == target.stat().st_size


def test_very_long_files_keep_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Beyond 4 GB a WAV is an RF64, which tells its size elsewhere; one is read and one is written here."""
    monkeypatch.setattr(audio_file, "_RIFF_LIMIT", 1000)
    source = copied(marked(tmp_path / "a.wav", CUE), tmp_path / "b.wav")
    assert source.read_bytes()[:4] == b"RF64"
    target = copied(source, tmp_path / "c.wav")
    assert markers_of(target) == (CUE,)
    assert struct.unpack("<Q", target.read_bytes()[20:28])[0] + 8 == target.stat().st_size
    assert soundfile.info(target).frames == len(SOUND)


def test_markers_do_not_fit_another_rate_or_kind(tmp_path: Path):
    """They count frames, and each kind of file has its own."""
    source = marked(tmp_path / "a.wav", CUE)
    assert markers_of(copied(source, tmp_path / "b.wav", rate=44_100)) == ()
    assert markers_of(copied(source, tmp_path / "b.aiff")) == ()
    assert markers_of(copied(source, tmp_path / "b.flac")) == ()


@pytest.mark.parametrize(("source", "target"), [("a.wav", "b.wav"), ("a.flac", "b.flac"), ("a.wav", "b.flac")])
def test_tags_are_taken_over(tmp_path: Path, source: str, target: str):
    """What the song is called and by whom, into files of another kind as well."""
    with soundfile.SoundFile(tmp_path / source, "w", 48_000, 1, subtype="PCM_24") as file:
        file.title, file.artist, file.comment = "Blue", "The Reds", "too loud"
        file.write(SOUND)
    with soundfile.SoundFile(copied(tmp_path / source, tmp_path / target)) as file:
        assert (file.title, file.artist, file.comment) == ("Blue", "The Reds", "too loud")


@pytest.mark.parametrize("cut", [2, 5, 20, 40, 60])
def test_damaged_chunks_are_left(tmp_path: Path, cut: int):
    """What breaks off is not taken over, what came before is."""
    path = marked(tmp_path / "a.wav", CUE, BROADCAST)
    path.write_bytes(path.read_bytes()[:-cut])
    assert markers_of(path) == (CUE,)


def test_what_has_no_markers_has_none(tmp_path: Path):
    """Text, a file that is not there, one that claims to go on for ever, and lists that are tags."""
    (tmp_path / "a.wav").write_text("no sound at all, but long enough to be looked at")
    (tmp_path / "b.wav").write_bytes(b"RIFF\0\0\0\0WAVE" + 2000 * b"junk\0\0\0\0")
    (tmp_path / "c.wav").write_bytes(b"RIFF\0\0\0\0WAVE" + b"cue \xff\xff\xff\xff")
    (tmp_path / "d.wav").write_bytes(b"RIFF\0\0\0\0WAVE" + b"LIST\x04\0\0\0INFO")
    for name in ("a.wav", "b.wav", "c.wav", "d.wav", "none.wav"):
        assert markers_of(tmp_path / name) == ()
