"""The profile processor: plays a profile on any signal, at any rate, in blocks of any size."""

import numpy as np
import torch

from profiler.audio import Samples
from profiler.automation import ROUNDING_SECONDS, Automation, RoundedLanes
from profiler.effects import State
from profiler.effects.kinds import build_stages
from profiler.effects.oversampled import checked_factor, oversampled
from profiler.effects.silenced import silenced
from profiler.effects.threads import on_one_thread
from profiler.knob import KnobSettings, checked_settings
from profiler.knob_track import KnobMotion, KnobTrack
from profiler.processor import Processor, check_same_stream
from profiler.profile import LoadedProfile
from profiler.rendering.resampling import StreamResampler

__all__ = ["ProfileProcessor"]

_LARGEST_BLOCK = 32_768  # bounds memory: an effect needs some hundred bytes a frame


class ProfileProcessor(Processor):
    """Renders a profile with its knobs at `settings`, the rest at their defaults, or along a `track`.

    The track's frames count at the profile's own rate, and knobs follow it exactly, as those of the gear did. An
    `automation` turns knobs away from the settings, the corners of its glides rounded, so they follow 4 ms behind.
    Channels are rendered one by one, as dual mono. It plays at `oversampling` times its rate, or at as many as the
    profile says. Raises KnobError for a knob or value the profile does not have, ProfileError for a profile that cannot
    be built.
    """

    def __init__(
        self,
        loaded: LoadedProfile,
        settings: KnobSettings | None = None,
        *,
        track: KnobTrack | None = None,
        automation: Automation | None = None,
        oversampling: int | None = None,
    ) -> None:
        self.profile = loaded.profile
        knobs = loaded.profile.knobs
        factor = checked_factor(oversampling or loaded.profile.oversampling)
        self._effects = [oversampled(silenced(effect), factor) for effect in build_stages(loaded)]
        self._latency = sum(effect.latency_frames for effect in self._effects)
        self.memory_frames = sum(effect.memory_frames for effect in self._effects)
        if automation is not None:
            rate = loaded.profile.sample_rate
            lanes = automation.lanes(knobs, settings or {}, rate)
            self._motion: RoundedLanes | KnobMotion = RoundedLanes(lanes, max(round(ROUNDING_SECONDS * rate), 1))
        else:
            self._motion = (track or KnobTrack.still(checked_settings(knobs, settings or {}))).motion(knobs)
        self._sample_rate: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget everything heard; the knob track starts again."""
        self._sample_rate = None
        self._channels = 1

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready. Raises AudioError when channels or rate change within a stream."""
        if self._sample_rate is None:
            self._begin(audio.shape[0], sample_rate)
        check_same_stream(audio, sample_rate, channels=self._channels, begun_at=self._sample_rate)
        self._fed += audio.shape[1]
        return self._counted(self._outward.feed(self._play(self._inward.feed(audio))))

    def flush(self) -> Samples:
        """Return the wet that resampling and latency have held back, to the length of what was fed."""
        if self._sample_rate is None:
            return np.zeros((self._channels, 0), np.float32)
        none = np.zeros((self._channels, 0), np.float32)
        rest = [self._inward.feed(none, last=True), np.zeros((self._channels, self._latency), np.float32)]
        wet = self._counted(self._outward.feed(self._play(np.concatenate(rest, axis=1)), last=True))
        due = self._fed - self._returned
        self.reset()
        return np.pad(wet, ((0, 0), (0, due))) if due > 0 else wet

    def _begin(self, channels: int, sample_rate: int) -> None:
        own = self.profile.sample_rate
        self._channels, self._sample_rate = channels, sample_rate
        self._inward = StreamResampler(source_rate=sample_rate, target_rate=own, channels=channels)
        self._outward = StreamResampler(source_rate=own, target_rate=sample_rate, channels=channels)
        self._states: list[State] = [effect.initial_state(channels) for effect in self._effects]
        self._frame = 0  # on the profile's own grid
        self._late = self._latency
        self._fed = self._returned = 0

    def _counted(self, wet: Samples) -> Samples:
        """Return at most as much as was fed: resampling there and back may round up by a frame."""
        wet = wet[:, : max(self._fed - self._returned, 0)]
        self._returned += wet.shape[1]
        return wet

    def _play(self, dry: Samples) -> Samples:
        blocks = [
            self._play_block(dry[:, start : start + _LARGEST_BLOCK]) for start in range(0, dry.shape[1], _LARGEST_BLOCK)
        ]
        wet = np.concatenate(blocks, axis=1) if blocks else dry
        skipped = min(self._late, wet.shape[1])
        self._late -= skipped
        return wet[:, skipped:]

    @on_one_thread()
    @torch.inference_mode()
    def _play_block(self, dry: Samples) -> Samples:
        signal = torch.from_numpy(np.ascontiguousarray(dry))
        frames = signal.shape[1]
        still = self._motion.is_still
        knobs = torch.from_numpy(self._motion.at(self._frame, self._frame + (1 if still else frames)))[None]
        for number, effect in enumerate(self._effects):
            signal, self._states[number] = effect(signal, knobs, self._states[number])
        self._frame += frames
        return signal.numpy()
