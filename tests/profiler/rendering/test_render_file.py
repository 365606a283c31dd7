"""Rendering of files: the sound, and that a file appears whole or not at all."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import profiler
from profiler.chain import Chain
from profiler.errors import AudioError, StorageError
from profiler.pedalboard_effect import PedalboardEffect
from profiler.progress import Progress
from profiler.rendering import ProfileProcessor, render_file

RATE = 44_100


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a stereo file of three blocks and a bit, whose last frame is loud."""
    rng = np.random.default_rng(0)
    path = tmp_path / "dry.wav"
    soundfile.write(path, rng.normal(0, 0.15, (200_000, 2)).astype(np.float32), RATE, subtype="FLOAT")
    return path


def gain(db: float) -> PedalboardEffect:
    """Return a plain gain."""
    return PedalboardEffect("Gain", {"gain_db": db})


def read(path: Path) -> np.ndarray:
    """Return a file's samples, (channels, frames)."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def test_a_profile_is_rendered_into_a_file(trained: Path, source: Path, tmp_path: Path):
    """The file holds what the processor returns for the whole signal, at the source's rate, channels and length."""
    processor = ProfileProcessor(profiler.load(trained), {"drive_db": 15})
    written = render_file(processor, source, tmp_path / "wet.wav")
    info = soundfile.info(tmp_path / "wet.wav")
    assert (info.samplerate, info.channels, info.frames, info.subtype) == (RATE, 2, 200_000, "FLOAT")
    assert (written.frames, written.limited_frames) == (200_000, 0)
    assert np.abs(read(tmp_path / "wet.wav") - processor.process(read(source), RATE)).max() < 1e-5


def test_latency_does_not_cost_the_end(source: Path, tmp_path: Path):
    """An effect that holds frames back gives them at the end: the file is as long and its end as loud."""
    chain = Chain([PedalboardEffect("BrickwallLimiter"), PedalboardEffect("Resample"), gain(-6)])
    render_file(chain, source, tmp_path / "wet.wav")
    wet = read(tmp_path / "wet.wav")
    assert wet.shape == (2, 200_000)
    assert np.abs(wet - chain.process(read(source), RATE)).max() < 1e-6
    assert np.abs(wet[:, -50:]).max() > 0.02


@pytest.mark.parametrize(("suffix", "subtype"), [(".wav", "FLOAT"), (".flac", "PCM_24"), (".aiff", "PCM_24")])
def test_every_format_holds_the_sound(source: Path, tmp_path: Path, suffix: str, subtype: str):
    """WAV is float, FLAC and AIFF are 24 bit: the same sound to half a step."""
    target = tmp_path / f"wet{suffix}"
    assert render_file(gain(-6), source, target).limited_frames == 0
    assert soundfile.info(target).subtype == subtype
    assert np.abs(read(target) - gain(-6).process(read(source), RATE)).max() <= (0 if suffix == ".wav" else 2**-23)


@pytest.mark.parametrize("suffix", [".flac", ".aiff"])
def test_what_an_integer_format_limits_is_counted(source: Path, tmp_path: Path, suffix: str):
    """Frames beyond full scale in any channel are counted once and written at full scale."""
    loud = gain(12).process(read(source), RATE)
    over = int((np.abs(loud) > 1).any(axis=0).sum())
    written = render_file(gain(12), source, tmp_path / f"wet{suffix}")
    assert over > 1000
    assert written.limited_frames == over
    assert np.abs(read(tmp_path / f"wet{suffix}") - np.clip(loud, -1, 1)).max() <= 2**-22


def test_a_float_file_keeps_what_is_beyond_full_scale(source: Path, tmp_path: Path):
    """In WAV nothing is limited."""
    written = render_file(gain(12), source, tmp_path / "wet.wav")
    wet = read(tmp_path / "wet.wav")
    assert np.abs(wet).max() > 1.5
    assert np.array_equal(wet, gain(12).process(read(source), RATE))
    assert written.limited_frames == 0


@pytest.mark.parametrize("alias", ["same", "link"])
def test_the_file_that_is_read_is_not_written(source: Path, tmp_path: Path, alias: str):
    """The source under its own or another name is refused and unharmed."""
    before = source.read_bytes()
    target = source
    if alias == "link":
        target = tmp_path / "link.wav"
        target.hardlink_to(source)
    with pytest.raises(AudioError, match="the file that is read"):
        render_file(gain(0), source, target)
    assert source.read_bytes() == before


def test_progress_climbs_to_the_end(source: Path, tmp_path: Path):
    """Progress is told block by block, ends at 1 and never goes back."""
    told: list[Progress] = []
    render_file(gain(0), source, tmp_path / "wet.wav", on_progress=told.append)
    done = [each.done for each in told]
    assert len(done) >= 3
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert told[-1].seconds_left == 0.0


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_full_disk_leaves_nothing_half_written(source: Path, small_disk, suffix: str):
    """When the disk is full the error says so, and neither the file nor a scratch file is left."""
    with pytest.raises(StorageError, match="No space left"):
        render_file(gain(-6), source, small_disk.path / f"wet{suffix}")
    assert list(small_disk.path.iterdir()) == []


def test_a_full_disk_leaves_the_earlier_file(source: Path, small_disk):
    """A result of before stays as it is when there is no room for the new one."""
    target = small_disk.path / "wet.wav"
    target.write_bytes(b"earlier")
    with pytest.raises(StorageError):
        render_file(gain(-6), source, target)
    assert target.read_bytes() == b"earlier"
    assert list(small_disk.path.iterdir()) == [target]


def cut_flac(source: Path, path: Path) -> Path:
    """Write a FLAC of the source that breaks off in its middle."""
    soundfile.write(path, read(source).T, RATE, format="FLAC", subtype="PCM_24")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


@pytest.mark.parametrize("kind", ["wav", "flac", "nan"])
@pytest.mark.parametrize("earlier", [b"", b"an earlier result"])
def test_a_damaged_source_leaves_the_target_as_it_was(source: Path, tmp_path: Path, kind: str, earlier: bytes):
    """A source that breaks off or holds NaN after its first block is an AudioError that touches nothing."""
    damaged = tmp_path / f"damaged.{'flac' if kind == 'flac' else 'wav'}"
    if kind == "flac":
        cut_flac(source, damaged)
    elif kind == "wav":
        damaged.write_bytes(source.read_bytes()[:1_000_000])
    else:
        samples = read(source)
        samples[1, 150_000] = np.nan
        soundfile.write(damaged, samples.T, RATE, subtype="FLOAT")
    out = tmp_path / "out"
    out.mkdir()
    if earlier:
        (out / "wet.wav").write_bytes(earlier)
    with pytest.raises(AudioError, match=r"cut short|breaks off|NaN or infinity at frame 150000"):
        render_file(gain(0), damaged, out / "wet.wav")
    left = {path.name: path.read_bytes() for path in out.iterdir()}
    assert left == ({"wet.wav": earlier} if earlier else {})


def test_a_name_that_is_no_audio_format_is_refused(source: Path, tmp_path: Path):
    """Another suffix is answered with those that can be written."""
    with pytest.raises(AudioError, match=r"must end in \.wav, \.flac"):
        render_file(gain(0), source, tmp_path / "wet.mp3")
    with pytest.raises(AudioError, match="is not there"):
        render_file(gain(0), tmp_path / "no.wav", tmp_path / "wet.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["dry.wav"]


def test_a_tail_is_kept_as_long_as_it_sounds(tmp_path: Path):
    """Echoes two seconds apart are waited for; the end is the last frame that is heard; the beginning is the same."""
    path = tmp_path / "click.wav"
    click = np.zeros((1000, 2), np.float32)
    click[-10] = 0.5
    soundfile.write(path, click, 8000, subtype="FLOAT")
    settings = {"delay_seconds": 2.0, "feedback": 0.5, "mix": 0.5}
    written = render_file(PedalboardEffect("Delay", settings), path, tmp_path / "long.wav", keep_tail=True)
    render_file(PedalboardEffect("Delay", settings), path, tmp_path / "short.wav")
    long, short = read(tmp_path / "long.wav"), read(tmp_path / "short.wav")
    assert written.frames == long.shape[1]
    assert short.shape == (2, 1000)
    assert np.array_equal(long[:, :1000], short)
    heard = np.flatnonzero(np.abs(long[0]) > 1e-9)
    assert np.allclose(np.diff(heard), 16_000, atol=2)
    assert len(heard) == 1 + 13  # the thirteenth echo is half of half of 0.5, halved twelve times: -84 dBFS
    assert heard[-1] == long.shape[1] - 1


@pytest.mark.parametrize("effect", ["Gain", "BrickwallLimiter", "Resample"])
def test_what_ends_has_no_tail(source: Path, tmp_path: Path, effect: str):
    """Nothing is added where the sound is over with the dry, and an effect that holds frames back loses none."""
    render_file(PedalboardEffect(effect), source, tmp_path / "kept.wav", keep_tail=True)
    render_file(PedalboardEffect(effect), source, tmp_path / "wet.wav")
    kept, wet = read(tmp_path / "kept.wav"), read(tmp_path / "wet.wav")
    assert np.array_equal(kept[:, :200_000], wet)
    assert kept.shape[1] <= 200_000 + (200 if effect == "Resample" else 0)


def test_a_tail_without_an_end_is_cut_after_a_minute(tmp_path: Path):
    """A delay that feeds everything back."""
    soundfile.write(tmp_path / "dry.wav", np.full(4000, 0.1, np.float32), 8000, subtype="FLOAT")
    loop = PedalboardEffect("Delay", {"delay_seconds": 0.1, "feedback": 1.0, "mix": 1.0})
    written = render_file(loop, tmp_path / "dry.wav", tmp_path / "wet.wav", keep_tail=True)
    assert written.frames == 4000 + 60 * 8000
