"""Profiles on signals: any rate, any blocks, as long as the dry and in time with it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import profiler
from profiler.effects import Effect, State
from profiler.effects.kinds import KINDS
from profiler.errors import AudioError, KnobError
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.profile import LoadedProfile, Stage
from profiler.rendering import ProfileProcessor

OWN_RATE = 48_000
MOVING = KnobTrack(
    breakpoints=(
        Breakpoint(frame=0, settings={"drive_db": 0}),
        Breakpoint(frame=700, settings={"drive_db": 40}, ramp_frames=900),
        Breakpoint(frame=1900, settings={"drive_db": 10}),
    )
)


@pytest.fixture(scope="module")
def drive(trained: Path) -> LoadedProfile:
    """The profile of a distortion's drive."""
    return profiler.load(trained)


def playing(rate: int, *, channels: int = 1, seconds: float = 0.5) -> np.ndarray:
    """Return plucked tones below 3 kHz, other ones in each channel, loud to the end."""
    time = np.arange(int(rate * seconds)) / rate
    pluck = np.exp(-4 * (time % 0.17))
    notes = [sum(np.sin(2 * np.pi * hz * k * time) / k for k in (1, 2, 3)) for hz in (147.0, 220.0)[:channels]]
    return (0.25 * pluck * np.stack(notes)).astype(np.float32)


@pytest.mark.parametrize("moving", [False, True], ids=["still", "moving"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000, 96_000])
def test_blocks_sound_like_the_whole(drive: LoadedProfile, rate: int, channels: int, moving: bool, in_blocks):  # noqa: FBT001
    """At every rate, blocks of 1, 7, 480 and uneven sizes are the whole to 1e-5, with still and moving knobs."""
    processor = ProfileProcessor(drive, None if moving else {"drive_db": 30}, track=MOVING if moving else None)
    dry = playing(rate, channels=channels, seconds=2777 / OWN_RATE)
    whole = processor.process(dry, rate)
    assert whole.shape == dry.shape
    assert float(np.abs(whole).max()) > 0.05
    for sizes in ([1], [7], [480], [1000, 0, 333, 1], [dry.shape[1]]):
        assert np.abs(in_blocks(processor, dry, rate, sizes) - whole).max() < 1e-5, sizes


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) > 40),
    rate=st.sampled_from([32_000, 44_100, 48_000, 88_200]),
)
def test_any_blocks_along_a_track_sound_like_the_whole(drive: LoadedProfile, sizes: list[int], rate: int, in_blocks):
    """Where blocks end has no bearing on when knobs move."""
    processor = ProfileProcessor(drive, track=MOVING)
    dry = playing(rate, channels=2, seconds=0.06)
    assert np.abs(in_blocks(processor, dry, rate, sizes) - processor.process(dry, rate)).max() < 1e-5


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000])
def test_the_wet_is_as_long_as_the_dry(drive: LoadedProfile, rate: int):
    """Whatever the rate and length, not a frame more or less comes back, and all of it is finite."""
    processor = ProfileProcessor(drive)
    for frames in (0, 1, 2, 3, 99, 1000, 1001, 4097):
        wet = processor.process(np.full((2, frames), 0.3, np.float32), rate)
        assert wet.shape == (2, frames)
        assert wet.dtype == np.float32
        assert np.isfinite(wet).all()


@pytest.mark.parametrize("rate", [32_000, 44_100, 96_000])
def test_another_rate_sounds_like_the_profiles_own(drive: LoadedProfile, rate: int):
    """Tones at another rate come out as they do at 48 kHz, in time: no frame of delay, 1 % of error energy."""
    processor = ProfileProcessor(drive, {"drive_db": 10})
    native = soxr.resample(processor.process(playing(OWN_RATE), OWN_RATE)[0], OWN_RATE, rate, "VHQ")
    wet = processor.process(playing(rate), rate)[0][: len(native)]
    inside = slice(rate // 50, len(native) - rate // 50)
    error = {
        shift: float(np.sum((np.roll(wet, shift)[inside] - native[inside]) ** 2) / np.sum(native[inside] ** 2))
        for shift in range(-3, 4)
    }
    assert min(error, key=error.__getitem__) == 0
    assert error[0] < 0.01


def test_a_track_counts_at_the_profiles_own_rate(drive: LoadedProfile):
    """A knob that jumps after a quarter of a second does so at every rate."""
    jump = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive_db": 0}),
            Breakpoint(frame=OWN_RATE // 4, settings={"drive_db": 40}),
        )
    )
    for rate in (24_000, 48_000, 96_000):
        dry = playing(rate)
        moved = ProfileProcessor(drive, track=jump).process(dry, rate)
        still = ProfileProcessor(drive, {"drive_db": 0}).process(dry, rate)
        differs = np.flatnonzero(np.abs(moved - still)[0] > 0.02)
        assert differs[0] / rate == pytest.approx(0.25, abs=0.01)


def test_the_golden_pair_is_played_again(drive: LoadedProfile):
    """The dry in the file, at the settings it names, gives the wet in the file to 1e-5."""
    wet = ProfileProcessor(drive, drive.profile.golden_settings).process(drive.golden_dry, OWN_RATE)
    assert np.abs(wet - drive.golden_wet).max() < 1e-5
    assert float(np.abs(drive.golden_wet).max()) > 0.01


def test_stereo_is_dual_mono_and_a_knob_is_heard(drive: LoadedProfile):
    """Each channel sounds as it does alone; more drive is another sound."""
    dry = playing(OWN_RATE, channels=2)
    wet = ProfileProcessor(drive, {"drive_db": 30}).process(dry, OWN_RATE)
    for channel in (0, 1):
        alone = ProfileProcessor(drive, {"drive_db": 30}).process(dry[channel : channel + 1], OWN_RATE)
        assert np.abs(wet[channel] - alone[0]).max() < 1e-6
    assert np.abs(ProfileProcessor(drive, {"drive_db": 0}).process(dry, OWN_RATE) - wet).max() > 0.05


def test_silence_and_loud_sound_stay_finite(drive: LoadedProfile):
    """Ten seconds of silence settle to a constant; a signal far beyond full scale comes back finite and unclipped."""
    processor = ProfileProcessor(drive)
    quiet = processor.process(np.zeros((1, 10 * OWN_RATE), np.float32), OWN_RATE)
    assert np.isfinite(quiet).all()
    assert float(np.ptp(quiet[:, OWN_RATE:])) < 1e-3
    loud = processor.process(playing(OWN_RATE) * 100, OWN_RATE)
    assert np.isfinite(loud).all()
    assert float(np.abs(loud).max()) > 1.0


def test_a_reset_brings_the_start_back(drive: LoadedProfile):
    """A second process begins from rest and the track from its start, even after a stream broken off."""
    processor = ProfileProcessor(drive, track=MOVING)
    dry = playing(44_100)
    first = processor.process(dry, 44_100)
    processor.feed(dry, 44_100)
    assert np.array_equal(processor.process(dry, 44_100), first)


@pytest.mark.parametrize(
    ("settings_", "said"),
    [({"drive_db": 40.5}, "0 to 40 dB"), ({"tone": 1}, "not a knob"), ({"drive_db": "hot"}, "takes a number")],
)
def test_a_knob_or_value_that_the_profile_lacks_is_refused(
    drive: LoadedProfile, settings_: Mapping[str, float | str], said: str
):
    """Settings and tracks are checked before anything plays."""
    with pytest.raises(KnobError, match=said):
        ProfileProcessor(drive, settings_)
    with pytest.raises(KnobError, match=said):
        ProfileProcessor(drive, track=KnobTrack.still(settings_))


def test_channels_and_rate_do_not_change_within_a_stream(drive: LoadedProfile):
    """Another kind of signal needs a reset first."""
    processor = ProfileProcessor(drive)
    processor.feed(np.zeros((1, 10), np.float32), OWN_RATE)
    with pytest.raises(AudioError, match="found 2 at"):
        processor.feed(np.zeros((2, 10), np.float32), OWN_RATE)
    with pytest.raises(AudioError, match="at 44100 Hz"):
        processor.feed(np.zeros((1, 10), np.float32), 44_100)
    assert processor.process(np.zeros((2, 10), np.float32), 44_100).shape == (2, 10)


class Late(Effect):
    """Returns the dry a fixed number of frames late."""

    kind = "late"
    knob_positions = 1
    memory_frames = 0
    multiply_adds = 1

    def __init__(self, *, frames: int) -> None:
        super().__init__()
        self.latency_frames = frames
        self.gain = nn.Parameter(torch.ones(1))

    @property
    def config(self) -> Mapping[str, Any]:
        """What rebuilds it."""
        return {"frames": self.latency_frames}

    def initial_state(self, channels: int) -> State:
        """Return the frames in the delay."""
        return (torch.zeros(channels, self.latency_frames),)

    def conditioned(self, knobs: Tensor) -> Tensor:
        """Return the knobs as they are."""
        return knobs

    def run(self, dry: Tensor, features: Tensor, state: State) -> tuple[Tensor, State]:  # noqa: ARG002
        """Return what went in some frames ago."""
        line = torch.cat([state[0], dry], dim=1)
        return self.gain * line[:, : dry.shape[1]], (line[:, dry.shape[1] :],)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_an_effects_own_latency_is_taken_out(
    drive: LoadedProfile, monkeypatch: pytest.MonkeyPatch, rate: int, in_blocks
):
    """Two stages that come late, by 37 frames and 5, return the dry in time and to its last frame, in any blocks."""
    monkeypatch.setitem(KINDS, "late", Late)
    stages = tuple(Stage(kind="late", config={"frames": frames}, prefix=f"{frames}.") for frames in (37, 5))
    weights = {f"{frames}.gain": np.ones(1, np.float32) for frames in (37, 5)}
    late = replace(drive, profile=replace(drive.profile, stages=stages), weights=weights)
    dry = playing(rate, channels=2, seconds=0.16)
    wet = ProfileProcessor(late).process(dry, rate)
    assert wet.shape == dry.shape
    edges = 0 if rate == OWN_RATE else 200  # resampling rings where a signal ends loud
    inside = slice(edges, dry.shape[1] - edges)
    assert np.abs(wet - dry)[:, inside].max() < (1e-7 if rate == OWN_RATE else 2e-3)
    for sizes in ([1], [13, 0, 40], [1000]):
        assert np.abs(in_blocks(ProfileProcessor(late), dry, rate, sizes) - wet).max() < 1e-5
