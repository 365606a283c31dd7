"""The hardware rig: gear behind an audio interface, its knobs turned by hand or by MIDI."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from capture.holes import find_lost_blocks, loopback_findings, lost_findings
from capture.interface import Meter, Returned, check_wiring, play_and_record
from capture.knob_turner import KnobTurner
from capture.rig import Played, Rig
from capture.round_trip import measure_round_trip
from profiler.audio import Audio, Samples
from profiler.errors import GearError, ProfilerError
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
        """Turn the knobs, play, and return the raw return with the latency that it shows itself."""
        settings = track.visited(self.knobs)
        self._turner.turn(settings[0])
        follower = _Follower(self._turner, track, self.sample_rate)

        def hear(meter: Meter) -> None:
            follower.clock = meter.clock
            self._on_meter(meter)
            on_done(meter.done)

        with follower.following() if len(settings) > 1 else contextlib.nullcontext():
            found = play_and_record(self.wiring, dry.samples[0], self.sample_rate, on_meter=hear)
        trip = measure_round_trip(
            stimulus,
            dry.samples[0],
            found.wet,
            found.loopback,
            sample_rate=self.sample_rate,
            settings=settings[0] if len(settings) == 1 else None,
            earlier=self._earlier(),
        )
        loopback = None
        if found.loopback is not None:
            loopback = Audio(samples=found.loopback[None], sample_rate=self.sample_rate)
        return Played(
            wet=Audio(samples=found.wet[None], sample_rate=self.sample_rate),
            latency_frames=trip.latency_frames,
            measured_latency_frames=trip.measured_frames,
            polarity=trip.polarity,
            findings=(*trip.findings, *_hole_findings(dry.samples[0], found, trip.latency_frames, self.sample_rate)),
            loopback=loopback,
        )


class _Follower:
    """Has knobs turned along a track, in a thread, while the track's dry is played."""

    def __init__(self, turner: KnobTurner, track: KnobTrack, sample_rate: int) -> None:
        self.clock: tuple[float, int] | None = None
        self._turner = turner
        self._track = track
        self._sample_rate = sample_rate
        self._is_over = False
        self._error: ProfilerError | None = None

    def elapsed_frames(self) -> int | None:
        """Return the frame of the dry that is played now; None when it is over."""
        if self._is_over:
            return None
        if self.clock is None:
            return -self._sample_rate
        when, frame = self.clock
        return frame + int((time.monotonic() - when) * self._sample_rate)

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Turn knobs as long as the block lasts. Raises GearError when it took no part in what was played."""
        thread = threading.Thread(target=self._follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over = True
            thread.join()
        if self._error is not None:
            raise GearError(f"The knobs did not follow: {self._error}") from self._error

    def _follow(self) -> None:
        try:
            self._turner.follow(self._track, self._sample_rate, self.elapsed_frames)
        except ProfilerError as error:
            self._error = error


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
