"""Audio files: read whole or in blocks, written whole or not at all.

What is on disk goes through here to soundfile (libsndfile): WAV, FLAC, AIFF, OGG and MP3 in; WAV, FLAC and AIFF out.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from profiler.audio import Audio, Samples
from profiler.errors import AudioError, StorageError
from profiler.markers import add_markers, markers_of
from profiler.storage import replacing

__all__ = ["AudioReader", "AudioWriter", "read_audio", "reading", "undated", "write_audio", "writing"]

MAXIMUM_CHANNELS = 64
_HEADER_BYTES = 4096
_FORMATS = {
    ".wav": ("WAV", "FLOAT"),
    ".flac": ("FLAC", "PCM_24"),
    ".aiff": ("AIFF", "PCM_24"),
    ".aif": ("AIFF", "PCM_24"),
}
_SYSTEM_ERROR = 2  # libsndfile's code when the operating system refused; the format is fine
_RIFF_LIMIT = 4_000_000_000  # a WAV's size field has 32 bits; beyond it the file must be RF64


@dataclass(frozen=True)
class AudioReader:
    """An open audio file that is read in blocks of shape (channels, frames)."""

    path: Path
    file: soundfile.SoundFile

    @property
    def frames(self) -> int:
        """How many instants the file declares."""
        return int(self.file.frames)

    @property
    def channels(self) -> int:
        """How many channels the file has."""
        return int(self.file.channels)

    @property
    def sample_rate(self) -> int:
        """The file's rate in Hz."""
        return int(self.file.samplerate)

    def blocks(self, frames: int) -> Iterator[Samples]:
        """Yield the whole file in blocks of at most `frames`. Raises AudioError for a cut file or NaN."""
        done = 0
        while done < self.frames:
            block = self.read(done, min(frames, self.frames - done))
            done += block.shape[1]
            yield block

    def read(self, start: int, frames: int) -> Samples:
        """Return exactly `frames` frames from `start`. Raises AudioError."""
        try:
            self.file.seek(start)
            block = self.file.read(frames, dtype="float32", always_2d=True).T
        except soundfile.LibsndfileError as error:
            raise AudioError(
                f"{self.path} breaks off or is damaged near frame {start}: {error.error_string} "
                "Copy or export it again."
            ) from error
        if block.shape[1] < frames:
            raise _cut(self.path, f"ends at frame {start + block.shape[1]} of {self.frames}")
        if not np.isfinite(block).all():
            bad = start + int(np.argmin(np.isfinite(block).all(axis=0)))
            raise AudioError(f"{self.path} holds NaN or infinity at frame {bad}. Export the recording again.")
        return np.ascontiguousarray(block)


class AudioWriter:
    """An audio file being written in blocks; what an integer format cuts off is counted."""

    def __init__(self, path: Path, file: soundfile.SoundFile) -> None:
        self.path = path
        self.limited_frames = 0
        self.frames = 0
        self.peak = 0.0
        self._file = file
        self._integer = file.subtype not in ("FLOAT", "DOUBLE")
        self._dither = np.random.default_rng(0) if file.subtype == "PCM_16" else None

    def write(self, samples: Samples) -> None:
        """Append a block of shape (channels, frames). Raises StorageError when the disk refuses."""
        sizes = np.abs(samples)
        self.peak = max(self.peak, float(sizes.max(initial=0.0)))
        if self._integer:
            over = sizes > 1.0
            if over.any():
                self.limited_frames += int(over.any(axis=0).sum())
                samples = np.clip(samples, -1.0, 1.0)
        try:
            self._file.write((samples if self._dither is None else _dithered(samples, self._dither)).T)
        except (RuntimeError, AssertionError) as error:  # libsndfile reports a full disk as either
            raise _disk_refused(self.path) from error
        self.frames += samples.shape[1]


@contextlib.contextmanager
def reading(path: Path) -> Iterator[AudioReader]:
    """Open an audio file. Raises AudioError when it is missing, empty, cut, not audio or has no frames."""
    path = Path(path)
    try:
        _check_file(path)
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: a suffix that stands for headerless samples
        reason = getattr(error, "error_string", str(error)).strip()
        raise AudioError(
            f"{path} is not audio that can be read ({reason}). Expected WAV, FLAC, AIFF, OGG or MP3."
        ) from error
    except OSError as error:
        raise AudioError(
            f"{path} cannot be read: {error.strerror or error}. Check the name and the permissions."
        ) from error
    with file:
        if file.frames < 1:
            raise AudioError(f"{path} holds no audio: 0 frames. Expected at least one.")
        if file.channels > MAXIMUM_CHANNELS:
            raise AudioError(f"{path} has {file.channels} channels; at most {MAXIMUM_CHANNELS} are taken.")
        yield AudioReader(path, file)


def read_audio(path: Path) -> Audio:
    """Read a whole file. Raises AudioError."""
    with reading(path) as reader:
        return Audio(samples=reader.read(0, reader.frames), sample_rate=reader.sample_rate)


@contextlib.contextmanager
def writing(
    path: Path,
    *,
    sample_rate: int,
    channels: int,
    expected_frames: int,
    subtype: str | None = None,
    like: AudioReader | None = None,
) -> Iterator[AudioWriter]:
    """Open a file for writing that takes its place only when the block ends well.

    WAV is written as 32-bit float, FLAC and AIFF as 24 bit, unless `subtype` (libsndfile's name) says otherwise. Where
    there is sound, 16 bits are dithered by noise of a triangular density two steps wide (Lipshitz et al. 1992). Tags,
    and markers where the kind of file and the rate are the same, are taken over from the file that it is `like`.
    Raises AudioError for a suffix that is not WAV, FLAC or AIFF, or when nothing is written; StorageError when the
    disk refuses.
    """
    if path.suffix.lower() not in _FORMATS:
        raise AudioError(
            f"{path.name}: the name must end in {', '.join(_FORMATS)}; found {path.suffix or 'no suffix'!r}."
        )
    form, usual = _FORMATS[path.suffix.lower()]
    subtype = subtype or usual
    if form == "WAV" and expected_frames * channels * 4 > _RIFF_LIMIT:
        form = "RF64"
    with replacing(path) as scratch:
        try:
            file = soundfile.SoundFile(scratch, "w", sample_rate, channels, subtype=subtype, format=form)
        except (RuntimeError, ValueError) as error:
            if getattr(error, "code", None) == _SYSTEM_ERROR:
                raise _disk_refused(path) from error
            raise AudioError(f"{path} cannot be written as {subtype} at {sample_rate} Hz: {error}") from error
        with file:
            if like is not None:
                _tag(file, like)
            writer = AudioWriter(path, file)
            yield writer
        _undate(scratch)
        if like is not None and like.sample_rate == sample_rate:
            add_markers(scratch, markers_of(like.path))
        _check_written(scratch, writer)


def write_audio(path: Path, audio: Audio, *, subtype: str | None = None) -> int:
    """Write a whole file atomically and return how many frames an integer format cut off."""
    with writing(
        path,
        sample_rate=audio.sample_rate,
        channels=audio.channels,
        expected_frames=audio.frames,
        subtype=subtype,
    ) as writer:
        writer.write(audio.samples)
    return writer.limited_frames


def _tag(file: soundfile.SoundFile, like: AudioReader) -> None:
    """Take over what a file is called, by whom, and so on; libsndfile adds its own name to that of the software."""
    for name, text in like.file.copy_metadata().items():
        if name != "software":
            with contextlib.suppress(soundfile.LibsndfileError):  # a tag that this kind of file does not have
                setattr(file, name, text)


def _dithered(samples: Samples, rng: np.random.Generator) -> NDArray[np.int16]:
    one, other = rng.random((2, *samples.shape), np.float32)
    steps = np.where(samples == 0, 0, np.rint(samples * 32_768 + (one - other)))
    return np.clip(steps, -32_768, 32_767).astype(np.int16)


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise AudioError(f"{path} is not there, or is not a file. Check the name.")
    size = path.stat().st_size
    if size == 0:
        raise AudioError(f"{path} is empty: 0 bytes. Expected a WAV, FLAC, AIFF, OGG or MP3 file.")
    with path.open("rb") as file:
        head = file.read(8)
    order = {b"RIFF": "little", b"FORM": "big"}.get(head[:4])
    if order is None or len(head) < 8:
        return
    declared = int.from_bytes(head[4:8], "little" if order == "little" else "big") + 8
    # Recorders that cannot seek leave 0 or 2^32-1 there; libsndfile copes with both.
    if declared not in (8, 0xFFFFFFFF + 8) and declared > size + 1:
        raise _cut(path, f"has {size} of {declared} bytes")


def _undate(path: Path) -> None:
    """Blank the time of day that libsndfile leaves in a float WAV, so that equal audio makes equal files and hashes."""
    with path.open("rb+") as file:
        head = bytearray(file.read(_HEADER_BYTES))
        file.seek(0)
        file.write(undated(head))


def undated(wav: bytearray) -> bytes:
    """Return the beginning of a WAV, or all of it, with the date of its PEAK chunk blanked."""
    data = wav.find(b"data")
    stamp = wav.find(b"PEAK", 0, data if data >= 0 else None)
    if stamp >= 0:
        wav[stamp + 12 : stamp + 16] = bytes(4)
    return bytes(wav)


def _check_written(scratch: Path, writer: AudioWriter) -> None:
    """Buffered frames can be lost to a full disk when the file closes, without a word: look at what is there."""
    if writer.frames < 1:
        raise AudioError(f"{writer.path} would hold no audio: 0 frames were written. Expected at least one.")
    try:
        frames = soundfile.info(scratch).frames
    except RuntimeError as error:
        raise _disk_refused(writer.path) from error
    if frames != writer.frames or _is_short(scratch):
        raise _disk_refused(writer.path)


def _is_short(path: Path) -> bool:
    try:
        _check_file(path)
    except AudioError:
        return True
    return False


def _cut(path: Path, how: str) -> AudioError:
    return AudioError(f"{path} is cut short: it {how}. Copy or export it again.")


def _disk_refused(path: Path) -> StorageError:
    return StorageError(
        f"No space left while writing {path}. Nothing half-written was left: free some space and run it again."
    )
