"""`tonecast render`: play a profile or a chain on an audio file."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profiler.profile import Size
from tonecast.console import Screen, clock
from tonecast.options import AsJson, KnobValues, OneSize, parse_controllers, parse_settings

if TYPE_CHECKING:
    from profiler.automation import Automation
    from profiler.processor import Processor

__all__ = ["render"]


def render(  # noqa: PLR0913 - one parameter an option
    effect: Annotated[Path, typer.Argument(help="A .tonecast profile, or a chain.json.")],
    source: Annotated[Path, typer.Argument(metavar="IN", help="The dry file: WAV, FLAC, AIFF, OGG or MP3.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The wet file: WAV, FLAC or AIFF.")],
    *,
    settings: KnobValues = None,
    automation: Annotated[
        Path | None,
        typer.Option(help="How knobs turn: a knob track (.json), a table of seconds, knob, value (.csv), or MIDI."),
    ] = None,
    controllers: Annotated[
        list[str] | None,
        typer.Option("--cc", metavar="[CHANNEL/]NUMBER=KNOB[:LOW:HIGH]", help="Which knob a MIDI controller turns."),
    ] = None,
    size: OneSize = Size.FULL,
    oversampling: Annotated[
        int | None,
        typer.Option(help="At how many times its rate a profile plays: 1, 2, 4 or 8. Costs as much, aliases less."),
    ] = None,
    tail: Annotated[
        bool | None,
        typer.Option(
            "--tail/--no-tail", help="Keep what still sounds when the dry is over. A chain does, a profile does not."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Render a file of any rate through a profile or a chain. Knobs that are not set stand at their defaults."""
    from profiler.rendering import render_file

    screen = Screen(as_json)
    begun = time.monotonic()
    turning = _automation(automation, controllers, source, screen)
    with (
        _processor(effect, parse_settings(settings), turning, size, oversampling) as processor,
        screen.progress("render") as tell,
    ):
        keep_tail = effect.suffix == ".json" if tail is None else tail
        written = render_file(processor, source, target, keep_tail=keep_tail, on_progress=tell)
    seconds = time.monotonic() - begun
    screen.say(f"{target} written in {clock(seconds)}")
    if written.limited_frames:
        screen.say(
            f"{written.limited_frames} frames went beyond full scale and were limited, as {target.suffix} cannot keep "
            "them. Render to .wav to keep them."
        )
    screen.result(
        {"out": str(target), "frames": written.frames, "limited_frames": written.limited_frames, "seconds": seconds}
    )


def _automation(path: Path | None, controllers: list[str] | None, source: Path, screen: Screen) -> "Automation | None":
    """Return how knobs turn while `source` plays, and say what of it comes too late to be heard."""
    from profiler.audio_file import reading
    from profiler.automation import read_automation

    if path is None:
        if controllers:
            raise typer.BadParameter("--cc says what the controllers of a MIDI file turn; give it with --automation.")
        return None
    with reading(source) as reader:
        rate, seconds = reader.sample_rate, reader.frames / reader.sample_rate
    automation = read_automation(path, sample_rate=rate, controllers=parse_controllers(controllers))
    if late := automation.beyond(seconds):
        screen.say(f"{late} of {len(automation.turns)} turns in {path.name} come after the end, at {seconds:.1f} s.")
    return automation


def _processor(
    effect: Path,
    settings: dict[str, float | str],
    automation: "Automation | None",
    size: Size,
    oversampling: int | None,
) -> "Processor":
    from profiler.chain_file import read_chain
    from profiler.effects.sizes import sized
    from profiler.profile_file import load
    from profiler.rendering import ProfileProcessor, build_chain

    if effect.suffix == ".json":
        if size is not Size.FULL:
            raise typer.BadParameter("--size chooses within a profile; a chain plays its profiles in full size.")
        if oversampling is not None:
            raise typer.BadParameter("--oversampling is of a profile; a chain plays its profiles as they say.")
        return build_chain(read_chain(effect), settings, automation)
    return ProfileProcessor(sized(load(effect), size), settings, automation=automation, oversampling=oversampling)
