"""From many profiles and all their settings to the few that come nearest to a wet, with their knobs fitted.

Every profile is heard at settings that fill the space of its knobs, by its light size if it has one, on a short
excerpt; the best few are then followed down to the least error, first on that excerpt and then on a longer one. Of a
library, hand in what the search by sound found for the wet: it knows thousands of profiles in milliseconds.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from profiler.effects.sizes import sized
from profiler.errors import TakeRejectedError
from profiler.knob import Knob, KnobSettings
from profiler.matching.ear import Ear, Passage, Vector
from profiler.matching.fit import Place, fitted
from profiler.profile import LoadedProfile, Size
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.recording import Recording
from profiler.timing import CLEAR, find_passage

__all__ = ["KnobMatch", "match_profiles"]

_ROUGH_SECONDS, _FINE_SECONDS = 1.5, 3.0
_PLACES = {0: 1, 1: 8, 2: 24, 3: 40}
_MOST_PLACES = 64
_STARTS, _REFINED = 3, 3
_ROUGH_STEPS, _FINE_STEPS = 8, 4

Pair = Callable[[int], tuple[Recording, Recording]]
"""Returns the dry and the wet at a sample rate."""


@dataclass(frozen=True, kw_only=True)
class KnobMatch:
    """Settings at which a profile comes nearest to a wet.

    `esr` is what remains when level, polarity and lateness are made to fit: `gain_db` is how much louder the wet is
    than the profile plays, negative `polarity` says upside down, `lag_frames` how late it is at the profile's rate.
    `give` is how far each knob can be turned, in shares of its way and with the others following, before that is heard
    as a tenth more error: at 1 the wet does not tell where it stood. A knob that is not listed is a switch.
    """

    settings: KnobSettings
    esr: float
    gain_db: float
    polarity: int
    lag_frames: float
    give: Mapping[str, float]


def match_profiles(
    profiles: Mapping[str, LoadedProfile],
    pair: Pair,
    *,
    on_progress: ProgressCallback = unheard,
    stopped: Callable[[], bool] = lambda: False,
) -> list[tuple[str, KnobMatch]]:
    """Return the up to three profiles that come nearest to making the wet of the dry, nearest first, with their knobs.

    Returns what is there when it is `stopped`. Raises TakeRejectedError when the wet does not hold what the dry plays,
    ProfileError for a profile that cannot be built.
    """
    passages: dict[int, Passage] = {}
    rough: dict[str, list[Place]] = {}
    for number, (name, loaded) in enumerate(profiles.items()):
        if stopped():
            return []
        rate = loaded.profile.sample_rate
        passages[rate] = passages.get(rate) or _passage(*pair(rate), rate)
        light = sized(loaded, Size.LIGHT) if loaded.profile.light else loaded
        rough[name] = _tried(Ear(light, passages[rate], _ROUGH_SECONDS))
        on_progress(Progress(step="listen", done=(number + 1) / len(profiles)))
    best = sorted(rough, key=lambda name: rough[name][0].esr)[:_REFINED]
    found = []
    for number, name in enumerate(best):
        if stopped():
            break
        found.append(
            (name, _refined(profiles[name], passages[profiles[name].profile.sample_rate], rough[name], stopped))
        )
        on_progress(Progress(step="turn", done=(number + 1) / len(best)))
    return sorted(found, key=lambda each: each[1].esr)


def _passage(dry: Recording, wet: Recording, sample_rate: int) -> Passage:
    middle, match = find_passage(dry, wet, sample_rate)
    if match.clearness < CLEAR:
        raise TakeRejectedError(
            "The wet does not hold what the dry plays: nothing in it is clearly the same playing. Give the dry that "
            "this wet was made of."
        )
    return Passage(dry=dry, wet=wet, sample_rate=sample_rate, middle=middle, lag=match.frames)


def _tried(ear: Ear) -> list[Place]:
    """Return rough places all over the knobs, best first."""
    places = _spread(ear.knobs)
    lags, errors = ear.roughly(ear.heard(places))
    order = np.argsort(errors)
    nowhere = np.ones(places.shape[1])
    return [Place(at=places[row], lag=float(lags[row]), esr=float(errors[row]), give=nowhere) for row in order]


def _spread(knobs: Sequence[Knob]) -> Vector:
    """Return places that fill the space of the knobs (Sobol 1967), off its very ends."""
    count = _PLACES.get(len(knobs), _MOST_PLACES)
    if not knobs:
        return np.zeros((1, 0))
    points = qmc.Sobol(len(knobs), scramble=False).random_base2(math.ceil(math.log2(count)))[:count]
    return np.asarray(points + 0.5 / count)


def _refined(loaded: LoadedProfile, passage: Passage, rough: Sequence[Place], stopped: Callable[[], bool]) -> KnobMatch:
    """Follow a profile's best rough places down, the best of them on a longer excerpt."""
    short = Ear(loaded, passage, _ROUGH_SECONDS)
    followed = [fitted(short, start, _ROUGH_STEPS, stopped) for start in rough[:_STARTS]]
    long = Ear(loaded, passage, _FINE_SECONDS)
    place = fitted(long, min(followed, key=lambda each: each.esr), _FINE_STEPS, stopped)
    gain = long.gain(long.heard(place.at[None]), place.lag)
    return KnobMatch(
        settings=long.settings(place.at),
        esr=place.esr,
        gain_db=20 * math.log10(max(abs(gain), 1e-9)),
        polarity=-1 if gain < 0 else 1,
        lag_frames=passage.lag + place.lag,
        give={knob.id: float(give) for knob, give in zip(long.knobs, place.give, strict=True) if not knob.choices},
    )
