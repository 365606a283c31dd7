"""Replay: a step of training on a GPU, recorded once and played again.

A step is a thousand small kernels, and to launch them one after the other takes longer than to run them. CUDA records
them as a graph that is launched as one.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from profiler.errors import TrainingError

__all__ = ["Replay"]

_WARM_UPS = 3  # until libraries have chosen their kernels and taken their memory, as torch's notes on CUDA graphs ask


class Replay:
    """A function of tensors whose shapes never change. What it gives is overwritten by the next call.

    What else the function reads, such as weights, it finds where it was at the first call. `changed` is all that it
    changes in place, for its rehearsals to leave no trace.
    """

    def __init__(self, function: Callable[..., Sequence[Tensor]], *, changed: Sequence[Tensor] = ()) -> None:
        self._function, self._changed = function, changed
        self._graph: torch.cuda.CUDAGraph | None = None
        self._given: list[Tensor] = []
        self._found: Sequence[Tensor] = ()

    def __call__(self, *given: Tensor) -> Sequence[Tensor]:
        """Return what the function gives for tensors of any device; on the first call the graph is recorded.

        Raises TrainingError where the GPU has too little memory for that.
        """
        if self._graph is None:
            try:
                self._record(given)
            except torch.OutOfMemoryError as error:
                raise TrainingError(
                    "The GPU has too little memory free. Close what else uses it, or train with --device cpu."
                ) from error
        else:
            for own, each in zip(self._given, given, strict=True):
                own.copy_(each)
            self._graph.replay()
        return self._found

    def _record(self, given: Sequence[Tensor]) -> None:
        self._given = [each.to("cuda", copy=True) for each in given]
        before = [each.detach().clone() for each in self._changed]
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(_WARM_UPS):
                self._function(*self._given)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._found = self._function(*self._given)
        for own, each in zip(self._changed, before, strict=True):
            own.detach().copy_(each)
        graph.replay()
        self._graph = graph
