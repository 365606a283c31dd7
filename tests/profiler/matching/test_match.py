"""Matching finds the profile that made a wet, and where its knobs stood."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from profiler.effects.convolutional import ConvolutionalEffect
from profiler.errors import TakeRejectedError
from profiler.knob import Knob
from profiler.matching import match_profiles
from profiler.matching.player import Player
from profiler.profile import Stage
from profiler.programme import programme
from profiler.recording import HeldRecording
from profiler.rendering import ProfileProcessor

RATE = 48_000


def _profile(whole, seed):
    """Return a profile of a small network with two knobs and a switch, which do something."""
    torch.manual_seed(seed)
    effect = ConvolutionalEffect(knob_positions=4, channels=4, taps=(6, 6), dilations=(1, 7), shaper=4)
    with torch.no_grad():
        for name, tensor in effect.named_parameters():
            if name.startswith("shaper"):
                tensor.copy_(torch.randn_like(tensor) * 0.5)
        effect.shaper[-1].weight[-2:] *= 2
    knobs = (
        Knob(id="drive", name="Drive"),
        Knob(id="tone", name="Tone", minimum=100.0, maximum=4000.0, default=1000.0, scale="log"),
        Knob(id="mode", name="Mode", default="dark", minimum=0, maximum=1, choices=("dark", "bright")),
    )
    settings = {"drive": 0.5, "tone": 1000.0, "mode": "dark"}
    stage = Stage(kind="convolutional", config=effect.config, prefix="0.")
    profile = replace(whole.profile, name=f"net {seed}", knobs=knobs, stages=(stage,), golden_settings=settings)
    weights = {"0." + name: tensor.numpy().copy() for name, tensor in effect.state_dict().items()}
    return replace(whole, profile=profile, weights=weights)


@pytest.fixture(scope="module")
def profiles(whole):
    """Three profiles of the same shape."""
    return {f"net {seed}": _profile(whole, seed) for seed in range(3)}


@pytest.fixture(scope="module")
def dry():
    """Some seconds of playing."""
    return programme(3, sample_rate=RATE, frames=5 * RATE)


def test_many_settings_at_once_are_those_one_by_one(profiles, whole, dry):
    """What the player gives is what `ProfileProcessor` gives, for effects of both families."""
    for loaded, rows in ((profiles["net 0"], [[0.2, 0.7, 0, 1], [0.9, 0.1, 1, 0]]), (whole, [[0.0], [1.0], [0.3]])):
        wet = Player(loaded).play(dry[:4000], np.array(rows, np.float32))
        for row, own in zip(rows, wet, strict=True):
            at = {"drive": row[0]}
            if len(row) > 1:
                at |= {"tone": loaded.profile.knobs[1].value_at(row[1]), "mode": "dark" if row[2] else "bright"}
            alone = ProfileProcessor(loaded, at, oversampling=1).process(dry[None, :4000], RATE)[0]
            assert own == pytest.approx(alone, abs=2e-5)


def test_the_profile_is_found_and_its_knobs_too(profiles, dry):
    """Whatever the wet's level, polarity and lateness."""
    at = {"drive": 0.37, "tone": 700.0, "mode": "bright"}
    wet = ProfileProcessor(profiles["net 1"], at).process(dry[None], RATE)[0]
    late = np.concatenate([np.zeros(321, np.float32), -0.25 * wet])
    told = []
    found = match_profiles(profiles, lambda _: (HeldRecording(dry), HeldRecording(late)), on_progress=told.append)
    name, match = found[0]
    assert name == "net 1"
    assert match.esr < 1e-4
    assert match.settings["mode"] == "bright"
    assert match.settings["drive"] == pytest.approx(0.37, abs=0.03)
    assert profiles[name].profile.knobs[1].position(match.settings["tone"])[0] == pytest.approx(
        profiles[name].profile.knobs[1].position(700.0)[0], abs=0.03
    )
    assert match.lag_frames == pytest.approx(321, abs=0.2)
    assert match.polarity == -1
    assert match.gain_db == pytest.approx(-12.04, abs=0.5)
    assert set(match.give) == {"drive", "tone"}
    assert [each.esr for _, each in found] == sorted(each.esr for _, each in found)
    assert {each.step for each in told} == {"listen", "turn"}
    assert told[-1].done == 1


def test_it_stops_when_it_is_told(profiles, dry):
    """What was not begun is left out."""
    pair = (HeldRecording(dry), HeldRecording(dry))
    assert match_profiles(profiles, lambda _: pair, stopped=lambda: True) == []


def test_a_wet_of_something_else_is_refused(profiles, dry):
    """Matching noise would find something, and mean nothing."""
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * RATE).astype(np.float32)
    with pytest.raises(TakeRejectedError, match="does not hold what the dry plays"):
        match_profiles(profiles, lambda _: (HeldRecording(dry), HeldRecording(noise)))
