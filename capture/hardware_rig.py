"""The hardware rig: gear behind an audio interface, its knobs turned by hand or by MIDI."""

from collections.abc import Callable, Sequence

from capture.holes import find_lost_blocks, loopback_findings, lost_findings
from capture.interface import Meter, Returned, check_wiring, play_and_record
from capture.knob_turner import KnobTurner
from capture.moving_take import MovingReturn, play_moving
from capture.rig import Played, Rig
from capture.round_trip import measure_round_trip
from profiler.audio import Audio, Samples
from profiler.finding import Finding
from profiler.knob import Knob
from profiler.knob_track import KnobTrack
from profiler.session import Gear, Take, Wiring
from profiler.stimulus import Stimulus

__all__ = ["HardwareRig"]


class HardwareRig(Rig):
    """Plays through an interface. `earlier` returns the session's takes so far, which new ones are compared with.

    `on_meter` hears levels while it plays. Raises GearError when the interface does not run as it is wired.
    """

    def __init__(  # noqa: PLR0913 - what it is, how it is wired, and who listens
        self,
        gear: Gear,
        knobs: Sequence[Knob],
        wiring: Wiring,
        *,
        sample_rate: int,
        turner: KnobTurner,
        earlier: Callable[[], Sequence[Take]] = tuple,
        on_meter: Callable[[Meter], None] = lambda _: None,
    ) -> None:
        check_wiring(wiring, sample_rate)
        self.gear = gear
        self.knobs = tuple(knobs)
        self.sample_rate = sample_rate
        self.wiring = wiring
        self._turner = turner
        self._earlier = earlier
        self._on_meter = on_meter

    def record(
        self, stimulus: Stimulus, dry: Audio, track: KnobTrack, *, on_done: Callable[[float], None] = lambda _: None
    ) -> Played:
        """Turn the knobs, play, and return the raw return with the latency and the knob track that it shows itself."""
        settings = track.visited(self.knobs)
        found, moving = self._returned(dry.samples[0], track, on_done)
        trip = measure_round_trip(
            stimulus,
            dry.samples[0],
            found.wet,
            found.loopback,
            sample_rate=self.sample_rate,
            settings=settings[0] if len(settings) == 1 else None,
            earlier=self._earlier(),
            one_clock=self.wiring.has_one_clock,
        )
        loopback = None
        if found.loopback is not None:
            loopback = Audio(samples=found.loopback[None], sample_rate=self.sample_rate)
        stood = self._turner.reached(settings[0])
        return Played(
            wet=Audio(samples=found.wet[None], sample_rate=self.sample_rate),
            latency_frames=trip.latency_frames,
            measured_latency_frames=trip.measured_frames,
            polarity=trip.polarity,
            findings=(
                *trip.findings,
                *_hole_findings(dry.samples[0], found, trip.latency_frames, self.sample_rate),
                *([moving.finding(self.sample_rate)] if moving else []),
            ),
            loopback=loopback,
            track=moving.track(stood, trip.latency_frames) if moving else KnobTrack.still(stood),
            masked=moving.unsure() if moving else (),
        )

    def _returned(
        self, dry: Samples, track: KnobTrack, on_done: Callable[[float], None]
    ) -> tuple[Returned, MovingReturn | None]:
        """Turn the knobs, play a dry of shape (frames,), and return what came back, and when moves were heard in it."""

        def hear(meter: Meter) -> None:
            self._on_meter(meter)
            on_done(meter.done)

        settings, rate = track.visited(self.knobs), self.sample_rate
        if len(settings) > 1:
            moving = play_moving(self.wiring, dry, track, self.knobs, self._turner, sample_rate=rate, on_meter=hear)
            return moving.returned, moving
        self._turner.turn(settings[0])
        return play_and_record(self.wiring, dry, rate, on_meter=hear), None


def _hole_findings(dry: Samples, found: Returned, latency: int, sample_rate: int) -> list[Finding]:
    """Tell what was lost on the way, as far as the gear does not matter to it; of what the driver says, only that."""
    holes: list[Finding] = []
    if found.loopback is not None:
        holes = loopback_findings(dry, found.loopback[latency:], sample_rate)
    if not holes and found.block_frames is not None:
        lost = find_lost_blocks(
            dry,
            found.wet[latency:],
            block_frames=found.block_frames,
            first=(-len(found.before) - latency) % found.block_frames,
            flagged=[flag - latency for flag in found.flagged],
        )
        holes = lost_findings(lost, sample_rate)
    return holes + _flag_findings(found.flagged, sample_rate)


def _flag_findings(flagged: Sequence[int], sample_rate: int) -> list[Finding]:
    """Tell of blocks that the driver speaks of as lost. What was really lost, the recording shows."""
    if not flagged:
        return []
    message = (
        f"The driver spoke of lost blocks {len(flagged)} time{'s' * (len(flagged) > 1)}, first at "
        f"{flagged[0] / sample_rate:.1f} s. Close other programs, or use larger buffers."
    )
    return [Finding(kind="xrun", message=message)]
