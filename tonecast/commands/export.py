"""`tonecast export`: one knob setting of a profile as a file for other people's players."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profiler.formats.nam_labels import GearType, NamLabels, ToneType
from profiler.profile import Size
from tonecast.console import Screen
from tonecast.options import AsJson, KnobValues, ProfileOrPreset, parse_settings

if TYPE_CHECKING:
    from profiler.formats.nam import Exported

__all__ = ["export"]


class _Format(StrEnum):
    NAM = "nam"


class _Sizes(StrEnum):
    FULL = "full"
    LIGHT = "light"
    BOTH = "both"


def export(  # noqa: PLR0913 - one parameter an option
    profile: ProfileOrPreset,
    target: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="The file to write, beside the profile unless you say."),
    ] = None,
    *,
    form: Annotated[_Format, typer.Option("--format", help="What to write: nam is Neural Amp Modeler's.")],
    settings: KnobValues = None,
    size: Annotated[
        _Sizes, typer.Option(help="The full effect, the light one, or both in one file that players can slim.")
    ] = _Sizes.FULL,
    name: Annotated[str | None, typer.Option(help="What players show, if not the profile's name and knobs.")] = None,
    modeled_by: Annotated[str | None, typer.Option(help="Who made it.")] = None,
    gear_make: Annotated[str | None, typer.Option(help="Who makes the gear.")] = None,
    gear_model: Annotated[str | None, typer.Option(help="Which gear it is, if not as the profile says.")] = None,
    gear_type: Annotated[GearType | None, typer.Option(help="What kind of gear it is.")] = None,
    tone_type: Annotated[ToneType | None, typer.Option(help="How it sounds.")] = None,
    input_level_dbu: Annotated[float | None, typer.Option(help="The level at its input that is 0 dBFS.")] = None,
    output_level_dbu: Annotated[float | None, typer.Option(help="The level at its output that is 0 dBFS.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a profile at one knob setting for Neural Amp Modeler, and check that the file sounds the same.

    Knobs that are not set stand at their defaults.
    """
    from profiler.formats.nam import export_nam
    from profiler.presets import effect_path
    from profiler.profile_file import load
    from profiler.session import described

    labels = NamLabels(
        name=name,
        modeled_by=modeled_by,
        gear_make=gear_make,
        gear_model=gear_model,
        gear_type=gear_type,
        tone_type=tone_type,
        input_level_dbu=input_level_dbu,
        output_level_dbu=output_level_dbu,
    )
    screen = Screen(as_json)
    source = effect_path(profile)
    loaded = load(source)
    beside = profile if source == profile else Path(source.name)  # a preset's lies where the program does
    path = target or beside.with_suffix(f".{form}")
    sizes = tuple(Size) if size is _Sizes.BOTH else (Size(size),)
    written = export_nam(loaded, path, parse_settings(settings), labels, sizes)
    screen.say(f"{path} written at {described(loaded.profile.knobs, written.settings)}")
    _tell(screen, path, form, size, written)


def _tell(screen: Screen, path: Path, form: _Format, size: _Sizes, written: "Exported") -> None:
    """Say what the file sounds like, and who can play it."""
    screen.say(f"Played back, it differs from the profile by {written.difference:.1g} of the peak.")
    if not written.a2:
        what = "Its light size is" if size is _Sizes.BOTH else "It is"
        screen.say(f"{what} not of NAM's A2 shape, so players without the general WaveNet cannot play it.")
    screen.result(
        {
            "out": str(path),
            "format": form,
            "size": size,
            "settings": written.settings,
            "sample_rate": written.sample_rate,
            "difference": written.difference,
            "a2": written.a2,
        }
    )
