"""A take's audio for checking: dry and wet on one clock, at most ten minutes of it, however long the take is."""

from dataclasses import dataclass

import numpy as np

from profiler.audio import Samples
from profiler.audio_file import AudioReader, reading
from profiler.errors import SessionError
from profiler.session import CaptureSession, Take
from profiler.session_folder import SessionFolder
from profiler.split import recorded_frames
from profiler.stimulus import Stimulus
from profiler.storage import sha256_of

__all__ = ["TakeAudio", "check_file", "excerpts", "read_take_audio"]

_LONGEST_SECONDS = 600.0
_STRETCH_SECONDS = 60.0
_REST_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True, eq=False)
class TakeAudio:
    """Mono dry and wet of shape (frames,), latency and polarity taken out as in training.

    `start` is the take's frame that they begin with. Of a long take they are stretches put together; `unbroken` is
    how many frames the first one has, and only parts of the stimulus within it can be looked at.
    """

    take: Take
    sample_rate: int
    dry: Samples
    wet: Samples
    start: int
    unbroken: int
    stimulus: Stimulus | None = None

    @property
    def seconds(self) -> float:
        """How much there is to look at."""
        return len(self.dry) / self.sample_rate

    @property
    def playing(self) -> slice:
        """Where there is playing rather than test tones: all of a recording that has no stimulus."""
        return self.part("programme") or self.part("held-out") or slice(0, len(self.dry))

    @property
    def tones(self) -> slice | None:
        """Where the test tones are that every stimulus of this form shares, with the rest after them; None without."""
        sweeps, ramps = self.part("sweeps"), self.part("ramps")
        if sweeps is None or ramps is None:
            return None
        return slice(sweeps.start, ramps.stop + int(_REST_SECONDS * self.sample_rate))

    def part(self, name: str) -> slice | None:
        """Return where the stimulus's part of that name lies, or None when it is not here, or not whole."""
        found = self.stimulus.part(name) if self.stimulus else None
        if found is None or found.start < self.start or found.stop - self.start > self.unbroken:
            return None
        return slice(found.start - self.start, found.stop - self.start)


def read_take_audio(folder: SessionFolder, take: Take) -> TakeAudio:
    """Read what of a take is looked at. Raises AudioError for damaged files, SessionError for missing or other ones."""
    session = folder.session
    start, stop = recorded_frames(session, take)
    spans = [(start + begin, start + end) for begin, end in excerpts(stop - start, session.sample_rate)]
    with reading(folder.dry_path(take)) as dry, reading(folder.wet_path(take)) as wet:
        for reader in (dry, wet):
            if reader.sample_rate != session.sample_rate:
                raise SessionError(
                    f"{reader.path} is at {reader.sample_rate} Hz; the session is at {session.sample_rate} Hz."
                )
        return TakeAudio(
            take=take,
            sample_rate=session.sample_rate,
            dry=_joined(dry, spans, 0),
            wet=_joined(wet, spans, take.latency_frames) * np.float32(take.polarity),
            start=start,
            unbroken=spans[0][1] - spans[0][0],
            stimulus=session.dries[take.dry].stimulus,
        )


def excerpts(frames: int, sample_rate: int) -> list[tuple[int, int]]:
    """Return the stretches of a take of so many frames that are looked at: all of it, or ten minutes evenly spread."""
    if frames <= _LONGEST_SECONDS * sample_rate:
        return [(0, frames)]
    length = int(_STRETCH_SECONDS * sample_rate)
    starts = np.linspace(0, frames - length, int(_LONGEST_SECONDS / _STRETCH_SECONDS)).astype(int)
    return [(int(start), int(start) + length) for start in starts]


def check_file(folder: SessionFolder, session: CaptureSession, take: Take) -> None:
    """Raise SessionError when a take's files are not the ones recorded."""
    dry = session.dries[take.dry]
    for path, recorded in ((folder.dry_path(take), dry.sha256), (folder.wet_path(take), take.sha256)):
        if path.is_file() and sha256_of(path) != recorded:
            raise SessionError(f"{path.name} is not the file that was recorded: its content has changed.")


def _joined(reader: AudioReader, spans: list[tuple[int, int]], offset: int) -> Samples:
    pieces = []
    for begin, end in spans:
        stop = min(end + offset, reader.frames)
        piece = reader.read(begin + offset, stop - begin - offset).mean(axis=0, dtype=np.float32)
        pieces.append(np.pad(piece, (0, end - begin - len(piece))))
    return np.concatenate(pieces)
