"""A profile of a few weights, gear that swings both ways, and how hypothesis is used."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from scipy import signal

from profiler.effects import RecurrentEffect
from profiler.knob import Knob
from profiler.profile import LoadedProfile, Profile, Provenance, Stage
from profiler.profile_file import save
from profiler.session import Gear

settings.register_profile("tonecast", deadline=None, derandomize=True, database=None)
settings.load_profile("tonecast")


@pytest.fixture(scope="session")
def whole() -> LoadedProfile:
    """A whole profile of a few weights. Read only."""
    torch.manual_seed(1)
    effect = RecurrentEffect(knob_positions=1, hidden=2, features=2, shaper=2)
    rng = np.random.default_rng(1)
    profile = Profile(
        name="Drive",
        gear=Gear(name="Pedal", kind="plugin"),
        knobs=(Knob(id="drive", name="Drive"),),
        sample_rate=48_000,
        stages=(Stage(kind="recurrent", config=effect.config, prefix="0."),),
        latency_frames=0,
        golden_settings={"drive": 0.5},
        provenance=Provenance(
            learnt=(),
            hold_outs=(),
            seed=0,
            steps=1,
            seconds=0.0,
            audio_seconds=0.0,
            limited_by="steps",
            curve=(),
            versions={},
        ),
    )
    return LoadedProfile(
        profile=profile,
        weights={"0." + name: tensor.numpy() for name, tensor in effect.state_dict().items()},
        golden_dry=rng.normal(0, 0.5, (1, 480)).astype(np.float32),
        golden_wet=rng.normal(0, 0.5, (1, 480)).astype(np.float32),
    )


@pytest.fixture
def saved(whole: LoadedProfile, tmp_path: Path) -> Path:
    """That profile, saved."""
    save(tmp_path / "drive.tonecast", whole)
    return tmp_path / "drive.tonecast"


@pytest.fixture
def two_sided():
    """Return a clipper, at 48 kHz, that swings down at once and up six frames later, further when it is loud."""

    def played(dry, later_share: float = 1.2):
        band = 6 * signal.lfilter(*signal.butter(1, [200, 6000], "band", fs=48_000), dry)
        up = np.concatenate([np.zeros(6), np.tanh(band)[:-6]])
        return (later_share * up - 1.6 * np.clip(band, -0.9, 0.25)).astype(np.float32)

    return played
