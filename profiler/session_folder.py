"""A capture session on disk: `session.json`, `dry/NNN.wav`, `takes/NNN.wav` and knob tracks beside their takes.

Everything is written atomically and `session.json` after every take, so a session is whole whenever it is looked at. A
take that is recorded once more lies beside the old one, as `takes/NNN-2.wav`, until `session.json` names it.
"""

import contextlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import filelock
import numpy as np

from profiler.alignment import aligned
from profiler.audio import Audio, AudioStream, Samples
from profiler.audio_file import read_audio, reading, writing
from profiler.errors import SessionError
from profiler.knob_track import KnobTrack
from profiler.manifest import read_manifest, write_manifest
from profiler.session import SESSION_VERSIONS, CaptureSession, Dry, Take
from profiler.stimulus import Stimulus
from profiler.storage import sha256_of

__all__ = ["SessionFolder"]


class SessionFolder:
    """A session and the folder that keeps it. Open one with `open`, start or go on with one by `create`."""

    def __init__(self, path: Path, session: CaptureSession) -> None:
        self.path = path
        self.session = session
        self._checked: set[str] = set()  # files that were found to be those recorded

    @classmethod
    def open(cls, path: Path) -> "SessionFolder":
        """Open a session. Raises SessionError when there is none, ManifestError when it is damaged."""
        if not (path / "session.json").is_file():
            raise SessionError(
                f"{path} is not a capture session: it has no session.json. Record one with: tonecast capture."
            )
        return cls(path, read_manifest(CaptureSession, path / "session.json", versions=SESSION_VERSIONS))

    @classmethod
    def create(cls, path: Path, session: CaptureSession) -> "SessionFolder":
        """Start a session without takes, or go on with the one that is there.

        Raises SessionError when the folder holds another session or other things.
        """
        if (path / "session.json").is_file():
            found = cls.open(path)
            if replace(found.session, dries=(), takes=()) != session:
                raise SessionError(
                    f"{path} already holds a session of {found.session.gear.name} with other gear, knobs or rate. "
                    "Choose another folder, or remove that one."
                )
            return found
        # Hidden files do not count: a capture that was killed at once leaves a scratch file and nothing else.
        if path.exists() and not (path.is_dir() and all(each.name.startswith(".") for each in path.iterdir())):
            raise SessionError(f"{path} is there already and is not a session. Choose a new or an empty folder.")
        folder = cls(path, session)
        folder._save(session)
        return folder

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other processes from adding to this session, and see what they added before.

        Raises SessionError when another process is at it.
        """
        try:
            with filelock.FileLock(self.path / ".lock", timeout=0):
                self.session = SessionFolder.open(self.path).session
                yield
        except filelock.Timeout:
            raise SessionError(
                f"Another process is recording into {self.path}. Wait until it is done, or choose another folder."
            ) from None

    def add_dry(
        self, audio: Audio | AudioStream, stimulus: Stimulus | None, *, source_sha256: str | None = None
    ) -> int:
        """Keep a dry signal and return its number; one that is there already keeps its number."""
        for number, dry in enumerate(self.session.dries):
            same_stimulus = stimulus is not None and dry.stimulus == stimulus
            if same_stimulus or (source_sha256 is not None and dry.source_sha256 == source_sha256):
                return number
        number = len(self.session.dries)
        file = f"dry/{number:03}.wav"
        frames = self._write(file, audio)
        sha256 = sha256_of(self.path / file)
        for earlier, other in enumerate(self.session.dries):
            if other.sha256 == sha256:
                (self.path / file).unlink()
                return earlier
        dry = Dry(file=file, sha256=sha256, frames=frames, stimulus=stimulus, source_sha256=source_sha256)
        self._save(replace(self.session, dries=(*self.session.dries, dry)))
        return number

    def add_take(self, take: Take, wet: Audio | AudioStream, track: KnobTrack | None = None) -> Take:
        """Keep a take, in place of one of that number; its file, hash and length are filled in here.

        An earlier recording of that number stays until the new one is on disk and in the session. Raises StorageError
        with the session unharmed.
        """
        file = self._free_name(take.number)
        frames = self._write(file, wet)
        knob_track = None
        if track is not None:
            knob_track = f"{file.removesuffix('.wav')}.knobs.json"
            write_manifest(self.path / knob_track, track)
        kept = replace(take, file=file, sha256=sha256_of(self.path / file), frames=frames, knob_track=knob_track)
        self.keep(kept)
        self._checked.discard(file)
        self._sweep(kept)
        return kept

    def _free_name(self, number: int) -> str:
        """Return a name for a recording that no take has."""
        taken = {take.file for take in self.session.takes}
        first = f"takes/{number:03}.wav"
        others = (f"takes/{number:03}-{again}.wav" for again in itertools.count(2))
        return next(name for name in itertools.chain([first], others) if name not in taken)

    def _sweep(self, kept: Take) -> None:
        """Remove earlier recordings of a take, and what was left of them by a process that was killed."""
        own = re.compile(rf"{kept.number:03}(-\d+)?(\.wav|\.knobs\.json)")
        named = {name for take in self.session.takes for name in (take.file, take.knob_track)}
        for path in (self.path / "takes").iterdir():
            if own.fullmatch(path.name) and f"takes/{path.name}" not in named:
                with contextlib.suppress(OSError):  # somebody listens to it: the next recording removes it
                    path.unlink()

    def keep(self, take: Take) -> None:
        """Put what is known of a take into the session, in place of what was known of that number."""
        others = (other for other in self.session.takes if other.number != take.number)
        takes = sorted((*others, take), key=lambda each: each.number)
        self._save(replace(self.session, takes=tuple(takes)))

    def _write(self, file: str, audio: Audio | AudioStream) -> int:
        stream = AudioStream.of(audio) if isinstance(audio, Audio) else audio
        with writing(
            self.path / file,
            sample_rate=stream.sample_rate,
            channels=stream.channels,
            expected_frames=stream.frames,
        ) as writer:
            for block in stream.blocks:
                writer.write(block)
        return writer.frames

    def dry_of(self, take: Take) -> Audio:
        """Return a take's dry signal. Raises SessionError when the file is missing or not the one recorded."""
        if not 0 <= take.dry < len(self.session.dries):
            raise SessionError(f"{self.path}: take {take.number} names dry {take.dry}, which is not in session.json.")
        dry = self.session.dries[take.dry]
        return self._audio(dry.file, dry.sha256)

    def wet_of(self, take: Take) -> Audio:
        """Return a take's raw recording. Raises SessionError when the file is missing or not the one recorded."""
        return self._audio(take.file, take.sha256)

    def excerpt(self, take: Take, start: int, stop: int) -> tuple[Samples, Samples]:
        """Return dry and wet of shape (channels, stop - start) on the dry signal's clock, without reading the rest.

        Latency, polarity and gain of the wet are undone; there is silence where nothing was recorded. Raises
        SessionError when a file is missing or not the one recorded.
        """
        dry, late = self.session.dries[take.dry], take.latency_frames
        wet = self._excerpt(take.file, take.sha256, start + late, stop + late)
        moved = aligned(wet, replace(take, latency_frames=0), stop - start)
        return self._excerpt(dry.file, dry.sha256, start, stop), moved

    def dry_path(self, take: Take) -> Path:
        """Return where a take's dry signal lies. Raises SessionError when that is outside the folder."""
        return self._inside(self.session.dries[take.dry].file)

    def wet_path(self, take: Take) -> Path:
        """Return where a take's raw recording lies. Raises SessionError when that is outside the folder."""
        return self._inside(take.file)

    def track_of(self, take: Take) -> KnobTrack:
        """Return how the knobs stood or moved during a take."""
        if take.knob_track is not None:
            return read_manifest(KnobTrack, self._inside(take.knob_track))
        if take.settings is None:
            raise SessionError(f"{self.path}: take {take.number} has neither settings nor a knob track.")
        return KnobTrack.still(take.settings)

    def _audio(self, file: str, sha256: str) -> Audio:
        path = self._inside(file)
        audio = read_audio(path)
        self._check(path, sha256, audio.sample_rate)
        return audio

    def _excerpt(self, file: str, sha256: str, start: int, stop: int) -> Samples:
        path = self._inside(file)
        with reading(path) as reader:
            if file not in self._checked:
                self._check(path, sha256, reader.sample_rate)
                self._checked.add(file)
            begin, end = max(start, 0), max(min(stop, reader.frames), 0)
            out = np.zeros((reader.channels, stop - start), np.float32)
            if begin < end:
                out[:, begin - start : end - start] = reader.read(begin, end - begin)
            return out

    def _check(self, path: Path, sha256: str, sample_rate: int) -> None:
        if sha256_of(path) != sha256:
            raise SessionError(f"{path} is not the file that was recorded: its content has changed. Record it again.")
        if sample_rate != self.session.sample_rate:
            raise SessionError(f"{path} is at {sample_rate} Hz; the session is at {self.session.sample_rate} Hz.")

    def _inside(self, file: str) -> Path:
        path = (self.path / file).resolve()
        if not path.is_relative_to(self.path.resolve()):
            raise SessionError(f"{self.path}: session.json names {file!r}, which lies outside the session's folder.")
        return path

    def _save(self, session: CaptureSession) -> None:
        """Put a session on disk, and only then in memory: a disk that refuses changes neither."""
        write_manifest(self.path / "session.json", session)
        self.session = session
