"""Options that several commands share, and how their text is read."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profiler.errors import AutomationError
from profiler.knob_range import parse_setting
from profiler.profile import Size

if TYPE_CHECKING:
    from profiler.automation import Controller

__all__ = [
    "AsJson",
    "Captures",
    "ComparedSession",
    "ComparedTable",
    "KnobRanges",
    "KnobValues",
    "LibraryDatabase",
    "LibraryFolder",
    "LibraryStorage",
    "OneSize",
    "Out",
    "ProfileOrPreset",
    "Replicate",
    "SampleRate",
    "Seed",
    "SessionOut",
    "Steps",
    "parse_controllers",
    "parse_length",
    "parse_settings",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where the result goes.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
Steps = Annotated[int | None, typer.Option(help="Learn for so many steps instead: exact by seed.", min=1)]
ProfileOrPreset = Annotated[Path, typer.Argument(help="A .tonecast file, or a preset's name.")]
OneSize = Annotated[Size, typer.Option("--size", help="The full effect, or the light one that costs less to play.")]
KnobValues = Annotated[
    list[str] | None, typer.Option("--set", metavar="KNOB=VALUE", help="Where a knob stands. Repeat for more knobs.")
]

SessionOut = Annotated[Path | None, typer.Option("--out", "-o", help="The folder of the session.")]
KnobRanges = Annotated[
    list[str] | None,
    typer.Option("--knob", metavar="ID=LOW:HIGH[:log]", help="A knob to learn and its range; ID=off,on for a switch."),
]
Captures = Annotated[
    int | None, typer.Option(help="Takes at fixed settings, held-out ones not counted.", min=1, max=10_000)
]
Replicate = Annotated[bool, typer.Option("--replicate", help="Repeat one take: its difference is the noise floor.")]
SampleRate = Annotated[int, typer.Option(help="In Hz.", min=8000, max=192_000)]

ComparedSession = Annotated[Path | None, typer.Option("--session", help="The session whose takes are compared.")]
ComparedTable = Annotated[Path | None, typer.Option("--table", help="Or a takes.csv with dry and wet recordings.")]

LibraryFolder = Annotated[Path, typer.Option("--data", help="Folder of the library; made if need be.")]
LibraryDatabase = Annotated[
    str | None,
    typer.Option(
        "--database", envvar="TONECAST_DATABASE", help="postgresql://user@host/name, instead of SQLite in the folder."
    ),
]
LibraryStorage = Annotated[
    str | None,
    typer.Option(
        "--storage", envvar="TONECAST_STORAGE", help="Folder or URL for profile files, such as s3://bucket/folder."
    ),
]

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_length(text: str) -> float:
    """Read a length of time such as 90, 90s, 5m or 1h, in seconds. Raises typer.BadParameter."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise typer.BadParameter(f"{text!r} is no length of time. Write 90s, 5m or 1h.")
    return float(match[1]) * _UNITS[match[2]]


def parse_settings(values: list[str] | None) -> dict[str, float | str]:
    """Read KNOB=VALUE options. Raises KnobError for one that is not."""
    return dict(parse_setting(text, option="--set ") for text in values or [])


def parse_controllers(values: list[str] | None) -> "tuple[Controller, ...]":
    """Read [CHANNEL/]NUMBER=KNOB[:LOW:HIGH] options. Raises AutomationError for one that is not."""
    from profiler.automation import Controller  # noqa: PLC0415 - only who automates loads it

    controllers = []
    for text in values or []:
        match = re.fullmatch(r"(?:(\d{1,4})/)?(\d{1,4})=([^:]+)(?::([^:]+):([^:]+))?", text)
        if match is None:
            raise AutomationError(f"--cc {text!r} is not understood. Write 74=KNOB, 2/74=KNOB or 74=KNOB:LOW:HIGH.")
        channel, number, knob, low, high = match.groups()
        of_channel = int(channel) if channel else None
        controllers.append(Controller(number=int(number), channel=of_channel, knob=knob, low=low, high=high))
    return tuple(controllers)
