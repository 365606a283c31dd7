"""The plugin rig: plugins and pedalboard's effects, alone or in a chain, as gear whose knobs turn themselves."""

from collections.abc import Callable, Sequence

import numpy as np

from capture.gear import chain_of, choose_knobs, gear_knobs, open_gear
from capture.rig import Played, Rig
from profiler.audio import Audio, Samples
from profiler.automation import KnobLanes
from profiler.blips import read_blips
from profiler.chain_file import Slot
from profiler.errors import GearError
from profiler.finding import Finding
from profiler.gear_slot import open_slot
from profiler.knob import Knob
from profiler.knob_track import KnobTrack
from profiler.plugins import PATIENCE_SECONDS
from profiler.processor import KnobProcessor
from profiler.score import SILENCE_DB, level_db
from profiler.session import Gear
from profiler.stimulus import Stimulus

__all__ = ["PluginRig", "choose_knobs", "gear_knobs", "open_gear"]

_BLOCK_FRAMES = 48_000
_RAMP_BLOCK_FRAMES = 32
_SIDE_DB = -60.0


class PluginRig(Rig):
    """Plays through a gear's chain, whose `processors` it keeps by slot: plugins load here, and end when it is closed.

    Raises GearError or ChainError when the chain cannot be built.
    """

    def __init__(
        self, gear: Gear, knobs: Sequence[Knob], *, sample_rate: int, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self.gear = gear
        self.knobs = tuple(knobs)
        self.sample_rate = sample_rate
        self._slots = chain_of(gear).slots
        self.processors: dict[str, KnobProcessor] = {}
        self._side_db: float | None = None
        try:
            for slot in self._slots:
                self.processors[slot.id] = open_slot(slot, patience_seconds=patience_seconds)
        except BaseException:
            self.close()
            raise
        self._ramp_frames = max([_RAMP_BLOCK_FRAMES, *(each.step_frames for each in self.processors.values())])

    def record(
        self, stimulus: Stimulus, dry: Audio, track: KnobTrack, *, on_done: Callable[[float], None] = lambda _: None
    ) -> Played:
        """Return what the plugin makes of `dry`. Its host takes latency out, so what is left is sound and stays."""
        wet = self.play(dry, track, on_done=on_done)
        return Played(wet=wet, findings=(*_findings(stimulus, dry, wet), *self._side_findings()))

    def play(self, dry: Audio, track: KnobTrack, *, on_done: Callable[[float], None]) -> Audio:
        """Return the wet signal, of the same length.

        Knobs move at the very frame that the track names, ramps in steps of 32 frames. Plugins that run in fixed blocks
        move at the next multiple of their block, with ramps in steps of it. Raises GearError.
        """
        lanes = KnobLanes.of_track(track, self.knobs)
        blocks = [
            stretch
            for start in range(0, dry.frames, _BLOCK_FRAMES)
            for stretch in lanes.stretches(start, min(start + _BLOCK_FRAMES, dry.frames), step_frames=self._ramp_frames)
        ]
        wet, self._side_db = dry.samples, None
        # Slot after slot over the whole signal: fed block by block, what a late effect holds back would meet the
        # knobs of the slots behind it too late.
        for number, slot in enumerate(self._slots):
            processor = self._fresh(slot)
            pieces: list[Samples] = []
            wet = wet * np.float32(10 ** (slot.input_db / 20))
            for start, stop, settings in blocks:
                for id_, value in settings.items():
                    if (id_.rpartition(".")[0] or self._slots[0].id) == slot.id:
                        processor.turn(id_.rpartition(".")[2], value)
                pieces.append(processor.feed(wet[:, start:stop], self.sample_rate))
                on_done((number + stop / dry.frames) / len(self._slots))
            wet = np.concatenate([*pieces, processor.flush()], axis=1) * np.float32(10 ** (slot.output_db / 20))
            if processor.side_db is not None:
                self._side_db = max(processor.side_db, -300.0 if self._side_db is None else self._side_db)
        if not np.isfinite(wet).all():
            frame = int(np.argmin(np.isfinite(wet).all(axis=0)))
            raise GearError(f"{self.gear.name} returned NaN or infinity at frame {frame}. Narrow its knobs' ranges.")
        return Audio(samples=wet, sample_rate=self.sample_rate)

    def _side_findings(self) -> Sequence[Finding]:
        """Say when the gear answered a mono signal in stereo, of which the mean was kept."""
        if self._side_db is None or self._side_db < _SIDE_DB:
            return ()
        message = (
            f"The gear answers mono in stereo; its sides were averaged. Their difference is {self._side_db:.0f} dB "
            "beside the mean and is not learnt."
        )
        return (Finding(kind="stereo", severity="warning", message=message),)

    def close(self) -> None:
        """End the plugins' processes."""
        for processor in self.processors.values():
            processor.close()

    def _fresh(self, slot: Slot) -> KnobProcessor:
        """Return a slot's processor at rest: pedalboard's effects made anew, plugins kept, for loading may be slow."""
        if slot.kind == "pedalboard":
            self.processors[slot.id] = open_slot(slot)
        processor = self.processors[slot.id]
        processor.reset()
        return processor


def _findings(stimulus: Stimulus, dry: Audio, wet: Audio) -> list[Finding]:
    """Return what a plugin's take shows."""
    if level_db(wet.samples) < SILENCE_DB and level_db(dry.samples) >= SILENCE_DB:
        return [Finding(kind="silent", severity="warning", message="The wet is silent: the gear let nothing through.")]
    blips = stimulus.part("blips")
    if blips is None:
        return []
    reading = read_blips(wet.samples[0], start=blips.start, sample_rate=wet.sample_rate)
    found = []
    if reading.latency_frames:
        message = f"Blips come through {reading.latency_frames} frames late; this is learnt as part of the sound."
        found.append(Finding(kind="latency", message=message))
    if reading.polarity == -1:
        found.append(Finding(kind="polarity", message="The gear turns the signal upside down; this is learnt too."))
    return found
