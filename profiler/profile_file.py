"""Profile files: NAME.tonecast, a zip of profile.json, weights.safetensors and golden.wav. Nothing in it is code.

A file may come from anyone, so every size is bounded before anything is read, only the three names are taken,
tensors are float32 and finite, and nothing is ever unpickled or written to disk.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
import soundfile
from numpy.typing import NDArray
from safetensors import SafetensorError

from profiler.audio import Samples
from profiler.audio_file import undated
from profiler.errors import KnobError, ManifestError, ProfileError
from profiler.knob import checked_settings
from profiler.manifest import from_json, to_json
from profiler.profile import PROFILE_VERSIONS, LoadedProfile, Profile
from profiler.storage import write_bytes

__all__ = ["SUFFIX", "check_suffix", "load", "save"]

SUFFIX = ".tonecast"

_LIMITS = {"profile.json": 8 << 20, "weights.safetensors": 64 << 20, "golden.wav": 16 << 20}
_LARGEST_FILE = sum(_LIMITS.values())
_LONGEST_GOLDEN = _LIMITS["golden.wav"] // 8  # frames of two float32 channels
_REMEDY = "Ask for the file again, or train the profile again."


def save(path: Path, loaded: LoadedProfile) -> None:
    """Write a profile file atomically.

    Raises ProfileError for another suffix or weights that are not finite, StorageError when the disk refuses.
    """
    check_suffix(path)
    tensors = {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in loaded.weights.items()}
    if broken := [name for name, tensor in tensors.items() if not np.isfinite(tensor).all()]:
        raise ProfileError(f"The weights {broken[:3]} hold NaN or infinity, so the profile was not written.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("profile.json", to_json(loaded.profile)),
            ("weights.safetensors", safetensors.numpy.save(tensors)),
            ("golden.wav", _wav(loaded)),
        ):
            # A fixed date makes equal profiles equal files.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    write_bytes(path, buffer.getvalue())


def check_suffix(path: Path) -> None:
    """Raise ProfileError when a profile could not be written under this name."""
    if path.suffix != SUFFIX:
        raise ProfileError(f"A profile's name ends in {SUFFIX}; found {path.name!r}. Name it {path.stem}{SUFFIX}.")


def load(path: Path | str) -> LoadedProfile:
    """Read a profile file. Raises ProfileError that says what is wrong with it."""
    path = Path(path)
    contents = _contents(path)
    try:
        profile = from_json(
            Profile, contents["profile.json"], source=f"{path}: profile.json", versions=PROFILE_VERSIONS
        )
        checked_settings(profile.knobs, profile.golden_settings)
    except (ManifestError, KnobError) as error:
        raise ProfileError(f"{path}: {error}" if isinstance(error, KnobError) else str(error)) from error
    weights = _tensors(path, contents["weights.safetensors"])
    golden = _golden(path, contents["golden.wav"], profile.sample_rate)
    return LoadedProfile(profile=profile, weights=weights, golden_dry=golden[:1], golden_wet=golden[1:])


def _contents(path: Path) -> dict[str, bytes]:
    if not path.is_file():
        raise ProfileError(f"{path} is not there, or is not a file. Check the name.")
    size = path.stat().st_size
    if size > _LARGEST_FILE:
        raise ProfileError(f"{path} is {size >> 20} MB; a profile has at most {_LARGEST_FILE >> 20} MB.")
    try:
        with zipfile.ZipFile(path) as archive:
            return _entries(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise ProfileError(f"{path} is not a whole profile: {error}. {_REMEDY}") from error


def _entries(path: Path, archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    names = sorted(entry.filename for entry in entries)
    if names != sorted(_LIMITS):
        expected = ", ".join(sorted(_LIMITS))
        raise ProfileError(f"{path} holds {names[:6]}; a profile holds exactly {expected}. {_REMEDY}")
    contents = {}
    for entry in entries:
        limit = _LIMITS[entry.filename]
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ProfileError(f"{path}: {entry.filename} is packed in a way that no profile is. {_REMEDY}")
        if entry.file_size > limit:
            raise ProfileError(f"{path}: {entry.filename} declares {entry.file_size} bytes; at most {limit} are taken.")
        with archive.open(entry) as file:
            contents[entry.filename] = file.read(limit + 1)  # a zip bomb declares less than it holds
        if len(contents[entry.filename]) > limit:
            raise ProfileError(f"{path}: {entry.filename} holds more than the {limit} bytes that are taken.")
    return contents


def _tensors(path: Path, content: bytes) -> Mapping[str, NDArray[np.float32]]:
    try:
        tensors = safetensors.numpy.load(content)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, MemoryError) as error:
        raise ProfileError(f"{path}: weights.safetensors is not a set of tensors: {error}. {_REMEDY}") from error
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32 or not np.isfinite(tensor).all():
            raise ProfileError(f"{path}: tensor {name!r} must be finite float32; found {tensor.dtype}. {_REMEDY}")
    return tensors


def _golden(path: Path, content: bytes, sample_rate: int) -> Samples:
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            found = f"{file.channels} channel(s) of {file.frames} frames at {file.samplerate} Hz"
            fits = file.channels == 2 and 1 <= file.frames <= _LONGEST_GOLDEN and file.samplerate == sample_rate
            samples = file.read(file.frames if fits else 0, dtype="float32", always_2d=True)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ProfileError(f"{path}: golden.wav is not audio: {error}. {_REMEDY}") from error
    if not fits or not np.isfinite(samples).all():
        raise ProfileError(
            f"{path}: golden.wav must hold finite dry and wet at {sample_rate} Hz; found {found}. {_REMEDY}"
        )
    return np.ascontiguousarray(samples.T)


def _wav(loaded: LoadedProfile) -> bytes:
    buffer = io.BytesIO()
    pair = np.concatenate([loaded.golden_dry, loaded.golden_wet])
    soundfile.write(buffer, pair.T, loaded.profile.sample_rate, format="WAV", subtype="FLOAT")
    return undated(bytearray(buffer.getvalue()))  # equal profiles are equal files
