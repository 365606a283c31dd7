"""`tonecast capture hardware`: play through an audio interface and record what gear does."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from profiler.errors import GearError, TakeRejectedError
from tonecast.console import Screen
from tonecast.options import AsJson, Seed, parse_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capture.guide import Guide
    from capture.plan import PlannedTake
    from capture.recorder import PlayedTake
    from profiler.finding import Finding
    from profiler.knob import Knob
    from profiler.session import CaptureSession, Wiring
    from profiler.session_folder import SessionFolder

__all__ = ["capture_hardware"]

_TRIES = 3
_BY_THE_MACHINE = {"hole", "dropouts"}
"""Findings that the same again may do without: nobody has to turn or plug anything."""


def capture_hardware(  # noqa: PLR0913 - one parameter an option
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The folder of the session.")] = None,
    interface: Annotated[
        str | None, typer.Option(metavar="NAME", help="The interface; a part of its name will do.")
    ] = None,
    knob: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=LOW:HIGH[:log]", help="A knob to learn and its range; ID=off,on for a switch."),
    ] = None,
    *,
    list_all: Annotated[bool, typer.Option("--list", help="Show the interfaces there are and stop.")] = False,
    input_interface: Annotated[
        str | None, typer.Option(metavar="NAME", help="Another interface to record through.")
    ] = None,
    send: Annotated[int, typer.Option(help="The output that goes to the gear.", min=1, max=256)] = 1,
    return_: Annotated[int, typer.Option("--return", help="The input that comes from it.", min=1, max=256)] = 1,
    loopback: Annotated[
        int | None, typer.Option(help="An input that is connected to the send by a cable alone.", min=1, max=256)
    ] = None,
    send_db: Annotated[
        float | None, typer.Option(help="How loud to send, in dB. [default: found out first]", min=-80, max=0)
    ] = None,
    send_dbu: Annotated[float | None, typer.Option(help="What full scale is at the send, in dBu.")] = None,
    return_dbu: Annotated[float | None, typer.Option(help="What full scale is at the return, in dBu.")] = None,
    name: Annotated[str, typer.Option(help="What the gear is called.")] = "Gear",
    captures: Annotated[
        int | None, typer.Option(help="Takes at fixed settings, held-out ones not counted.", min=1, max=10_000)
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="How long it may all take, hands included, such as 20m.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="Length of a take, the first apart. [default: 48]", min=7, max=3600),
    ] = None,
    replicate: Annotated[
        bool, typer.Option("--replicate", help="Repeat one take: its difference is the noise floor.")
    ] = False,
    sample_rate: Annotated[int, typer.Option(help="In Hz.", min=8000, max=192_000)] = 48_000,
    resume: Annotated[
        Path | None, typer.Option(metavar="SESSION", help="Go on with a session where it was stopped.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: no knob has to be turned by hand.")] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Capture an amp, a pedal or a rack unit through an interface. Run it again to go on where it was stopped."""
    from capture.hands import guided_plan
    from profiler.knob_range import parse_knob_range
    from profiler.session import CaptureSession, Gear
    from profiler.session_folder import SessionFolder

    screen = Screen(as_json)
    if list_all:
        _show_interfaces(screen)
        return
    if resume is not None:
        _capture(screen, SessionFolder.open(resume), None, attended=not yes)
        return
    if out is None or interface is None:
        raise typer.BadParameter("Name an interface with --interface (--list shows them) and a folder with --out.")
    knobs = tuple(parse_knob_range(text).knob() for text in knob or [])
    wiring = replace(
        _wired(interface, input_interface),
        send_channel=send,
        return_channel=return_,
        loopback_channel=loopback,
        send_dbu=send_dbu,
        return_dbu=return_dbu,
    )
    plan = guided_plan(
        knobs,
        captures=captures,
        time_seconds=parse_length(time) if time else None,
        seconds=seconds,
        seed=seed,
        replicate=replicate,
    )
    gear = Gear(name=name, kind="hardware")
    wanted = CaptureSession(gear=gear, knobs=knobs, sample_rate=sample_rate, wiring=wiring)
    levelled = _levelled(screen, out, wanted, send_db, attended=not yes)
    _capture(screen, SessionFolder.create(out, levelled), plan, attended=not yes)


def _show_interfaces(screen: Screen) -> None:
    from capture.interface import list_interfaces

    found = list_interfaces()
    table = Table(box=None, pad_edge=False)
    for column in ("interface", "driver", "in", "out", "Hz"):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(each.name, each.host, str(each.inputs), str(each.outputs), str(each.default_rate))
    if found:
        screen.show(table)
    else:
        screen.say("No interface is here. Is it plugged in, and the sound server running?")
    screen.result({"interfaces": list(found)})


def _wired(interface: str, input_interface: str | None) -> "Wiring":
    from capture.interface import find_interface
    from profiler.session import Wiring

    output = find_interface(interface, returns=input_interface is None)
    recorder = output if input_interface is None else find_interface(input_interface, sends=False)
    if recorder.host != output.host:
        raise GearError(
            f"{output.name} is driven by {output.host} and {recorder.name} by {recorder.host}; both must be of one "
            f"driver. Write '{recorder.name}, {output.host}', if --list has it."
        )
    return Wiring(output=output.name, input=recorder.name, host=output.host)


def _levelled(
    screen: Screen, out: Path, wanted: "CaptureSession", send_db: float | None, *, attended: bool
) -> "CaptureSession":
    """Return the session with the level to send at: the one asked for, that of the session there, or one found now."""
    from capture.interface import check_wiring
    from capture.set_up import find_level
    from profiler.session_folder import SessionFolder

    wiring = _wiring_of(wanted)
    if send_db is None and (out / "session.json").is_file():
        known = SessionFolder.open(out).session.wiring
        send_db = known.send_db if known else None
    if send_db is None:
        check_wiring(wiring, wanted.sample_rate)
        if attended:
            _ask_for_the_loudest(screen, wanted.knobs)
        found = find_level(
            wiring,
            wanted.sample_rate,
            on_level=lambda level: screen.say(f"send {level.send_db:6.1f} dBFS   return {level.return_db:6.1f} dBFS"),
        )
        send_db = found.send_db
    return replace(wanted, wiring=replace(wiring, send_db=send_db))


def _ask_for_the_loudest(screen: Screen, knobs: "Sequence[Knob]") -> None:
    """Have the knobs set so that what comes back is as loud as it will get, so that no take clips later."""
    names = " and ".join(knob.name for knob in knobs if not knob.choices)
    screen.say(f"First the levels. Turn the gear as loud as it will be{f', {names} included' if names else ''}.")
    sys.stderr.write("Press Enter; it begins quietly. ")
    sys.stderr.flush()
    if not sys.stdin.readline():
        raise GearError("Standard input ended before the levels were found. Give --send-db, or run it in a terminal.")


def _capture(screen: Screen, folder: "SessionFolder", plan: "Sequence[PlannedTake] | None", *, attended: bool) -> None:
    """Lead through a plan, or through the one that the folder has. Unattended, a take that fails ends it."""
    from capture.guide import Guide, GuideOptions
    from capture.hardware_rig import HardwareRig
    from capture.knob_turner import HandTurner
    from tonecast.guidance import guide_through

    session = folder.session
    rig = HardwareRig(
        session.gear,
        session.knobs,
        _wiring_of(session),
        sample_rate=session.sample_rate,
        turner=HandTurner(lambda _: None),  # the guide has said what to turn
        earlier=lambda: folder.session.takes,
    )
    options = GuideOptions(judge=lambda played: _judged(folder, played))
    opened = Guide.resumed(folder, rig, options) if plan is None else Guide.begun(folder, rig, plan, options)
    with rig, opened as guide:
        done = guide_through(guide, screen) if attended else _unattended(screen, guide)
    _summary(screen, folder.session, folder.path, done=done)


def _unattended(screen: Screen, guide: "Guide") -> bool:
    """Record step after step, up to `_TRIES` times where nothing but the machine was at fault.

    Raises TakeRejectedError at the first take that fails otherwise, or again and again.
    """
    from tonecast.guidance import told

    tries = 0
    while (step := guide.next_step()) is not None:
        with screen.progress(f"take {step.number + 1}") as tell:
            recorded = guide.record(on_done=told(tell))
        tries += 1
        if recorded.passed:
            tries = 0
            continue
        failed = [finding for finding in recorded.findings if finding.severity == "error"]
        reasons = " ".join(finding.message for finding in failed)
        if tries == _TRIES or not {finding.kind for finding in failed} <= _BY_THE_MACHINE:
            often = f" It was recorded {tries} times." if tries > 1 else ""
            raise TakeRejectedError(
                f"Take {step.number + 1}: {reasons}{often} Run it without --yes to record it again."
            )
        screen.say(f"Take {step.number + 1}: {reasons} Recording it again.")
        guide.redo(step.number)
    return True


def _wiring_of(session: "CaptureSession") -> "Wiring":
    if session.wiring is None:
        raise GearError(f"{session.gear.name} was not captured through an interface: there is nothing to go on with.")
    return session.wiring


def _judged(folder: "SessionFolder", played: "PlayedTake") -> "tuple[Finding, ...]":
    from capture.take_judge import judge_take
    from profiler.audio import Audio

    number = played.planned.replicate_of
    first = None if number is None else folder.session.take(number)
    if first is None:
        return judge_take(played)
    wet = folder.excerpt(first, 0, played.dry.frames)[1]
    return judge_take(played, repeats=Audio(samples=wet, sample_rate=played.dry.sample_rate))


def _summary(screen: Screen, session: "CaptureSession", out: Path, *, done: bool) -> None:
    from tonecast.commands.capture_summary import summarise, training_words

    more = {
        "done": done,
        "latency_frames": [take.latency_frames for take in session.takes],
        "send_db": session.wiring and session.wiring.send_db,
    }
    going_on = ["tonecast", "capture", "hardware", "--resume", str(out)]
    summarise(screen, session, out, following=training_words(session, out) if done else going_on, more=more)
