"""Sounds to listen to: a few seconds of mono audio, how loud they are, and the dry tracks to play profiles on."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import soundfile
from pydantic import StringConstraints

from profiler.audio import Samples
from profiler.audio_file import undated

__all__ = ["MOST_SECONDS", "OURS", "Sound", "Track", "TrackId"]

MOST_SECONDS = 6.0
"""How much of somebody's own track is played: what renders within about a second."""

TrackId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]

OURS: Mapping[str, str] = {
    "lead": "Guitar, single notes",
    "chords": "Guitar, chords",
    "riff": "Guitar, palm-muted",
    "bass": "Bass",
    "drums": "Drums",
    "keys": "Keys",
    "speech": "Speech",
    "mix": "Several players",
}
"""The tracks that are always there, synthesised."""


@dataclass(frozen=True, kw_only=True)
class Track:
    """A dry track to hear profiles on. `original_of` is set for a recording of the gear playing another track."""

    id: str
    name: str
    is_own: bool = False
    original_of: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Sound:
    """Samples of shape (frames,), their loudness in LUFS and their peak, 1 being full scale."""

    samples: Samples
    sample_rate: int
    loudness: float
    peak: float

    def wav(self) -> bytes:
        """Return it as a WAV of 32-bit floats: what was rendered, bit by bit."""
        buffer = io.BytesIO()
        soundfile.write(buffer, self.samples.astype(np.float32), self.sample_rate, format="WAV", subtype="FLOAT")
        return undated(bytearray(buffer.getvalue()))
