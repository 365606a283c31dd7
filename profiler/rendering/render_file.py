"""Rendering of files: in blocks, so that length costs no memory, and whole or not at all."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from profiler.audio import Samples
from profiler.audio_file import AudioReader, AudioWriter, reading, writing
from profiler.errors import AudioError
from profiler.processor import Processor
from profiler.progress import Progress, ProgressCallback, unheard

__all__ = ["SILENT", "render_file"]

_BLOCK_FRAMES = 65_536
SILENT = 10 ** (-90 / 20)
"""The peak below which nothing is heard."""

_PATIENCE_SECONDS, _LONGEST_TAIL_SECONDS = 3.0, 60.0


def render_file(
    processor: Processor,
    source: Path,
    target: Path,
    *,
    keep_tail: bool = False,
    subtype: str | None = None,
    on_progress: ProgressCallback = unheard,
) -> AudioWriter:
    """Render one file into another of the same rate and channels, and of its length, unless its tail is kept.

    A tail is what still sounds above -90 dBFS when the dry is over, with silences of less than three seconds between
    echoes, and at most a minute of it. WAV is written as 32-bit float, so nothing is limited, unless `subtype`
    (libsndfile's name) says otherwise; what an integer format cuts off is counted in the writer returned. Raises
    AudioError for an unreadable source or the same file twice, StorageError when the disk refuses.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise AudioError(f"{target} is the file that is read. Give the result another name.")
    processor.reset()
    with (
        reading(source) as reader,
        writing(
            target,
            sample_rate=reader.sample_rate,
            channels=reader.channels,
            expected_frames=reader.frames,
            subtype=subtype,
            like=reader,
        ) as writer,
    ):
        for wet in _played(processor, reader, on_progress):
            writer.write(wet)
        if keep_tail:
            _write_tail(processor, reader, writer)
        else:
            writer.write(processor.flush())
    return writer


def _played(processor: Processor, reader: AudioReader, on_progress: ProgressCallback) -> Iterator[Samples]:
    """Yield the wet of a file, but for what is held back."""
    begun, read = time.monotonic(), 0
    for block in reader.blocks(_BLOCK_FRAMES):
        yield processor.feed(block, reader.sample_rate)
        read += block.shape[1]
        done = read / reader.frames
        left = (time.monotonic() - begun) * (1 - done) / done
        on_progress(Progress(step="render", done=done, seconds_left=left))


def _write_tail(processor: Processor, reader: AudioReader, writer: AudioWriter) -> None:
    """Play silence until nothing is heard of the file any more, and write what is: nothing of a silent end."""
    silence = np.zeros((reader.channels, reader.sample_rate // 4), np.float32)
    quiet: list[Samples] = []
    fed = 0

    def write(wet: Samples) -> None:
        due = max(reader.frames - writer.frames, 0)
        writer.write(wet[:, :due])
        tail = wet[:, due:]
        heard = np.flatnonzero((np.abs(tail) > SILENT).any(axis=0))
        end = int(heard[-1]) + 1 if len(heard) else 0
        if end:
            writer.write(np.concatenate([*quiet, tail[:, :end]], axis=1))
            quiet.clear()
        quiet.append(tail[:, end:])

    while fed < _LONGEST_TAIL_SECONDS * reader.sample_rate:
        write(processor.feed(silence, reader.sample_rate))
        fed += silence.shape[1]
        if sum(each.shape[1] for each in quiet) > _PATIENCE_SECONDS * reader.sample_rate:
            break
    write(processor.flush())
