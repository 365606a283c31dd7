"""Rendering of files: in blocks, so that length costs no memory, and whole or not at all."""

import time
from pathlib import Path

from profiler.audio_file import AudioWriter, reading, writing
from profiler.errors import AudioError
from profiler.processor import Processor
from profiler.progress import Progress, ProgressCallback, unheard

__all__ = ["render_file"]

_BLOCK_FRAMES = 65_536


def render_file(
    processor: Processor, source: Path, target: Path, *, on_progress: ProgressCallback = unheard
) -> AudioWriter:
    """Render one file into another of the same rate, channels and length.

    WAV is written as 32-bit float, so nothing is limited; what a FLAC or AIFF cuts off is counted in the writer
    returned. Raises AudioError for an unreadable source or the same file twice, StorageError when the disk refuses.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise AudioError(f"{target} is the file that is read. Give the result another name.")
    begun = time.monotonic()
    processor.reset()
    with (
        reading(source) as reader,
        writing(
            target, sample_rate=reader.sample_rate, channels=reader.channels, expected_frames=reader.frames
        ) as writer,
    ):
        read = 0
        for block in reader.blocks(_BLOCK_FRAMES):
            writer.write(processor.feed(block, reader.sample_rate))
            read += block.shape[1]
            done = read / reader.frames
            left = (time.monotonic() - begun) * (1 - done) / done
            on_progress(Progress(step="render", done=done, seconds_left=left))
        writer.write(processor.flush())
    return writer
