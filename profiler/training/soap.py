"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al. 2024), for flat weights that hold matrices."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Soap"]

_SHAMPOO = 0.95
_REFRESH_STEPS = 10
_LARGEST_STEP = 2.5
_FAINT = 1e-10

Matrices = Sequence[Tensor]
"""For matrices of one shape, where each of their elements lies in a flat parameter: (matrices, rows, columns)."""


class Soap(torch.optim.Optimizer):
    """Adam in which the matrices of a parameter are rotated to where their gradients are uncorrelated.

    A parameter that no `matrices` are given for is moved by plain Adam, and so is what lies in none of them. `share` of
    a parameter group multiplies the rate. No element moves by more than 2.5 times the rate in the rotated basis.
    """

    def __init__(
        self, groups: Sequence[dict[str, Any]], *, matrices: dict[nn.Parameter, Matrices], betas: tuple[float, float]
    ) -> None:
        super().__init__(groups, {"lr": 1e-3, "share": 1.0, "betas": betas})
        self._matrices = matrices

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every parameter against its gradient."""
        del closure
        self.make_ready()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group["lr"] * group["share"], group["betas"])

    @torch.no_grad()
    def make_ready(self) -> None:
        """Do what comes before a step now and then: turn each basis after the average of the gradients' products.

        It becomes that one's eigenvectors, and then turns by a step of power iteration each time. All is done in place.
        A step that is being recorded as a CUDA graph was made ready for before.
        """
        if any(each.is_cuda for each in self._matrices) and torch.cuda.is_current_stream_capturing():
            return
        for parameter in (each for group in self.param_groups for each in group["params"]):
            state, matrices = self.state[parameter], self._matrices.get(parameter, ())
            if not state:
                state |= _fresh_state(parameter, matrices)
            steps = int(state["count"]) if matrices else 0
            for number, side in itertools.product(range(len(matrices)), ("left", "right")):
                average, basis = state[f"{side}{number}"], state[f"{side}_basis{number}"]
                if steps == 1:
                    basis.copy_(torch.linalg.eigh(average)[1].flip(-1))
                elif steps and steps % _REFRESH_STEPS == 0:
                    basis.copy_(torch.linalg.qr(average @ basis)[0])

    def tensors(self) -> list[Tensor]:
        """Return all that a step changes but for the parameters."""
        self.make_ready()
        return [each for parameter in self.state for each in self.state[parameter].values()]

    def _move(
        self, parameter: nn.Parameter, gradient: Tensor, rate: float | Tensor, betas: tuple[float, float]
    ) -> None:
        state, matrices = self.state[parameter], self._matrices.get(parameter, ())
        state["count"] += 1
        for number, at in enumerate(matrices):
            own = gradient[at]
            state[f"left{number}"].lerp_(own @ own.mT, 1 - _SHAMPOO)
            state[f"right{number}"].lerp_(own.mT @ own, 1 - _SHAMPOO)
        state["mean"].lerp_(gradient, 1 - betas[0])
        state["square"].lerp_(_rotated(state, gradient, matrices).square(), 1 - betas[1])
        mean = _rotated(state, state["mean"], matrices) / (1 - betas[0] ** state["count"])
        square = state["square"] / (1 - betas[1] ** state["count"])
        step = (mean / (square.sqrt() + _FAINT)).clamp_(-_LARGEST_STEP, _LARGEST_STEP)
        parameter.sub_(_rotated(state, step, matrices, back=True) * rate)


def _fresh_state(parameter: Tensor, matrices: Matrices) -> dict[str, Tensor]:
    state = {
        "count": parameter.new_zeros(()),
        "mean": torch.zeros_like(parameter),
        "square": torch.zeros_like(parameter),
    }
    for number, at in enumerate(matrices):
        for side, size in (("left", at.shape[1]), ("right", at.shape[2])):
            state[f"{side}{number}"] = parameter.new_zeros(len(at), size, size)
            state[f"{side}_basis{number}"] = torch.eye(size).to(parameter).repeat(len(at), 1, 1)
    return state


def _rotated(state: dict[str, Tensor], vector: Tensor, matrices: Matrices, *, back: bool = False) -> Tensor:
    """Return the vector with its matrices in the bases of the state, or back out of them."""
    if not matrices:
        return vector
    rotated = vector.clone()
    for number, at in enumerate(matrices):
        left, right = state[f"left_basis{number}"], state[f"right_basis{number}"]
        own = vector[at]
        rotated[at] = left @ own @ right.mT if back else left.mT @ own @ right
    return rotated
