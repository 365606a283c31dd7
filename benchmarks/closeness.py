"""How close a predicted signal is to the recorded one, in the measures that profilers are compared by."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from profiler.listening import RunningListening
from profiler.score import error_to_signal

__all__ = ["closeness"]


def closeness(wet: NDArray[np.float32], predicted: NDArray[np.float32], rate: int) -> Mapping[str, float | None]:
    """Return the measures of two signals of shape (frames,): `esr` without pre-emphasis, `mr_stft` and `mfcc_l1`."""
    listening = RunningListening(rate)
    listening.hear(wet[None], predicted[None])
    heard = listening.value
    return {
        "esr": error_to_signal(wet[None], predicted[None]),
        "mr_stft": heard.mr_stft,
        "mfcc_l1": heard.mfcc_l1,
    }
