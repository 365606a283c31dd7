"""What a profile sounds like all over its knobs: descriptors of synthetic playing through it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from profiler.audio import Audio, Samples
from profiler.effects.sizes import sized
from profiler.errors import AudioError
from profiler.knob import Knob, KnobSettings, default_settings
from profiler.listening.descriptors import described
from profiler.profile import LoadedProfile, Size
from profiler.programme import passages
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.rendering import ProfileProcessor

__all__ = ["ProfileSounds", "profile_sounds"]

_SEED = 7
_PASSAGE_SECONDS = 2.5
_PLACES = {0: 0, 1: 8}
_MOST_PLACES = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfileSounds:
    """How a profile sounds at each of its `settings`: descriptors of shape (settings, COUNT)."""

    settings: tuple[KnobSettings, ...]
    descriptors: NDArray[np.float32]


def profile_sounds(loaded: LoadedProfile, *, on_progress: ProgressCallback = unheard) -> ProfileSounds:
    """Return how a profile sounds at its defaults and at up to 16 settings that fill the space of its knobs.

    The same playing of every kind goes through it at each; of a profile of two sizes the light one plays, which sounds
    alike. Takes some ten seconds on a core. Raises ProfileError for a profile that cannot be built, AudioError for one
    that is silent at all settings.
    """
    profile = loaded.profile
    light = sized(loaded, Size.LIGHT) if profile.light else loaded
    rate = profile.sample_rate
    dry = passages(_SEED, sample_rate=rate, frames=int(_PASSAGE_SECONDS * rate))
    settings, found = [], []
    places = [default_settings(profile.knobs), *_spread(profile.knobs)]
    for number, each in enumerate(places):
        wet = ProfileProcessor(light, each, oversampling=1).process(dry, rate)
        sounds = list(_described(wet, rate))
        if sounds:
            settings.append(each)
            found.append(np.mean(sounds, axis=0))
        on_progress(Progress(step="listen", done=(number + 1) / len(places)))
    if not found:
        raise AudioError(f"Profile {profile.name!r} gives silence at all of {len(places)} settings.")
    return ProfileSounds(settings=tuple(settings), descriptors=np.stack(found).astype(np.float32))


def _described(wet: Samples, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Yield the descriptors of each row that can be heard."""
    for row in wet:
        try:
            yield described(Audio(samples=row[None], sample_rate=sample_rate))
        except AudioError:
            continue  # a gate, say, may leave nothing of a quiet passage


def _spread(knobs: Sequence[Knob]) -> Iterator[KnobSettings]:
    """Yield settings that fill the space of the knobs (Sobol 1967), off its very corners."""
    count = _PLACES.get(len(knobs), _MOST_PLACES)
    if count:
        for point in qmc.Sobol(len(knobs), scramble=False).random(count) + 0.5 / count:
            yield {knob.id: knob.value_at(float(place)) for knob, place in zip(knobs, point, strict=True)}
