"""`tonecast capture`: play through gear and record."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonecast.console import Screen
from tonecast.options import AsJson, Captures, KnobRanges, Out, Replicate, SampleRate, Seed, SessionOut, parse_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capture.plan import PlannedTake
    from profiler.pairs import Refusal
    from profiler.session import CaptureSession

__all__ = ["capture_files", "capture_plugin"]


def capture_plugin(  # noqa: PLR0913 - one parameter an option
    plugin: Annotated[
        str, typer.Argument(help="pedalboard:NAME, circuit:NAME, lv2:URI, a FILE.vst3 or .component, or a chain.json.")
    ],
    out: SessionOut = None,
    knob: KnobRanges = None,
    *,
    list_knobs: Annotated[bool, typer.Option("--list-knobs", help="Show the plugin's knobs and stop.")] = False,
    moving: Annotated[
        bool, typer.Option("--moving", help="One long take whose knobs jump every second or two.")
    ] = False,
    minutes: Annotated[float, typer.Option(help="Length of the moving take.", min=0.5, max=600)] = 5.0,
    captures: Captures = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="Length of a take at a fixed setting, the first apart. [default: 48]", min=7, max=3600),
    ] = None,
    replicate: Replicate = False,
    sample_rate: SampleRate = 48_000,
    patience: Annotated[str, typer.Option(metavar="LENGTH", help="How long a plugin may take to load.")] = "60s",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Capture a plugin: its knobs turn themselves. Run it again to go on with a capture that was stopped."""
    from capture.gear import choose_knobs, open_gear
    from capture.plan import fixed_plan, moving_plan
    from profiler.session import CaptureSession
    from tonecast.commands.knob_list import show_knobs

    if moving and (captures, seconds) != (None, None):
        raise typer.BadParameter(
            "--moving records one long take, of --minutes. --captures and --seconds are for fixed ones."
        )
    screen = Screen(as_json)
    patience_seconds = parse_length(patience)
    gear = open_gear(plugin, patience_seconds=patience_seconds)
    if list_knobs:
        show_knobs(screen, gear, patience_seconds)
        return
    if out is None:
        raise typer.BadParameter("Where should the session go? Name a folder with --out.")
    knobs = choose_knobs(gear, knob or [], patience_seconds=patience_seconds)
    if moving:
        plan = moving_plan(knobs, sample_rate=sample_rate, minutes=minutes, seed=seed, replicate=replicate)
    else:
        plan = fixed_plan(knobs, captures=captures, seconds=seconds, seed=seed, replicate=replicate)
    _record(screen, out, CaptureSession(gear=gear, knobs=knobs, sample_rate=sample_rate), plan, patience_seconds)


def _record(
    screen: Screen, out: Path, wanted: "CaptureSession", plan: "Sequence[PlannedTake]", patience_seconds: float
) -> None:
    from capture.plugin_rig import PluginRig
    from capture.recorder import record
    from profiler.session_folder import SessionFolder

    folder = SessionFolder.create(out, wanted)
    rig = PluginRig(wanted.gear, wanted.knobs, sample_rate=wanted.sample_rate, patience_seconds=patience_seconds)
    with rig, screen.progress("capture") as tell:
        record(folder, rig, plan, on_progress=tell)
    _summary(screen, folder.session, out)


def capture_files(  # noqa: PLR0913 - one parameter an option
    table: Annotated[Path, typer.Argument(help="takes.csv: columns dry, wet, then one for each knob.")],
    out: Out,
    knob: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=LOW:HIGH[:log]", help="A column's full range, if it is wider than its values."),
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="What the gear is called. [default: the table's folder]")] = None,
    beside: Annotated[
        Path | None,
        typer.Option(metavar="PROFILE", help="Add them to the session that is there, in time with this profile of it."),
    ] = None,
    keep_order: Annotated[
        bool, typer.Option("--keep-order", help="Take dry and wet as named, even where they look swapped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring dry and wet recordings of your own. Late and upside-down wets are mended, others refused, with reasons."""
    from profiler.knob_range import parse_knob_range
    from profiler.pairs import common_rate, take_in
    from profiler.pairs_table import read_pairs_table
    from profiler.session import CaptureSession, Gear
    from profiler.session_folder import SessionFolder

    screen = Screen(as_json)
    if beside is not None:
        if knob or name:
            raise typer.BadParameter("--beside adds to the gear and knobs that are there: leave out --knob and --name.")
        _add_playing(screen, out, beside, table, keep_order=keep_order)
        return
    pairs = read_pairs_table(table, [parse_knob_range(text).knob() for text in knob or []])
    gear = Gear(name=name or table.resolve().parent.name, kind="files")
    folder = SessionFolder.create(out, CaptureSession(gear=gear, knobs=pairs.knobs, sample_rate=common_rate(pairs)))
    with screen.progress("files") as tell:
        refused = take_in(folder, pairs, keep_order=keep_order, on_progress=tell)
    _summary(screen, folder.session, out, refused, unturned=pairs.unturned)


def _add_playing(screen: Screen, out: Path, beside: Path, table: Path, *, keep_order: bool) -> None:
    from capture.plan_file import next_number
    from profiler.pairs_table import read_pairs_table
    from profiler.playing import add_playing
    from profiler.presets import effect_path
    from profiler.session_folder import SessionFolder
    from profiler.training import WarmStart

    folder = SessionFolder.open(out)
    pairs = read_pairs_table(table, folder.session.knobs)
    start = WarmStart.read(effect_path(beside))
    start.check_kinship(folder.session)
    first = next_number(out, folder.session)
    with screen.progress("files") as tell:
        refused = add_playing(folder, start.loaded, pairs, keep_order=keep_order, first=first, on_progress=tell)
    _summary(screen, folder.session, out, refused, warm_start=beside)


def _summary(
    screen: Screen,
    session: "CaptureSession",
    out: Path,
    refused: "Sequence[Refusal]" = (),
    *,
    unturned: "Sequence[str]" = (),
    warm_start: Path | None = None,
) -> None:
    from profiler.finding import Finding
    from tonecast.commands.capture_summary import summarise, training_words

    for each in refused:
        screen.say(f"line {each.line} refused: {each.reason}")
    unlearnt = [f"Column {each} has one value only: it is no knob, and was left out." for each in unturned]
    words = training_words(session, out)
    if warm_start is not None:
        words[-1:] = [f"{warm_start.stem}-refined.tonecast", "--warm-start", str(warm_start)]
    summarise(
        screen,
        session,
        out,
        following=words,
        of_all=[Finding(kind="unturned-knob", message=message) for message in unlearnt],
        more={"refused": [{"line": each.line, "reason": each.reason} for each in refused]},
    )
