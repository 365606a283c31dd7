"""A processor whose knobs follow an automation."""

import numpy as np

from profiler.audio import Samples
from profiler.automation.automation import Automation
from profiler.automation.knob_lanes import KnobLanes
from profiler.knob import KnobSettings
from profiler.processor import KnobProcessor, Processor

__all__ = ["TurnedProcessor"]

_STEP_FRAMES = 32


class TurnedProcessor(Processor):
    """Plays an effect or a plugin and turns its knobs, each at the very frame that the automation names.

    On the way from one value to another they move every 32 frames; a plugin that runs in fixed blocks moves with the
    next of them. `settings` are where they stand at first. Raises KnobError for a knob or a value that there is not.
    """

    def __init__(self, processor: KnobProcessor, automation: Automation, settings: KnobSettings | None = None) -> None:
        self._processor, self._automation, self._settings = processor, automation, settings or {}
        automation.check(processor.knobs, self._settings)
        self._begin()

    def reset(self) -> None:
        """Forget everything heard; the automation starts again."""
        self._processor.reset()
        self._begin()

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready."""
        self._lanes = self._lanes or self._automation.lanes(self._processor.knobs, self._settings, sample_rate)
        begun, frames = self._frame, audio.shape[1]
        step = max(_STEP_FRAMES, self._processor.step_frames)
        pieces = [np.zeros((audio.shape[0], 0), np.float32)]
        for start, stop, settings in self._lanes.stretches(begun, begun + frames, step_frames=step):
            self._turn(settings)
            pieces.append(self._processor.feed(audio[:, start - begun : stop - begun], sample_rate))
        self._frame += frames
        return np.concatenate(pieces, axis=1)

    def flush(self) -> Samples:
        """Return what latency has held back."""
        rest = self._processor.flush()
        self._begin()
        return rest

    def close(self) -> None:
        """Close the processor."""
        self._processor.close()

    def _begin(self) -> None:
        self._frame, self._lanes = 0, None
        self._stand: dict[str, float | str] = {}

    _lanes: KnobLanes | None

    def _turn(self, settings: KnobSettings) -> None:
        for knob, value in settings.items():
            if self._stand.get(knob) != value:
                self._processor.turn(knob, value)
                self._stand[knob] = value
