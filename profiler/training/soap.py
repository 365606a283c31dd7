"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al. 2024), for flat weights that hold matrices."""

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
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group["lr"] * group["share"], group["betas"])

    def _move(self, parameter: nn.Parameter, gradient: Tensor, rate: float, betas: tuple[float, float]) -> None:
        state, matrices = self.state[parameter], self._matrices.get(parameter, ())
        if not state:
            state["step"] = torch.zeros(())
            state["mean"] = torch.zeros_like(parameter)
            state["square"] = torch.zeros_like(parameter)
            for number, at in enumerate(matrices):
                for side, size in (("left", at.shape[1]), ("right", at.shape[2])):
                    state[f"{side}{number}"] = parameter.new_zeros(len(at), size, size)
        state["step"] += 1
        count = int(state["step"])
        self._follow(state, gradient, matrices, count)
        state["mean"].lerp_(gradient, 1 - betas[0])
        state["square"].lerp_(_rotated(state, gradient, matrices).square(), 1 - betas[1])
        mean = _rotated(state, state["mean"], matrices) / (1 - betas[0] ** count)
        square = state["square"] / (1 - betas[1] ** count)
        step = (mean / (square.sqrt() + _FAINT)).clamp_(-_LARGEST_STEP, _LARGEST_STEP)
        parameter.sub_(_rotated(state, step, matrices, back=True), alpha=rate)

    @staticmethod
    def _follow(state: dict[str, Tensor], gradient: Tensor, matrices: Matrices, count: int) -> None:
        """Average the gradients' products, and turn the bases after them: one step of power iteration now and then.

        Bases are laid out as a checkpoint keeps them: products of matrices laid out otherwise differ in the last bit.
        """
        for number, at in enumerate(matrices):
            own = gradient[at]
            for side, product in (("left", own @ own.mT), ("right", own.mT @ own)):
                average = state[f"{side}{number}"]
                average.lerp_(product, 1 - _SHAMPOO if count > 1 else 1.0)
                name = f"{side}_basis{number}"
                if name not in state:
                    state[name] = torch.linalg.eigh(average)[1].flip(-1).contiguous()
                elif count % _REFRESH_STEPS == 0:
                    state[name] = torch.linalg.qr(average @ state[name])[0].contiguous()


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
