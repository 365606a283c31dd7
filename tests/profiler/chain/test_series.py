"""Chains: processors one after the other are one processor."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import profiler
from profiler.chain import Chain
from profiler.pedalboard_effect import PedalboardEffect
from profiler.processor import Processor
from profiler.rendering import ProfileProcessor

SAMPLE_RATE = 48_000


def noise(channels: int, frames: int) -> np.ndarray:
    """Return a burst of noise that ends loud, so that a lost end is heard."""
    return np.random.default_rng([channels, frames]).normal(0, 0.2, (channels, frames)).astype(np.float32)


def links(profile: Path) -> list[Processor]:
    """Return effects of which two hold frames back, with a profile between them."""
    return [
        PedalboardEffect("BrickwallLimiter", {"ceiling_db": -12}),
        ProfileProcessor(profiler.load(profile), {"drive_db": 12}),
        PedalboardEffect("Delay", {"delay_seconds": 0.01}),
        PedalboardEffect("Resample", {"target_sample_rate": 16_000}),
        PedalboardEffect("Gain", {"gain_db": -6}),
    ]


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_chain_is_its_processors_one_after_the_other(trained: Path, channels: int, sample_rate: int):
    """Each processor's rest goes through those after it, so the chain's sound is that of one after the other."""
    dry = noise(channels, 20_000)
    expected = dry
    for each in links(trained):
        expected = each.process(expected, sample_rate)
    wet = Chain(links(trained)).process(dry, sample_rate)
    assert wet.shape == dry.shape
    assert np.abs(wet - expected).max() < 1e-5
    assert np.abs(wet[:, -100:]).max() > 0.01


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(0, 4000), min_size=1, max_size=5).filter(lambda sizes: sum(sizes) > 20))
def test_a_chain_in_blocks_sounds_like_the_whole(trained: Path, sizes: list[int], in_blocks):
    """Blocks of any sizes, empty ones among them, give the same sound as the whole."""
    dry = noise(2, 6000)
    chain = Chain(links(trained))
    assert np.abs(in_blocks(chain, dry, 44_100, sizes) - chain.process(dry, 44_100)).max() < 1e-5


def test_a_chain_of_chains_is_a_chain():
    """Chains nest: the inner one's rest goes through the outer one."""
    dry = noise(1, 9000)
    flat = Chain([PedalboardEffect("BrickwallLimiter"), PedalboardEffect("Distortion"), PedalboardEffect("Resample")])
    inner = Chain([PedalboardEffect("BrickwallLimiter"), PedalboardEffect("Distortion")])
    nested = Chain([inner, PedalboardEffect("Resample")])
    assert np.array_equal(nested.process(dry, SAMPLE_RATE), flat.process(dry, SAMPLE_RATE))


def test_a_chain_forgets_after_a_reset():
    """What a broken-off stream left in any processor is not heard in the next one."""
    dry = noise(1, 9000)
    chain = Chain([PedalboardEffect("Resample"), PedalboardEffect("Delay", {"delay_seconds": 0.01})])
    first = chain.process(dry, SAMPLE_RATE)
    chain.feed(dry, SAMPLE_RATE)
    assert np.array_equal(chain.process(dry, SAMPLE_RATE), first)


def test_an_empty_chain_and_an_empty_signal_change_nothing():
    """No processors return the dry; no frames return no frames."""
    dry = noise(1, 100)
    assert np.array_equal(Chain([]).process(dry, SAMPLE_RATE), dry)
    assert Chain([PedalboardEffect("Resample")]).process(dry[:, :0], SAMPLE_RATE).shape == (1, 0)
    assert Chain([PedalboardEffect("Resample"), PedalboardEffect("Gain")]).flush().shape == (1, 0)


def test_an_empty_stereo_chain_keeps_its_channels():
    """A chain without processors returns as many channels as it was given."""
    dry = noise(2, 100)
    assert np.array_equal(Chain([]).process(dry, SAMPLE_RATE), dry)
