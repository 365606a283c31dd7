"""Export to Neural Amp Modeler: one knob setting of a convolutional profile as a file that its players play exactly.

Several sizes become one file, a container, of which players take what their machine can bear.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from profiler.effects import ConvolutionalEffect
from profiler.effects.kinds import build_stages
from profiler.effects.network_shape import A2
from profiler.effects.sizes import sized
from profiler.errors import ExportError
from profiler.formats.nam_file import SUFFIX, NamFile, container_json, nam_json, read_container, read_nam
from profiler.formats.nam_labels import NamLabels
from profiler.knob import KnobSettings, checked_settings, positions_of
from profiler.profile import LoadedProfile, Profile, Size
from profiler.rendering import ProfileProcessor
from profiler.session import described
from profiler.storage import replacing

__all__ = ["LARGEST_DIFFERENCE", "Exported", "export_nam"]

LARGEST_DIFFERENCE = 1e-5
"""Of the wet's peak: a file that differs more from the profile is not left behind."""

_RATES = (44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
_LONGEST_CHECKED = 96_000  # frames of the golden dry; profiles of our own have 12 000
_A2_LITE = replace(A2, channels=3)
_UNKNOWN = NamLabels()


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written. `difference` is from the profile's own sound, the largest over the wet's peak.

    `a2` says that all of it has the shape of NAM's A2, full or lite, for which its players have a fast path.
    """

    settings: KnobSettings
    sample_rate: int
    difference: float
    a2: bool


def export_nam(
    loaded: LoadedProfile,
    path: Path,
    settings: KnobSettings | None = None,
    labels: NamLabels = _UNKNOWN,
    sizes: Sequence[Size] = (Size.FULL,),
) -> Exported:
    """Write the profile at `settings` (other knobs at their defaults) as a `.nam` file, atomically.

    Of several sizes it is a container, the cheapest first. What was written is read back and played against the profile
    on its golden dry. Raises ExportError for a profile that the format cannot hold or a file that sounds different,
    KnobError, ProfileError or StorageError.
    """
    if path.suffix != SUFFIX:
        raise ExportError(f"A Neural Amp Modeler file's name ends in {SUFFIX}; found {path.name!r}. Name it so.")
    chosen = checked_settings(loaded.profile.knobs, settings or {})
    if len(sizes) > 1 and loaded.profile.light is None:
        raise ExportError(
            f"Profile {loaded.profile.name!r} has one size only, so there are no several to put into one file. "
            "Export it without --size, or train it again without --no-light."
        )
    parts = [sized(loaded, size) for size in sorted(sizes, key=(Size.LIGHT, Size.FULL).index)]
    files = [_baked(part, chosen, labels) for part in parts]
    alone = len(files) == 1
    content = nam_json(files[0]) if alone else container_json(files)
    with replacing(path) as scratch:
        scratch.write_bytes(content)
        written = [read_nam(scratch)] if alone else read_container(scratch)
        differences = [_difference(part, chosen, file) for part, file in zip(parts, written, strict=True)]
        difference = float(np.max(differences))
        if not difference <= LARGEST_DIFFERENCE:
            raise ExportError(
                f"{path} was not written: what it plays differs from the profile by {difference:.1g} of the peak; at "
                f"most {LARGEST_DIFFERENCE:g} is allowed. Try other knob settings, and report it with the profile."
            )
    return Exported(
        settings=chosen,
        sample_rate=loaded.profile.sample_rate,
        difference=difference,
        a2=all(file.shape in (A2, _A2_LITE) for file in files),
    )


def _baked(loaded: LoadedProfile, settings: KnobSettings, labels: NamLabels) -> NamFile:
    """Return the network that the profile is at these settings. Raises ExportError where it is none."""
    effect, knobs = _only_effect(loaded), loaded.profile.knobs
    with torch.inference_mode():
        baked = effect.bake(effect.conditioned(torch.from_numpy(positions_of(knobs, settings))[None]))[0]
    return NamFile(
        shape=effect.shape,
        weights=baked.numpy().astype(np.float64),
        sample_rate=loaded.profile.sample_rate,
        metadata=_metadata(loaded.profile, settings, labels),
    )


def _only_effect(loaded: LoadedProfile) -> ConvolutionalEffect:
    """Return the effect that is the whole profile. Raises ExportError for anything that a `.nam` cannot hold."""
    profile = loaded.profile
    effects = build_stages(loaded)
    if len(effects) > 1:
        kinds = ", ".join(effect.kind for effect in effects)
        raise ExportError(
            f"Profile {profile.name!r} has {len(effects)} stages ({kinds}); a {SUFFIX} file holds a single network. "
            "Export a profile of one stage, or play this one with tonecast render."
        )
    if not isinstance(effects[0], ConvolutionalEffect):
        raise ExportError(
            f"Profile {profile.name!r} is a {effects[0].kind} effect; a {SUFFIX} of the A2 shape cannot hold it, "
            "only a convolutional one. Play it with tonecast render."
        )
    if profile.sample_rate not in _RATES:
        rates = ", ".join(map(str, _RATES))
        raise ExportError(
            f"Profile {profile.name!r} runs at {profile.sample_rate} Hz; players of {SUFFIX} files run at {rates} Hz. "
            "Capture the gear at 48000 Hz and train it again."
        )
    return effects[0]


def _metadata(profile: Profile, settings: KnobSettings, labels: NamLabels) -> dict[str, Any]:
    """Return NAM's metadata and a block of our own, which its players pass over.

    NAM's `loudness` and `gain` are missing: they are of what comes out for one recording of noise that NAM alone has.
    """
    now = datetime.now().astimezone()
    at = f" ({described(profile.knobs, settings)})" if profile.knobs else ""
    labels = replace(
        labels, name=labels.name or f"{profile.name}{at}", gear_model=labels.gear_model or profile.gear.name
    )
    esr = profile.score and profile.score.esr
    return {
        "date": {name: getattr(now, name) for name in ("year", "month", "day", "hour", "minute", "second")},
        **labels.known,
        **({} if esr is None else {"training": {"validation_esr": esr}}),
        "tonecast": {
            "profile": profile.name,
            "settings": dict(settings),
            "latency_frames": profile.latency_frames,
        },
    }


def _difference(loaded: LoadedProfile, settings: KnobSettings, file: NamFile) -> float:
    dry = loaded.golden_dry[:, :_LONGEST_CHECKED]
    wet = ProfileProcessor(loaded, settings, oversampling=1).process(dry, loaded.profile.sample_rate)
    return float(np.abs(file.play(dry) - wet).max() / max(np.abs(wet).max(), 1e-12))
