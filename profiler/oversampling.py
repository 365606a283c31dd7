"""How much oversampling a profile needs for its aliasing to be no more than the gear's own."""

from dataclasses import replace

from profiler.evaluation import aliasing
from profiler.profile import LoadedProfile
from profiler.progress import Progress, ProgressCallback, unheard
from profiler.rendering import with_golden
from profiler.session_folder import SessionFolder

__all__ = ["well_oversampled"]

_FACTORS = (1, 2, 4)
_MOST_ABOVE_DB = 3.0
_INAUDIBLE_DB = -60.0
_WORTH_DB = 1.0  # for twice the work


def well_oversampled(
    loaded: LoadedProfile, folder: SessionFolder, *, on_progress: ProgressCallback = unheard
) -> LoadedProfile:
    """Return the profile, its full size to be played at up to 4 times its rate if that brings its aliasing down.

    It is measured beside the gear's answers to the same sweeps (`evaluation.aliasing`): up to 3 dB more, or 60 dB below
    the sound, is left as it is, and so is the profile of a session without sweeps. The light size is left as cheap as
    it is. Raises SessionError.
    """
    best, least_db = loaded, float("inf")
    for number, factor in enumerate(_FACTORS):
        on_progress(Progress(step="evaluate", done=number / len(_FACTORS), seconds_left=None))
        tried = replace(loaded, profile=replace(loaded.profile, oversampling=factor))
        found = aliasing(tried, folder)
        if found is None:
            return loaded
        if found.profile_db > least_db - _WORTH_DB:
            break
        best, least_db = tried, found.profile_db
        if least_db <= max(found.gear_db + _MOST_ABOVE_DB, _INAUDIBLE_DB):
            break
    return best if best.profile.oversampling == loaded.profile.oversampling else with_golden(best)
