"""A job that finds which profile made a wet of a dry, and where its knobs stood."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from api.job import MATCHES, Matches, MatchOrder, ProfileMatch
from api.jobs.folder import candidate_name
from api.jobs.pair import parted
from api.jobs.teller import Teller
from api.limits import limited
from profiler.audio_file import AudioReader, reading
from profiler.errors import AudioError
from profiler.matching import match_profiles
from profiler.profile import LoadedProfile
from profiler.profile_file import load
from profiler.progress import Progress
from profiler.recording import FileRecording
from profiler.storage import write_bytes

__all__ = ["matched"]

_MEMORY_BYTES = 12 << 30
_FILE_BYTES = 8 << 30
_MOST_MINUTES = 60
_STEPS = {"listen": "compare", "turn": "fit"}
"""What the steps are called beside those of other jobs."""


def matched(folder: Path, order: MatchOrder, teller: Teller) -> dict[str, Any]:
    """Fit the candidates to the pair in `material` and return the name of the file with the matches.

    Raises ProfilerError, or Stopped.
    """

    def tell(told: Progress) -> None:
        teller.check()
        teller.progress(Progress(step=_STEPS[told.step], done=told.done))
        if told.step == "listen" and told.done == 1:  # the first of the next step comes late
            teller.progress(Progress(step="fit", done=0.0))

    with limited(memory_bytes=_MEMORY_BYTES, file_bytes=_FILE_BYTES), ExitStack() as stack:
        pair = folder / "material"
        dry = stack.enter_context(reading(parted(pair, folder / "dry", start=0, stop=order.dry_bytes)))
        wet = stack.enter_context(reading(parted(pair, folder / "wet", start=order.dry_bytes)))
        _check_length(dry, "dry")
        _check_length(wet, "wet")
        profiles = _profiles(folder, order)
        found = match_profiles(
            profiles,
            lambda rate: (FileRecording(dry, rate), FileRecording(wet, rate)),
            on_progress=tell,
            stopped=teller.stopping.is_set,
        )
    teller.check()
    matches = []
    for place, match in found:
        candidate = order.candidates[int(place)]
        which = {name: getattr(candidate, name) for name in ("profile_id", "version", "name")}
        matches.append(ProfileMatch(**which, **vars(match)))
    target = folder / "matches.json"
    write_bytes(target, MATCHES.dump_json(Matches(data=tuple(matches), compared=len(profiles)), indent=1))
    return {"file": target.name}


def _check_length(reader: AudioReader, what: str) -> None:
    minutes = reader.frames / reader.sample_rate / 60
    if minutes > _MOST_MINUTES:
        raise AudioError(f"The {what} lasts {minutes:.0f} minutes; at most {_MOST_MINUTES} are compared. Send less.")


def _profiles(folder: Path, order: MatchOrder) -> dict[str, LoadedProfile]:
    """Return the candidates that were still there, by their place in the order."""
    places = [number for number in range(len(order.candidates)) if (folder / candidate_name(number)).is_file()]
    return {str(number): load(folder / candidate_name(number)) for number in places}
