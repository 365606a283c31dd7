"""Effects that are silent when nothing is played."""

import pytest
import torch

from profiler.effects import ConvolutionalEffect, DynamicsEffect, Effect, RecurrentEffect
from profiler.effects.oversampled import oversampled
from profiler.effects.silenced import silenced


def effect(kind: type[Effect]) -> Effect:
    """Return an effect of fresh weights with an offset that its knob moves."""
    torch.manual_seed(0)
    made = kind(knob_positions=1, hidden=6, features=2, shaper=4)
    with torch.no_grad():
        made.out.bias += 0.3
    return made.eval().requires_grad_(requires_grad=False)


def moving(frames: int) -> torch.Tensor:
    """Return a knob that is turned all the time, (1, frames, 1)."""
    return (0.5 + 0.5 * torch.sin(torch.arange(frames) / 300))[None, :, None]


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize("kind", [RecurrentEffect, DynamicsEffect])
def test_silence_gives_silence_while_knobs_move(kind: type[Effect], factor: int):
    """To the last bit, in every channel and oversampled too, where the effect alone leaves an offset."""
    plain = effect(kind)
    wet, _ = plain(torch.zeros(1, 4000), moving(4000), plain.initial_state(1))
    assert wet.abs().min() > 0.01
    played = oversampled(silenced(plain), factor)
    wet, _ = played(torch.zeros(2, 4000), moving(4000), played.initial_state(2))
    assert wet.shape == (2, 4000)
    assert not wet.any()


@pytest.mark.parametrize("kind", [RecurrentEffect, DynamicsEffect])
def test_a_sound_loses_nothing_but_the_offset(kind: type[Effect]):
    """Channel by channel, in blocks as in the whole."""
    plain, dry = effect(kind), 0.1 * torch.randn(2, 3000, generator=torch.Generator().manual_seed(1))
    knobs = moving(3000)
    rest, _ = plain(torch.zeros(1, 3000), knobs, plain.initial_state(1))
    heard, _ = plain(dry, knobs, plain.initial_state(2))
    played = silenced(plain)
    whole, _ = played(dry, knobs, played.initial_state(2))
    assert torch.allclose(whole, heard - rest, atol=1e-6)
    state, pieces = played.initial_state(2), []
    for start, stop in ((0, 1), (1, 700), (700, 3000)):
        wet, state = played(dry[:, start:stop], knobs[:, start:stop], state)
        pieces.append(wet)
    assert torch.allclose(torch.cat(pieces, dim=1), whole, atol=1e-5)


def test_convolutional_effects_need_no_twin():
    """They are silent by themselves, and played as they are."""
    plain = ConvolutionalEffect(knob_positions=0, channels=2, taps=[3], dilations=[1])
    assert silenced(plain) is plain
