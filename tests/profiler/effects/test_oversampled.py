"""Oversampling: it takes aliases away and nothing else, comes at the time it says, and follows knobs."""

from pathlib import Path

import numpy as np
import pytest
import torch

import profiler
from profiler.effects import ConvolutionalEffect, Effect, State
from profiler.effects.network_shape import LIGHT
from profiler.effects.oversampled import Oversampled, oversampled
from profiler.errors import ProfileError
from profiler.rendering import ProfileProcessor

RATE = 48_000
LATE = 64


class Shaper(Effect):
    """Bends its input without memory, ever harder as its knob turns up; turned down it is a wire."""

    kind = "shaper"
    knob_positions, memory_frames, multiply_adds, config = 1, 0, 1, {}

    def __init__(self) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(()))

    def initial_state(self, channels: int) -> State:
        return (torch.zeros(channels),)

    def conditioned(self, knobs: torch.Tensor) -> torch.Tensor:
        return 1e-3 + 5 * knobs

    def run(self, dry: torch.Tensor, features: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        gain = features[..., 0]
        return torch.tanh(gain * dry) / torch.tanh(gain), state


def played(effect: Effect, factor: int, dry: torch.Tensor, knob: float) -> np.ndarray:
    """Return the wet of dry (channels, frames)."""
    played_at = oversampled(effect, factor)
    wet, _ = played_at(dry, torch.full((1, 1, 1), knob), played_at.initial_state(len(dry)))
    return wet.numpy()


def parts_of_a_tone(factor: int) -> tuple[float, np.ndarray]:
    """Return a tone's aliases below 20 kHz beside its harmonics, and the first and third of these, in dB."""
    hertz = 4567
    dry = torch.sin(2 * torch.pi * hertz * torch.arange(2 * RATE, dtype=torch.double) / RATE).float()[None]
    wet = played(Shaper(), factor, dry, 1.0)[0, RATE:]
    power = np.abs(np.fft.rfft(wet * np.hanning(RATE))) ** 2
    harmonics = np.arange(hertz, 24_000, hertz)
    levels = np.array([power[at - 2 : at + 3].sum() for at in harmonics])
    for at in (0, *harmonics):
        power[max(at - 4, 0) : at + 5] = 0
    return 10 * np.log10(power[:20_000].sum() / levels.sum()), 10 * np.log10(levels[:3:2])


def test_aliases_go_and_harmonics_stay():
    """A clipped tone loses its aliases with the rate, and its harmonics keep their levels to 0.001 dB."""
    plain, harmonics = parts_of_a_tone(1)
    assert plain > -25
    for factor, most in ((2, -45), (4, -95), (8, -95)):
        aliases, levels = parts_of_a_tone(factor)
        assert aliases < most
        assert levels == pytest.approx(harmonics, abs=1e-3)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_a_wire_stays_a_wire(factor: int):
    """What bends nothing is as it was up to 20 kHz, 64 frames late; each channel is its own."""
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.standard_normal((2, RATE)))
    spectrum[:, 20_000:] = 0
    dry = (0.2 * np.fft.irfft(spectrum)).astype(np.float32)
    wet = played(Shaper(), factor, torch.from_numpy(dry), 0.0)
    assert Oversampled(Shaper(), factor).latency_frames == LATE
    error = wet[:, LATE + 200 :] - dry[:, 200:-LATE]
    assert np.mean(error**2) < 1e-7 * np.mean(dry**2)


def test_knobs_turn_when_they_would_have():
    """A jump of the knob is heard at the frame it is due at, though shifts hear the dry later."""
    dry = torch.full((1, 3000), 0.5)
    knobs = torch.zeros(1, 3000, 1)
    knobs[:, 1234:] = 1.0
    effect = Oversampled(Shaper(), 4)
    wet, _ = effect(dry, knobs, effect.initial_state(1))
    before, after = float(wet[0, 1000]), float(wet[0, -1])
    crossed = int(np.argmax(wet[0, LATE + 200 :].numpy() > (before + after) / 2)) + LATE + 200
    assert after > before + 0.3
    assert abs(crossed - (1234 + LATE)) <= 1


@pytest.mark.parametrize("sizes", [[1, 7, 480], [33, 1, 64, 900], [5000]])
def test_blocks_of_moving_knobs_sound_like_the_whole(sizes: list[int]):
    """The shifts, the knobs that wait for them and a convolution's own state go on from block to block."""
    torch.manual_seed(0)
    inner = ConvolutionalEffect(knob_positions=1, **LIGHT.config)
    torch.nn.init.normal_(inner.shaper[-1].weight, std=0.3)
    effect = Oversampled(inner.requires_grad_(requires_grad=False), 2)
    dry = 0.3 * torch.randn(2, 3000)
    knobs = torch.zeros(1, 3000, 1)
    knobs[0, 700:1500, 0] = torch.linspace(0, 1, 800)
    knobs[0, 1500:] = 1.0
    whole, _ = effect(dry, knobs, effect.initial_state(2))
    state, found, at, turn = effect.initial_state(2), [], 0, 0
    while at < 3000:
        stop = at + sizes[turn % len(sizes)]
        piece = knobs[:, at:stop]
        still = bool((piece == piece[:, :1]).all())
        wet, state = effect(dry[:, at:stop], piece[:, :1] if still else piece, state)
        found.append(wet)
        at, turn = stop, turn + 1
    assert torch.cat(found, dim=1) == pytest.approx(whole, abs=1e-5)
    assert float(whole.abs().max()) > 1e-3


def test_other_factors_are_refused(trained: Path):
    """A profile that asks for something else is told what there is."""
    with pytest.raises(ProfileError, match=r"Oversampling is 3; it must be one of 1, 2, 4, 8\."):
        ProfileProcessor(profiler.load(trained), oversampling=3)
