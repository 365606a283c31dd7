"""The native engine, built from `engine/`: kernels that train and play convolutional effects."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

def simd_names() -> list[str]:
    """Return the instruction sets that this machine can run, best first."""

class Pass:
    """A forward that can be gone back through once."""

    def backward(self, wet_gradient: Floats) -> Floats:
        """Return the gradient of every row's weights, (rows, weight_count), for that of the wet, (rows, frames)."""

class Network:
    """A network of one shape, on rows of audio each with weights of its own. One call at a time."""

    weight_count: int
    history: int
    state_size: int
    simd: str
    threads: int

    def __init__(
        self,
        channels: int,
        layers: Sequence[tuple[int, int]],
        head_taps: int,
        slope: float,
        simd: str = "",
        threads: int = 1,
    ) -> None: ...
    def forward(self, dry: Floats, weights: Floats, horizon: int | None = None) -> tuple[Floats, Pass]:
        """Return wet (rows, frames) and the pass, for dry (rows, history + frames), weights (rows or 1, weight_count).

        The pass goes back no more than `horizon` frames, rounded up to 48, before the first that the head reads; all of
        the history when that is None. Raises ValueError for other shapes.
        """

    def play(self, dry: Floats, weights: Floats, state: Floats, film: Floats | None = None) -> Floats:
        """Return wet for dry (rows, frames), and move `state` (rows, state_size) on in place.

        `film` is (rows or 1, layers, 2, channels, frames). Raises ValueError for other shapes.
        """
