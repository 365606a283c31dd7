"""Impulse responses, of cabinets and rooms, as processors."""

from pathlib import Path
from typing import Self

import numpy as np
import soxr
from scipy.signal import fftconvolve

from profiler.audio import Audio, Samples
from profiler.audio_file import reading
from profiler.errors import AudioError
from profiler.processor import Processor, check_same_stream

__all__ = ["ImpulseResponse"]

_LONGEST_SECONDS = 30.0
_SLOWEST_HZ, _FASTEST_HZ = 1_000, 1_000_000
_LEAST_BLOCK = 4096


class ImpulseResponse(Processor):
    """Convolves with a response, at the level that it has in its file, at any rate.

    A response of one channel answers each channel; one of as many channels as the signal answers channel by channel;
    of two, a mono signal hears the mean. Raises AudioError for a silent response, one of more than 30 seconds, or one
    of a rate that none has.
    """

    def __init__(self, response: Audio) -> None:
        _check_length(response.frames, response.sample_rate)
        if not response.samples.any():
            raise AudioError("The impulse response is silent. Export it again.")
        self._audio = response
        self._begun_at: int | None = None
        self._channels = 1
        self._waiting: Samples = np.zeros((1, 0), np.float32)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the response in a file. Raises AudioError; of what lasts too long nothing is decoded."""
        with reading(path) as reader:
            _check_length(reader.frames, reader.sample_rate)
            return cls(Audio(samples=reader.read(0, reader.frames), sample_rate=reader.sample_rate))

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
        if frames == 0:
            raise AudioError(
                f"The impulse response has {self._audio.frames} frames at {self._audio.sample_rate} Hz, which is less "
                f"than one at the signal's {sample_rate} Hz. Export it longer."
            )
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


def _check_length(frames: int, sample_rate: int) -> None:
    if not _SLOWEST_HZ <= sample_rate <= _FASTEST_HZ:
        raise AudioError(
            f"An impulse response has a rate of {_SLOWEST_HZ} to {_FASTEST_HZ} Hz; found {sample_rate} Hz. "
            "Export it again."
        )
    if frames > _LONGEST_SECONDS * sample_rate:
        seconds = frames / sample_rate
        raise AudioError(f"An impulse response lasts at most {_LONGEST_SECONDS:g} s; found {seconds:.1f} s.")


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
