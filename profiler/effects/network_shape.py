"""The shape of a convolutional network: its layers, and where each weight lies in the flat vector of a `.nam` file."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["A2", "LIGHT", "NetworkShape", "Part"]

_MOST_CHANNELS, _MOST_LAYERS, _MOST_TAPS, _MOST_HISTORY = 64, 64, 64, 200_000


@dataclass(frozen=True, kw_only=True)
class Part:
    """One tensor within the flat vector. `layer` is -1 for what comes before the layers or after them."""

    name: str
    layer: int
    start: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        """Where the next one begins."""
        return self.start + int(np.prod(self.shape))


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """Dilated layers with residual connections whose activations are summed into one last convolution.

    `taps` and `dilations` have an entry a layer. A layer is z = conv(h) + mix * dry, a = leaky(z), h += W a + b, as in
    WaveNet (van den Oord et al. 2016) and Neural Amp Modeler. Raises ValueError for sizes outside what any profile has.
    """

    channels: int
    taps: tuple[int, ...]
    dilations: tuple[int, ...]
    head_taps: int = 16
    slope: float = 0.01

    def __post_init__(self) -> None:
        whole = (self.channels, self.head_taps, *self.taps, *self.dilations)
        if not all(isinstance(each, int) and each >= 1 for each in whole):
            raise ValueError("channels, taps and dilations must be whole numbers from 1 up.")
        if not 1 <= len(self.taps) == len(self.dilations) <= _MOST_LAYERS:
            raise ValueError(f"a network has 1 to {_MOST_LAYERS} layers, each with its taps and its dilation.")
        if self.channels > _MOST_CHANNELS or max(self.head_taps, *self.taps) > _MOST_TAPS:
            raise ValueError(f"a network has up to {_MOST_CHANNELS} channels and {_MOST_TAPS} taps a layer.")
        if self.history > _MOST_HISTORY:
            raise ValueError(f"the network hears {self.history} frames back; at most {_MOST_HISTORY} are allowed.")
        if not 0 <= self.slope <= 1:
            raise ValueError(f"the slope is {self.slope!r}; it must lie between 0 and 1.")

    @property
    def config(self) -> dict[str, Any]:
        """What rebuilds this shape, as plain JSON values."""
        return {
            "channels": self.channels,
            "taps": list(self.taps),
            "dilations": list(self.dilations),
            "head_taps": self.head_taps,
            "slope": self.slope,
        }

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return len(self.taps)

    @property
    def spans(self) -> tuple[int, ...]:
        """How many frames back each layer hears."""
        return tuple((taps - 1) * dilation for taps, dilation in zip(self.taps, self.dilations, strict=True))

    @property
    def history(self) -> int:
        """How many frames before an output matter to it."""
        return sum(self.spans) + self.head_taps - 1

    @property
    def state_size(self) -> int:
        """How many numbers a row remembers from one block to the next."""
        return self.channels * self.history

    @property
    def multiply_adds(self) -> int:
        """How many multiplications an output frame takes."""
        c = self.channels
        return c + sum(c * c * taps + c + c * c for taps in self.taps) - c * c + c * self.head_taps

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Every tensor in the order of a `.nam` file, which ends with a scale that the head has taken in here."""
        c = self.channels
        found: list[Part] = []

        def add(name: str, layer: int, *shape: int) -> None:
            found.append(Part(name=name, layer=layer, start=found[-1].stop if found else 0, shape=shape))

        add("entry", -1, c)
        for layer, taps in enumerate(self.taps):
            add("convolution", layer, c, c, taps)
            add("bias", layer, c)
            add("mix", layer, c)
            add("residual", layer, c, c)
            add("residual_bias", layer, c)
        add("head", -1, c, self.head_taps)
        add("head_bias", -1, 1)
        return tuple(found)

    @property
    def weight_count(self) -> int:
        """How many weights there are."""
        return self.parts[-1].stop

    def indices(self, name: str) -> NDArray[np.int64]:
        """Return where all tensors of one name lie, layer after layer, of shape (any,)."""
        return np.concatenate([np.arange(part.start, part.stop) for part in self.parts if part.name == name])


def _cycle(dilations: Sequence[int], times: int) -> tuple[int, ...]:
    return tuple(dilations) * times


_A2_DILATIONS = (*_cycle((1, 3, 7, 17, 41, 101, 239), 2), 1, 13, *_cycle((1, 3, 7, 17, 41, 101, 239), 1))

A2 = NetworkShape(channels=8, taps=(6,) * 14 + (15,) * 2 + (6,) * 7, dilations=_A2_DILATIONS)
"""Neural Amp Modeler's A2 in its full size: every setting of such an effect is a `.nam` that all its players play."""

LIGHT = NetworkShape(channels=8, taps=(4,) * 16, dilations=_cycle((1, 2, 5, 12, 30, 75, 190, 380), 2))
"""Less than half as dear as A2, and 87 ms long: a cabinet rings for 50.

By trial, ESR after a minute on an amp, a preamp, and high gain with a cabinet of 50 ms: .0131, .0007, .0078. Twelve
layers of six taps that hear 36 ms: .0118, .0010, .0116; fourteen of five, 68 ms: .0189, .0007, .0064; twenty of three,
85 ms: .0326, .0010, .0083.
"""
