"""Audio files."""

import struct

import numpy as np
import pytest
import soundfile

from profiler.audio import Audio
from profiler.audio_file import read_audio, reading, write_audio, writing
from profiler.errors import AudioError, StorageError

SUFFIXES = [".wav", ".flac", ".aiff"]
CUTS = [3, 7, 11, 30, 100, 0.3, 0.5, 0.9, -5]
"""Where a file breaks off: in its first bytes, at a share of its length, near its end."""


def noise(*, channels: int = 1, frames: int = 20_000, sample_rate: int = 48_000) -> Audio:
    """Return noise just below full scale."""
    samples = np.random.default_rng(1).uniform(-0.99, 0.99, (channels, frames))
    return Audio(samples=samples.astype(np.float32), sample_rate=sample_rate)


def test_no_date_is_left_in_a_file(tmp_path):
    """Equal audio makes equal files, by which recordings are known again; the audio is not touched."""
    write_audio(tmp_path / "one.wav", noise())
    content = (tmp_path / "one.wav").read_bytes()
    stamp = content.index(b"PEAK") + 12
    assert content[stamp : stamp + 4] == bytes(4)
    assert np.array_equal(read_audio(tmp_path / "one.wav").samples, noise().samples)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [1, 20_000])
@pytest.mark.parametrize("sample_rate", [8000, 44_100, 96_000])
def test_a_file_comes_back_as_it_was(tmp_path, suffix, channels, frames, sample_rate):
    """Float files keep every bit, 24-bit ones every step, down to a single frame and 8 kHz."""
    audio = noise(channels=channels, frames=frames, sample_rate=sample_rate)
    path = tmp_path / f"a{suffix}"
    assert write_audio(path, audio) == 0
    back = read_audio(path)
    assert back.sample_rate == sample_rate
    assert back.samples.shape == (channels, frames)
    np.testing.assert_allclose(back.samples, audio.samples, rtol=0, atol=0 if suffix == ".wav" else 2**-23)


def test_a_float_file_keeps_what_is_beyond_full_scale(tmp_path):
    """Loud audio is not clipped on its way to a float file."""
    loud = Audio(samples=np.float32([[-3.5, 0, 1.0, 8.25]]), sample_rate=48_000)
    assert write_audio(tmp_path / "a.wav", loud) == 0
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav").samples, loud.samples)


@pytest.mark.parametrize(("name", "subtype"), [("a.flac", None), ("a.aif", None), ("a.wav", "PCM_16")])
def test_an_integer_file_limits_and_counts(tmp_path, name, subtype):
    """Frames beyond full scale stop at it instead of wrapping round, and are counted once for all channels."""
    loud = Audio(samples=np.float32([[-3.5, 0, 0.5, 8.25], [0, 0, 0.5, 2]]), sample_rate=48_000)
    assert write_audio(tmp_path / name, loud, subtype=subtype) == 2
    expected = [[-1, 0, 0.5, 1], [0, 0, 0.5, 1]]
    np.testing.assert_allclose(read_audio(tmp_path / name).samples, expected, atol=2**-15)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [1, 777, 20_000, 10**6])
def test_blocks_are_the_whole(tmp_path, suffix, size):
    """A file read or written in blocks of any size is the file read or written at once."""
    audio = noise(channels=2)
    path = tmp_path / f"a{suffix}"
    size = max(size, 50)
    with writing(path, sample_rate=48_000, channels=2, expected_frames=audio.frames) as writer:
        for start in range(0, audio.frames, size):
            writer.write(audio.samples[:, start : start + size])
    with reading(path) as reader:
        blocks = list(reader.blocks(size))
    assert [block.shape[1] for block in blocks[:-1]] == [size] * (len(blocks) - 1)
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), read_audio(path).samples)
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), audio.samples, rtol=0, atol=2**-23)


def test_any_place_of_a_file_can_be_read(tmp_path):
    """A reader gives exactly the frames asked for."""
    audio = noise(frames=5000)
    write_audio(tmp_path / "a.flac", audio)
    with reading(tmp_path / "a.flac") as reader:
        np.testing.assert_allclose(reader.read(4321, 10), audio.samples[:, 4321:4331], atol=2**-23)
        np.testing.assert_allclose(reader.read(5, 1), audio.samples[:, 5:6], atol=2**-23)
        with pytest.raises(AudioError, match="ends at frame 5000 of 5000"):
            reader.read(4990, 20)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("cut", CUTS)
def test_a_file_that_breaks_off_is_refused(tmp_path, suffix, cut):
    """Wherever a copy stopped, the reader names the file instead of handing out what is left."""
    path = tmp_path / f"a{suffix}"
    write_audio(path, noise())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(cut * len(whole)) if isinstance(cut, float) else cut])
    with pytest.raises(AudioError, match=f"{path} (is cut short|breaks off|is not audio)"):
        read_audio(path)


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF])
def test_a_recorder_that_could_not_seek_is_understood(tmp_path, declared):
    """Streamed WAV files leave their size open; that is no damage."""
    path = tmp_path / "a.wav"
    audio = noise(frames=1000)
    write_audio(path, audio)
    whole = bytearray(path.read_bytes())
    at = whole.index(b"data") + 4
    whole[4:8] = struct.pack("<I", declared)
    whole[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(whole)
    np.testing.assert_array_equal(read_audio(path).samples, audio.samples)


@pytest.mark.parametrize("name", ["text.wav", "text.flac", "text.aiff", "text.mp3", "text.raw", "text"])
def test_text_is_not_audio(tmp_path, name):
    """A text file under any name is refused with the formats that are taken."""
    path = tmp_path / name
    path.write_text("Dear diary, " * 100)
    with pytest.raises(AudioError, match=f"{path} is not audio that can be read .*Expected WAV, FLAC, AIFF"):
        read_audio(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file_is_refused(tmp_path, suffix):
    """Nothing at all is told apart from damage."""
    path = tmp_path / f"a{suffix}"
    path.touch()
    with pytest.raises(AudioError, match=f"{path} is empty: 0 bytes"):
        read_audio(path)


def test_a_file_of_no_frames_is_refused(tmp_path):
    """A header alone is a whole file without sound."""
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 1), np.float32), 48_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="holds no audio: 0 frames"):
        read_audio(tmp_path / "a.wav")


def test_a_missing_file_is_refused(tmp_path):
    """A file that is not there, a folder, and a name no disk takes are told with the name."""
    for path in (tmp_path / "none.wav", tmp_path, tmp_path / ("long" * 100 + ".wav")):
        with pytest.raises(AudioError, match=r"(is not there|cannot be read).*Check the name"):
            read_audio(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_is_refused_with_its_place(tmp_path, value):
    """NaN and infinity are found in any channel, however the file is read."""
    samples = np.zeros((3000, 2), np.float32)
    samples[2345, 1] = value
    soundfile.write(tmp_path / "a.wav", samples, 48_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="NaN or infinity at frame 2345"):
        read_audio(tmp_path / "a.wav")
    with reading(tmp_path / "a.wav") as reader, pytest.raises(AudioError, match="NaN or infinity at frame 2345"):
        list(reader.blocks(1000))


def test_too_many_channels_are_refused(tmp_path):
    """A file of hundreds of channels is no recording."""
    soundfile.write(tmp_path / "a.wav", np.zeros((10, 65), np.float32), 48_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="has 65 channels; at most 64"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["a.mp3", "a.txt", "a", ".wav"])
def test_a_format_that_is_not_written_is_refused(tmp_path, name):
    """The message lists what the name may end in, and nothing is left."""
    with pytest.raises(AudioError, match=r"must end in \.wav, \.flac, \.aiff, \.aif"):
        write_audio(tmp_path / name, noise())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("channels", "sample_rate"), [(9, 48_000), (1, 10_000_000)])
def test_what_a_format_cannot_hold_is_refused(tmp_path, channels, sample_rate):
    """FLAC takes eight channels and 655 kHz at most."""
    with pytest.raises(AudioError, match="cannot be written as PCM_24"):
        write_audio(tmp_path / "a.flac", noise(channels=channels, frames=10, sample_rate=sample_rate))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_not_written(tmp_path, suffix):
    """A file that no reader would take is not made."""
    with pytest.raises(AudioError, match="0 frames were written"):
        write_audio(tmp_path / f"a{suffix}", Audio(samples=np.zeros((1, 0), np.float32), sample_rate=48_000))
    assert list(tmp_path.iterdir()) == []


def _break_off(path):
    with writing(path, sample_rate=48_000, channels=1, expected_frames=20_000) as writer:
        writer.write(noise().samples)
        raise KeyboardInterrupt


def test_writing_that_stops_leaves_the_old_file(tmp_path):
    """A writer that is interrupted changes nothing."""
    path = tmp_path / "a.wav"
    write_audio(path, noise(frames=100))
    with pytest.raises(KeyboardInterrupt):
        _break_off(path)
    np.testing.assert_array_equal(read_audio(path).samples, noise(frames=100).samples)
    assert [each.name for each in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("lacking", [1, 5000, 200_000])
def test_a_full_disk_leaves_the_old_file(small_disk, suffix, lacking):
    """Whether much or only the last buffer has no space: an error, the old file whole, and no scratch file."""
    path = small_disk.path / f"a{suffix}"
    old, new = noise(frames=5000), noise(frames=70_000)
    write_audio(path, new)
    size = path.stat().st_size
    write_audio(path, old)
    small_disk.fill(leave=size - lacking)
    with pytest.raises(StorageError, match=f"No space left while writing {path}"):
        write_audio(path, new)
    assert small_disk.scratch_files() == []
    np.testing.assert_allclose(read_audio(path).samples, old.samples, rtol=0, atol=2**-23)
    small_disk.free()
    write_audio(path, new)
    np.testing.assert_allclose(read_audio(path).samples, new.samples, rtol=0, atol=2**-23)
