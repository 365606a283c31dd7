"""Levels: how loud a processor is fed, and how loud what it returns goes on."""

import numpy as np

from profiler.audio import Samples
from profiler.automation import Automation, KnobLanes
from profiler.chain_file import HIGHEST_DB, LOWEST_DB
from profiler.knob import Knob, KnobSettings, checked_settings
from profiler.processor import Processor

__all__ = ["LEVELS", "Levelled"]

LEVELS = (
    Knob(id="input_db", name="Input", unit="dB", minimum=LOWEST_DB, maximum=HIGHEST_DB),
    Knob(id="output_db", name="Output", unit="dB", minimum=LOWEST_DB, maximum=HIGHEST_DB),
)
"""The knobs that every slot of a chain has besides its own."""


class Levelled(Processor):
    """Plays a processor at the levels that `settings` give, from where an `automation` moves them, frame by frame.

    Raises KnobError for a level out of range.
    """

    def __init__(self, processor: Processor, settings: KnobSettings, automation: Automation | None = None) -> None:
        self._processor, self._automation = processor, automation or Automation(turns=())
        self._settings = checked_settings(LEVELS, settings)
        self._automation.check(LEVELS, self._settings)
        self._begin()

    def reset(self) -> None:
        """Bring the processor to rest; the automation starts again."""
        self._processor.reset()
        self._begin()

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready."""
        self._lanes = self._lanes or self._automation.lanes(LEVELS, self._settings, sample_rate)
        dry = audio * self._gain(0, self._fed, audio.shape[1])
        self._fed += audio.shape[1]
        return self._out(self._processor.feed(dry, sample_rate))

    def flush(self) -> Samples:
        """Return what the processor has held back."""
        rest = self._out(self._processor.flush())
        self._begin()
        return rest

    def close(self) -> None:
        """Close the processor."""
        self._processor.close()

    _lanes: KnobLanes | None

    def _begin(self) -> None:
        self._lanes = None
        self._fed = self._returned = 0

    def _out(self, wet: Samples) -> Samples:
        wet = wet * self._gain(1, self._returned, wet.shape[1])
        self._returned += wet.shape[1]
        return wet

    def _gain(self, level: int, start: int, frames: int) -> Samples:
        """Return the gain of each frame, or of all of them."""
        knob = LEVELS[level]
        if self._lanes is None or self._lanes.is_still:
            return np.full(1, 10 ** (float(self._settings[knob.id]) / 20), np.float32)
        places = self._lanes.at(start, start + frames)[:, level].astype(np.float64)
        decibels = knob.minimum + (knob.maximum - knob.minimum) * places
        return np.power(10.0, decibels / 20).astype(np.float32)
