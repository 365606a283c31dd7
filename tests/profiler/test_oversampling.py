"""How much oversampling a profile gets: as much as it takes to alias no more than its gear, and no more."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import profiler
from profiler.audio import Audio
from profiler.effects import ConvolutionalEffect
from profiler.effects.sizes import sized
from profiler.evaluation import aliasing
from profiler.oversampling import well_oversampled
from profiler.profile import LoadedProfile, Size, Stage
from profiler.rendering import ProfileProcessor, measured_cost
from profiler.session_folder import SessionFolder

RATE = 48_000


@pytest.fixture(scope="module")
def drive(trained: Path) -> LoadedProfile:
    """A profile of a clipper, whatever its knob says: two rectifiers that are turned against each other."""
    effect = ConvolutionalEffect(knob_positions=1, channels=2, taps=[1], dilations=[1], head_taps=1)
    entry, identity, biases, head = [1.0, 1.0], [1.0, 0.0, 0.0, 1.0], [0.05, -0.05], [50.0, -50.0]
    flat = [*entry, *identity, *biases, 0.0, 0.0, *[0.0] * 6, *head, 0.0]
    effect.weights.data = torch.tensor(flat)
    whole = sized(profiler.load(trained), Size.FULL)
    stage = Stage(kind="convolutional", config=effect.config, prefix="0.")
    weights = {"0." + name: tensor.numpy() for name, tensor in effect.state_dict().items()}
    return replace(whole, profile=replace(whole.profile, stages=(stage,)), weights=weights)


def session_of(drive: LoadedProfile, captured: Path, path: Path, *, factor: int) -> SessionFolder:
    """Return a session of one take whose gear is the profile itself at so many times its rate."""
    whole = SessionFolder.open(captured)
    take, track = whole.session.takes[0], whole.track_of(whole.session.takes[0])
    dry = whole.dry_of(take)
    wet = ProfileProcessor(drive, track=track, oversampling=factor).process(dry.samples, RATE)
    folder = SessionFolder.create(path, replace(whole.session, takes=(), dries=()))
    number = folder.add_dry(dry, whole.session.dries[take.dry].stimulus)
    fresh = replace(take, dry=number, file="", sha256="", frames=0, latency_frames=0)
    folder.add_take(fresh, Audio(samples=wet, sample_rate=RATE), track)
    return folder


def test_a_profile_that_aliases_more_than_its_gear_is_oversampled(drive: LoadedProfile, captured: Path, tmp_path: Path):
    """Gear without aliases gets a profile that is played at a higher rate, golden pair and cost included."""
    folder = session_of(drive, captured, tmp_path / "clean", factor=8)
    before = aliasing(drive, folder)
    assert before.profile_db > max(before.gear_db + 3, -60)
    found = well_oversampled(drive, folder)
    factor = found.profile.oversampling
    after = aliasing(found, folder)
    assert factor in (2, 4)
    assert after.gear_db == before.gear_db
    assert after.profile_db < before.profile_db - 6
    fewer = replace(found, profile=replace(found.profile, oversampling=factor // 2))
    assert aliasing(fewer, folder).profile_db > max(before.gear_db + 3, -60)
    expected = ProfileProcessor(drive, drive.profile.golden_settings, oversampling=factor)
    assert np.array_equal(found.golden_wet, expected.process(drive.golden_dry, RATE))
    assert measured_cost(found).multiply_adds == factor * measured_cost(drive).multiply_adds


def test_a_profile_that_aliases_like_its_gear_is_left(drive: LoadedProfile, captured: Path, tmp_path: Path):
    """Gear that aliases as much needs nothing, and a session without sweeps tells nothing."""
    folder = session_of(drive, captured, tmp_path / "like", factor=1)
    assert well_oversampled(drive, folder).profile.oversampling == 1
    assert well_oversampled(drive, folder).golden_wet is drive.golden_wet
    held_out = tuple(take for take in SessionFolder.open(captured).session.takes if take.held_out)
    none = SessionFolder.open(captured)
    none.session = replace(none.session, takes=held_out)
    assert well_oversampled(drive, none) is drive


def test_the_light_size_is_played_at_its_own_rate(trained: Path):
    """It is there for what it does not cost."""
    both = profiler.load(trained)
    louder = replace(both, profile=replace(both.profile, oversampling=4))
    assert sized(louder, Size.LIGHT).profile.oversampling == 1
    assert sized(louder, Size.FULL).profile.oversampling == 4
