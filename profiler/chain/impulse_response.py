"""Impulse responses, of cabinets and rooms, as processors."""

import numpy as np
import soxr
from scipy.signal import fftconvolve

from profiler.audio import Audio, Samples
from profiler.errors import AudioError
from profiler.processor import Processor, check_same_stream

__all__ = ["ImpulseResponse"]

_LONGEST_SECONDS = 30.0
_LEAST_BLOCK = 4096


class ImpulseResponse(Processor):
    """Convolves with a response, at the level that it has in its file, at any rate.

    A response of one channel answers each channel; one of as many channels as the signal answers channel by channel;
    of two, a mono signal hears the mean. Raises AudioError for a silent response, or one of more than 30 seconds.
    """

    def __init__(self, response: Audio) -> None:
        if response.frames > _LONGEST_SECONDS * response.sample_rate:
            seconds = response.frames / response.sample_rate
            raise AudioError(f"An impulse response lasts at most {_LONGEST_SECONDS:g} s; found {seconds:.1f} s.")
        if not response.samples.any():
            raise AudioError("The impulse response is silent. Export it again.")
        self._audio = response
        self._begun_at: int | None = None
        self._channels = 1
        self._waiting: Samples = np.zeros((1, 0), np.float32)

    def reset(self) -> None:
        """Forget everything heard."""
        self._begun_at, self._channels = None, 1

    def feed(self, audio: Samples, sample_rate: int) -> Samples:
        """Return the wet that is ready. Blocks of one size are convolved, whatever the sizes of what is fed."""
        if self._begun_at is None:
            self._begin(audio.shape[0], sample_rate)
        check_same_stream(audio, sample_rate, channels=self._channels, begun_at=self._begun_at)
        waiting = np.concatenate([self._waiting, audio], axis=1)
        whole = waiting.shape[1] // self._block * self._block
        self._waiting = waiting[:, whole:]
        return self._convolved(waiting[:, :whole])

    def flush(self) -> Samples:
        """Return what waited for a block to be full; what would ring on is cut off."""
        if self._begun_at is None:
            return np.zeros((self._channels, 0), np.float32)
        due = self._waiting.shape[1]
        silence = np.zeros((self._channels, self._block - due), np.float32)
        wet = self._convolved(np.concatenate([self._waiting, silence], axis=1))[:, :due]
        self.reset()
        return wet

    def _begin(self, channels: int, sample_rate: int) -> None:
        self._channels, self._begun_at = channels, sample_rate
        self._response = _at_rate(_for_channels(self._audio.samples, channels), self._audio.sample_rate, sample_rate)
        frames = self._response.shape[1]
        self._block = max(_LEAST_BLOCK, 1 << (frames - 1).bit_length())
        self._waiting = np.zeros((channels, 0), np.float32)
        self._ringing = np.zeros((channels, frames - 1), np.float32)

    def _convolved(self, dry: Samples) -> Samples:
        blocks = [np.zeros((self._channels, 0), np.float32)]
        for start in range(0, dry.shape[1], self._block):
            wet = fftconvolve(dry[:, start : start + self._block], self._response, axes=1)
            wet[:, : self._ringing.shape[1]] += self._ringing
            blocks.append(wet[:, : self._block].astype(np.float32))
            self._ringing = wet[:, self._block :]
        return np.concatenate(blocks, axis=1)


def _for_channels(response: Samples, channels: int) -> Samples:
    if response.shape[0] in (1, channels):
        return response
    if channels == 1 and response.shape[0] == 2:
        return response.mean(axis=0, keepdims=True)
    raise AudioError(
        f"The impulse response has {response.shape[0]} channels and the signal {channels}. Bring one of 1 or {channels}"
        " channels."
    )


def _at_rate(response: Samples, source_rate: int, target_rate: int) -> Samples:
    """Return the response of the same filter at another rate: as many more samples, each as much lower."""
    if source_rate == target_rate:
        return response
    return (source_rate / target_rate) * soxr.resample(response.T, source_rate, target_rate).T.astype(np.float32)
