"""A render job's own work, on what strangers send as recordings: refused in words, or played as what it is."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from api.job import RenderOrder
from api.jobs.folder import PROFILE
from api.jobs.playing import rendered
from api.jobs.teller import Teller
from profiler.errors import ProfilerError
from profiler.presets import preset_path

ORDER = RenderOrder(profile_id=1, version=1, sha256="0" * 64)


class Silent(Teller):
    """Says nothing."""

    def say(self, **told: object) -> None:
        """Do nothing with it."""


@pytest.fixture
def render(tmp_path: Path) -> Callable[[bytes], Path]:
    """A function that renders a file as a worker's process does, and returns the wet file."""
    (tmp_path / PROFILE).write_bytes(preset_path("bus-compressor").read_bytes())

    def done(content: bytes) -> Path:
        (tmp_path / "material").write_bytes(content)
        return tmp_path / rendered(tmp_path, ORDER, Silent())["file"]

    return done


def wav(samples: np.ndarray, rate: int = 48_000, kind: str = "WAV", subtype: str = "FLOAT") -> bytes:
    """Return a recording of shape (frames, channels)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def noise(frames: int, channels: int = 1) -> np.ndarray:
    """Return noise at -20 dBFS or so."""
    return (0.1 * np.random.default_rng(0).standard_normal((frames, channels))).astype(np.float32)


def lying() -> bytes:
    """Return a WAV of a tenth of a second that declares four gigabytes."""
    content = bytearray(wav(noise(4800)))
    at = content.index(b"data")
    content[at + 4 : at + 8] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"RIFF" + bytes(100), "is not audio that can be read"),
        (b"fLaC" + bytes(100), "is not audio that can be read"),
        (b"ID3" + b"\xff" * 1000, "is not audio that can be read"),
        (wav(noise(0)), "holds no audio"),
        (wav(noise(48_000), kind="FLAC", subtype="PCM_24")[:20_000], "breaks off or is damaged"),
        (wav(np.full((4800, 1), np.nan, np.float32)), "holds NaN or infinity at frame 0"),
    ],
    ids=["riff", "flac", "mp3", "empty", "cut", "nan"],
)
def test_what_is_no_recording_fails_in_words(render, tmp_path: Path, content: bytes, reason: str):
    """And leaves no wet file, whole or half."""
    with pytest.raises(ProfilerError, match=reason):
        render(content)
    assert {path.name for path in tmp_path.iterdir()} == {PROFILE, "material"}


@pytest.mark.parametrize(
    ("content", "shape", "rate"),
    [
        (lying(), (4800, 1), 48_000),
        (wav(noise(4800, channels=64)), (4800, 64), 48_000),
        (wav(noise(100), rate=100), (100, 1), 100),
        (wav(noise(1)), (1, 1), 48_000),
    ],
    ids=["lying", "channels", "rate", "one"],
)
def test_what_is_odd_is_played_as_what_it_is(render, content: bytes, shape: tuple[int, int], rate: int):
    """What a header declares and is not there is neither awaited nor made room for."""
    wet, found = soundfile.read(render(content), always_2d=True)
    assert (wet.shape, found) == (shape, rate)
    assert np.isfinite(wet).all()
