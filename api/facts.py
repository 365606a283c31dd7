"""What a profile file says of itself, taken from it by the profiler's own loader."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from api.values import Facts
from profiler.errors import ProfileError
from profiler.profile import Profile
from profiler.profile_file import load

__all__ = ["FACTS", "read_facts"]

FACTS = TypeAdapter(Facts)
_FINDING_LETTERS = 400


def read_facts(path: Path) -> Facts:
    """Return what a library tells of a profile file.

    Raises ProfileError for a file that the loader refuses, or that says what no library would show: a name of a
    megabyte, a score that is no number.
    """
    profile = load(path).profile
    try:
        return FACTS.validate_python(_told(profile))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ProfileError(f"profile.json says of {place} what no library can show: {first['msg']}.") from error


def _told(profile: Profile) -> dict[str, object]:
    score, light = profile.score, profile.light
    return {
        "name": profile.name,
        "gear": profile.gear.name,
        "kind": profile.gear.kind,
        "knobs": profile.knobs,
        "sample_rate": profile.sample_rate,
        "latency_frames": profile.latency_frames,
        "oversampling": profile.oversampling,
        **{name: score and getattr(score, name) for name in ("esr", "esr_median", "esr_worst", "floor", "grade")},
        "light_esr": light.score.esr if light and light.score else None,
        "multiply_adds": profile.cost and profile.cost.multiply_adds,
        "steps": profile.provenance.steps,
        "audio_seconds": profile.provenance.audio_seconds,
        "limited_by": profile.provenance.limited_by,
        "findings": tuple(each.message[:_FINDING_LETTERS] for each in profile.provenance.findings),
    }
