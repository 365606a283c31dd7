"""The ship gate: offsets in silence and bursts, wherever in the knobs' ranges they hide."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import profiler
from profiler.effects import Effect, State
from profiler.effects.kinds import KINDS
from profiler.knob import Knob
from profiler.profile import LightEffect, LoadedProfile, Stage
from profiler.session_folder import SessionFolder
from profiler.ship_gate import _settings, gated


class Flawed(Effect):
    """The dry, but with an offset and a gain where its knob is in the upper tenth of its range."""

    kind = "flawed"
    knob_positions, memory_frames, multiply_adds = 1, 0, 1

    def __init__(self, offset: float = 0.0, gain: float = 1.0) -> None:
        super().__init__()
        self.kept = nn.Parameter(torch.ones(1))
        self.offset, self.gain = offset, gain

    @property
    def config(self) -> Mapping[str, Any]:
        return {"offset": self.offset, "gain": self.gain}

    def initial_state(self, channels: int) -> State:
        return (torch.zeros(channels),)

    def conditioned(self, knobs: Tensor) -> Tensor:
        return knobs

    def run(self, dry: Tensor, features: Tensor, state: State) -> tuple[Tensor, State]:
        there = (features[..., 0] > 0.9).float()
        return dry * (1 + (self.gain - 1) * there) + self.offset * there, state


@pytest.fixture
def flawed(trained: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that makes a profile of the full effect, or with one of the light effect, with these flaws."""
    monkeypatch.setitem(KINDS, "flawed", Flawed)

    def make(*, light: bool = False, **flaws: float) -> LoadedProfile:
        loaded = profiler.load(trained)
        clean, bad = Stage(kind="flawed", config={}, prefix="c."), Stage(kind="flawed", config=flaws, prefix="f.")
        small = LightEffect(stages=(bad,), steps=1, seconds=1.0) if light else None
        profile = replace(loaded.profile, stages=(clean if light else bad,), light=small)
        stages = (*profile.stages, *(small.stages if small else ()))
        return replace(
            loaded, profile=profile, weights={f"{stage.prefix}kept": np.ones(1, np.float32) for stage in stages}
        )

    return make


def told(loaded: LoadedProfile, captured: Path) -> list[tuple[str, str]]:
    """Return the findings that the gate writes into a profile."""
    findings = gated(loaded, SessionFolder.open(captured)).profile.provenance.findings
    return [(finding.kind, finding.message) for finding in findings]


def test_a_sound_profile_passes(trained: Path, captured: Path):
    """Nothing is written into it."""
    assert told(profiler.load(trained), captured) == []


def test_an_offset_in_silence_is_told(flawed, captured: Path):
    """With its level and where; one of -90 dBFS is none."""
    ((kind, message),) = told(flawed(offset=0.01), captured)
    assert kind == "offset"
    assert "It gives an offset of -40 dBFS for silence at drive 40 dB" in message
    assert told(flawed(offset=10 ** (-90 / 20)), captured) == []


def test_a_burst_is_told(flawed, captured: Path):
    """With how far above the loudest recording it is; 6 dB more is no burst."""
    ((kind, message),) = told(flawed(gain=100.0), captured)
    assert kind == "burst"
    assert "at drive " in message
    assert "dB above the loudest that was recorded" in message
    assert told(flawed(gain=2.0), captured) == []


def test_the_light_size_is_looked_over_too(flawed, captured: Path):
    """By its name."""
    ((_, message),) = told(flawed(light=True, offset=0.01), captured)
    assert message.startswith("The light size gives an offset")


def test_settings_lie_all_over_the_knobs():
    """The defaults, corners and others: as many of many knobs as of two, and always the same."""
    knobs = tuple(Knob(id=f"k{number}", name="K") for number in range(6))
    for count, corners in ((1, 2), (2, 4), (6, 16)):
        found = list(_settings(knobs[:count]))
        assert len(found) == 1 + corners + 12
        assert found == list(_settings(knobs[:count]))
        assert sum(all(value in (0.0, 1.0) for value in each.values()) for each in found[1:]) == corners
    assert list(_settings(())) == [{}]
