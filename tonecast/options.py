"""Options that several commands share, and how their text is read."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profiler.errors import AutomationError, KnobError
from profiler.profile import Size

if TYPE_CHECKING:
    from profiler.automation import Controller

__all__ = [
    "AsJson",
    "KnobValues",
    "LibraryDatabase",
    "LibraryFolder",
    "LibraryStorage",
    "OneSize",
    "Out",
    "Seed",
    "parse_controllers",
    "parse_length",
    "parse_settings",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where the result goes.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
OneSize = Annotated[Size, typer.Option("--size", help="The full effect, or the light one that costs less to play.")]
KnobValues = Annotated[
    list[str] | None, typer.Option("--set", metavar="KNOB=VALUE", help="Where a knob stands. Repeat for more knobs.")
]

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
    settings: dict[str, float | str] = {}  # as text: its knob knows whether "4" is a number or a choice
    for text in values or []:
        knob, equals, value = text.partition("=")
        if not (knob and equals and value):
            raise KnobError(f"--set {text!r} is not understood. Write KNOB=VALUE.")
        settings[knob] = value
    return settings


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
