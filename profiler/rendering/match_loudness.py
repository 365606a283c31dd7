"""Matched loudness: every slot of a chain goes on as loud as what it was fed, so that slots change sound, not level."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from profiler.audio_file import reading
from profiler.chain import Chain, Levelled
from profiler.chain_file import HIGHEST_DB, LOWEST_DB
from profiler.listening.loudness import RunningLoudness
from profiler.processor import Processor
from profiler.progress import Progress, ProgressCallback, unheard

__all__ = ["match_loudness"]

_BLOCK_FRAMES = 65_536


def match_loudness(
    processor: Processor, source: Path, *, on_progress: ProgressCallback = unheard
) -> tuple[Processor, tuple[float, ...]]:
    """Return the processor with an output level for each of its slots, and these levels in dB.

    The loudness is that of ITU-R BS.1770 over the whole file; the file is played through the first slot, then through
    the first two, and so on, for what a slot does depends on how loud the one before it is. A slot that makes a file
    silent, or is fed silence, is left as it is. Raises AudioError for an unreadable source.
    """
    slots = list(processor.processors if isinstance(processor, Chain) else (processor,))
    levels: list[float] = []
    for number in range(len(slots)):

        def tell(done: float, number: int = number) -> None:
            on_progress(Progress(step="listen", done=(number + done) / len(slots), note=f"slot {number + 1}"))

        dry, wet = _loudness(Chain(slots[: number + 1]), source, tell)
        level = 0.0 if dry is None or wet is None else float(np.clip(dry - wet, LOWEST_DB, HIGHEST_DB))
        slots[number] = Levelled(slots[number], {"output_db": level})
        levels.append(round(level, 2))
    return Chain(slots), tuple(levels)


def _loudness(chain: Chain, source: Path, tell: Callable[[float], None]) -> tuple[float | None, float | None]:
    """Return how loud a file is, and what a chain makes of it, in LUFS; None for silence."""
    chain.reset()
    with reading(source) as reader:
        dry, wet = RunningLoudness(reader.sample_rate), RunningLoudness(reader.sample_rate)
        read = 0
        for block in reader.blocks(_BLOCK_FRAMES):
            dry.hear(block)
            wet.hear(chain.feed(block, reader.sample_rate))
            read += block.shape[1]
            tell(read / reader.frames)
        wet.hear(chain.flush())
    return dry.value, wet.value
