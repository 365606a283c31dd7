"""What a recording sounds like, however long it is: the mean of descriptors of excerpts all along it."""

import numpy as np

from profiler.audio import Audio
from profiler.audio_file import AudioReader
from profiler.errors import AudioError
from profiler.listening.descriptors import COUNT, Descriptors, described
from profiler.recording import FileRecording

__all__ = ["recording_sound"]

_RATE = 48_000
_EXCERPT_SECONDS = 2.5  # as long as the passages that profiles are listened to with
_EXCERPTS = 10


def recording_sound(reader: AudioReader) -> Descriptors:
    """Return the descriptors of an open recording, of shape (COUNT,): the mean of up to ten excerpts.

    Raises AudioError where nothing is to be heard in any of them.
    """
    recording = FileRecording(reader, _RATE)
    length = min(int(_EXCERPT_SECONDS * _RATE), recording.frames)
    count = min(recording.frames // length, _EXCERPTS)
    total, heard = np.zeros(COUNT), 0
    problem: AudioError | None = None
    for start in np.linspace(0, recording.frames - length, count).astype(int):
        excerpt = Audio(samples=recording.read(int(start), length)[None], sample_rate=_RATE)
        try:
            total += described(excerpt)
            heard += 1
        except AudioError as error:  # a rest in the music says nothing of the others
            problem = error
    if problem is not None and not heard:
        raise problem
    return (total / heard).astype(np.float32)
