"""All listening measures of a recorded and a predicted signal, heard piece by piece."""

from profiler.audio import Samples
from profiler.listening.cepstra import RunningCepstra
from profiler.listening.loudness import RunningLoudness
from profiler.listening.spectra import RunningSpectra
from profiler.score import Listening, listening_score

__all__ = ["RunningListening"]


class RunningListening:
    """MR-STFT, MFCC-L1 and loudness difference, added up piece by piece; any pieces give those of the whole.

    Three seconds are held, and 160 bytes for each second heard.
    """

    def __init__(self, sample_rate: int) -> None:
        self._spectra = RunningSpectra()
        self._cepstra = RunningCepstra(sample_rate)
        self._target, self._predicted = RunningLoudness(sample_rate), RunningLoudness(sample_rate)

    def hear(self, target: Samples, predicted: Samples) -> None:
        """Go on with a piece of both, each of shape (channels, frames)."""
        self._spectra.hear(target, predicted)
        self._cepstra.hear(target, predicted)
        self._target.hear(target)
        self._predicted.hear(predicted)

    @property
    def value(self) -> Listening:
        """Return what all pieces so far come to."""
        loudness, predicted = self._target.value, self._predicted.value
        distance = self._cepstra.distance
        return Listening(
            mr_stft=self._spectra.distance,
            mfcc_l1=distance,
            listening_score=listening_score(distance),
            loudness_difference=None if loudness is None or predicted is None else predicted - loudness,
        )
