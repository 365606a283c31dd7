"""Doubt: what two sizes say of each other, and what was scored where it sounds alike."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from profiler.doubt import Doubt, doubts
from profiler.effects.sizes import sized
from profiler.errors import KnobError
from profiler.knob import KnobSettings
from profiler.profile import LoadedProfile, Size
from profiler.score import Score, TakeScore

QUIET: KnobSettings = {"drive_db": 2.0, "tone_hz": 400.0, "voice": "dark"}
LOUD: KnobSettings = {"drive_db": 38.0, "tone_hz": 6000.0, "voice": "bright"}


def scored(loaded: LoadedProfile, *rows: tuple[KnobSettings, float | None]) -> LoadedProfile:
    """Return the profile with these errors in its score."""
    takes = tuple(
        TakeScore(
            take=number,
            knobs=knobs,
            seconds=1.0,
            seen=False,
            settings_seen=False,
            material_seen=False,
            esr=esr,
            esr_pre_emphasis=esr,
            target_db=-20.0,
            predicted_db=-20.0,
            error_energy=esr or 0.0,
            target_energy=1.0,
        )
        for number, (knobs, esr) in enumerate(rows)
    )
    score = Score(esr=0.1, esr_median=0.1, esr_worst=0.1, floor=None, takes=takes)
    return replace(loaded, profile=replace(loaded.profile, score=score))


@pytest.mark.parametrize(("level", "esr"), [(1.0, 0.0), (0.9, 0.01), (0.5, 0.25)])
def test_sizes_that_differ_are_unsure(
    convolutional: Callable[..., LoadedProfile], both_sizes: LoadedProfile, level: float, esr: float
):
    """By their ESR: here the light size is the full one at another level."""
    full, light = convolutional(), both_sizes.profile.light
    assert light is not None
    config = {**full.profile.stages[0].config, "output_scale": 0.5 * level}
    stage = replace(full.profile.stages[0], prefix="light.0.", config=config)
    both = replace(
        full,
        profile=replace(full.profile, light=replace(light, stages=(stage,))),
        weights={**full.weights, **{f"light.{name}": tensor for name, tensor in full.weights.items()}},
    )
    for at, doubt in zip((QUIET, LOUD), doubts(both, [QUIET, LOUD]), strict=True):
        assert doubt.settings == at
        assert doubt.near_error is None
        assert doubt.sizes_differ == pytest.approx(esr, rel=1e-3, abs=1e-9)
        assert doubt.esr == pytest.approx(max(esr, 1e-9), rel=1e-3, abs=1e-9)


def test_one_size_says_nothing_of_itself(both_sizes: LoadedProfile):
    """Without a score there is nothing to expect."""
    (alone,) = doubts(sized(both_sizes, Size.FULL), [LOUD])
    assert (alone.sizes_differ, alone.near_error, alone.esr) == (None, None, None)


def test_errors_count_where_it_sounds_alike(both_sizes: LoadedProfile):
    """At a scored setting it is its own error; on the way to another it becomes that one's; silence says nothing."""
    loaded = scored(sized(both_sizes, Size.FULL), (QUIET, 0.2), (LOUD, 0.001), (LOUD, None))
    way = [{**QUIET, "drive_db": drive} for drive in (2.0, 2.5, 4.0, 12.0)]
    *along, there = [each.near_error for each in doubts(loaded, [*way, LOUD])]
    assert all(each is not None for each in along)
    assert along[0] == pytest.approx(0.2, rel=0.01)
    assert there == pytest.approx(0.001, rel=0.5)
    assert along == sorted(along, key=lambda each: -(each or 0.0))


def test_what_to_expect_is_the_mean_of_what_is_known():
    """The geometric one: half as much twice over is no change."""
    assert Doubt(settings={}, sizes_differ=0.01, near_error=0.04).esr == pytest.approx(0.02)
    assert Doubt(settings={}, sizes_differ=None, near_error=0.04).esr == pytest.approx(0.04)
    assert Doubt(settings={}, sizes_differ=0.0, near_error=0.0).esr == pytest.approx(1e-9)


def test_it_tells_how_far_it_is_and_refuses_what_is_no_knob(both_sizes: LoadedProfile):
    """Once a setting; a knob that is not there is named."""
    told: list[float] = []
    doubts(both_sizes, [QUIET, LOUD], on_progress=lambda progress: told.append(progress.done))
    assert told == [0.5, 1.0]
    with pytest.raises(KnobError, match="presence"):
        doubts(both_sizes, [{"presence": 3.0}])
