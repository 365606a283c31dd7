"""The loss that training goes down, and what is usual at a setting."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from profiler.training.examples import Examples, Passage
from profiler.training.loss import EMPHASIS, Loss
from profiler.training.usual_power import usual_power


def test_the_loss_is_the_error_beside_the_row_and_a_floor():
    """Beside the sum of the two powers, flat and after pre-emphasis; silence that is hit costs nothing."""
    generator = torch.Generator().manual_seed(0)
    target, error = torch.randn(2, 4000, generator=generator), 0.1 * torch.randn(2, 4000, generator=generator)
    loss = Loss(floor=torch.tensor([0.5, 3.0]), emphasised=0.7, share=0.4)

    def relative(one: torch.Tensor, off: torch.Tensor, floor: float) -> float:
        return float(off.square().mean()) / (float(one.square().mean()) + floor)

    def emphasised(signal: torch.Tensor) -> torch.Tensor:
        return signal[1:] - EMPHASIS * signal[:-1]

    flat = np.mean([relative(target[row], error[row], floor) for row, floor in enumerate((0.5, 3.0))])
    parts = [relative(emphasised(target[n]), emphasised(error[n]), 0.7 * floor) for n, floor in enumerate((0.5, 3.0))]
    expected = 0.6 * flat + 0.4 * np.mean(parts)
    assert float(loss(target, target + error, torch.tensor([[0], [1]]))) == pytest.approx(expected, rel=1e-5)
    assert float(loss(torch.zeros(1, 9), torch.zeros(1, 9), torch.tensor([[0]]))) == 0


def test_what_is_usual_follows_the_gear_not_the_playing():
    """A gear of gain 10^knob is 20 dB louder at one end, however loud it was played at either."""
    rng = np.random.default_rng(0)
    knobs = np.linspace(0, 1, 9, dtype=np.float32)
    passages = []
    for number, knob in enumerate(knobs):
        dry = rng.normal(0, rng.uniform(0.01, 0.3), 4000).astype(np.float32)
        passages.append(
            Passage(
                dry=dry,
                wet=dry * 10**knob,
                knobs=np.full(4000, number, np.int32),
                counts=np.ones(4000, np.bool_),
            )
        )
    examples = Examples(learnt=tuple(passages), watched=(), positions=knobs[:, None])
    decibels = 10 * np.log10(usual_power(examples))
    assert np.allclose(decibels - decibels[0], 20 * knobs, atol=0.5)
    assert np.mean(usual_power(examples)) == pytest.approx(examples.levels()[1] ** 2, rel=1e-3)
    without = replace(examples, positions=np.zeros((9, 0), np.float32))
    assert np.allclose(usual_power(without), examples.levels()[1] ** 2)
