"""`tonecast capture hardware`: play through an audio interface and record what gear does."""

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

    from capture.plan import PlannedTake
    from profiler.knob import Knob
    from profiler.session import CaptureSession, MidiControl, Wiring
    from profiler.session_folder import SessionFolder

__all__ = ["capture_hardware"]


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
    midi: Annotated[
        list[str] | None,
        typer.Option(metavar="KNOB=cc:NUMBER", help="A knob that MIDI turns: cc, cc14, nrpn:MSB:LSB, or pc."),
    ] = None,
    midi_port: Annotated[
        str | None, typer.Option(metavar="NAME", help="The MIDI port of the gear; a part of its name will do.")
    ] = None,
    moving: Annotated[
        bool, typer.Option("--moving", help="One long take whose knobs, all turned by MIDI, jump all the time.")
    ] = False,
    minutes: Annotated[float, typer.Option(help="Length of the moving take.", min=1, max=60)] = 5.0,
    resume: Annotated[
        Path | None, typer.Option(metavar="SESSION", help="Go on with a session where it was stopped.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: no knob has to be turned by hand.")] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Capture an amp, a pedal or a rack unit through an interface. Run it again to go on where it was stopped."""
    from profiler.knob_range import parse_knob_range
    from profiler.session import CaptureSession, Gear
    from profiler.session_folder import SessionFolder
    from tonecast.commands.hardware_levels import levelled

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
    control = _controlled(knobs, midi or [], midi_port)
    if moving and (captures, seconds, time) != (None, None, None):
        raise typer.BadParameter("--moving records one long take, of --minutes: no --captures, --seconds or --time.")
    wiring = replace(
        _wired(interface, input_interface),
        send_channel=send,
        return_channel=return_,
        loopback_channel=loopback,
        send_dbu=send_dbu,
        return_dbu=return_dbu,
        midi=control,
    )
    plan = _plan_of(
        knobs,
        control,
        moving_minutes=minutes if moving else None,
        captures=captures,
        time_seconds=parse_length(time) if time else None,
        seconds=seconds,
        seed=seed,
        replicate=replicate,
        sample_rate=sample_rate,
    )
    gear = Gear(name=name, kind="hardware")
    wanted = CaptureSession(gear=gear, knobs=knobs, sample_rate=sample_rate, wiring=wiring)
    session = levelled(screen, out, wanted, send_db, attended=not yes)
    _capture(screen, SessionFolder.create(out, session), plan, attended=not yes)


def _controlled(knobs: "Sequence[Knob]", midi: list[str], midi_port: str | None) -> "MidiControl | None":
    """Return what turns knobs by MIDI, checked before anything is heard."""
    from capture.midi_knobs import checked_map
    from capture.midi_map import parse_midi_knob
    from profiler.session import MidiControl

    if not midi and midi_port is None:
        return None
    if not midi or midi_port is None:
        raise typer.BadParameter("--midi says how a knob is sent and --midi-port where; give both. --list shows ports.")
    checked_map(knobs, [parse_midi_knob(text) for text in midi])
    return MidiControl(port=midi_port, sent_as=tuple(midi))


def _plan_of(  # noqa: PLR0913 - what bounds a plan
    knobs: "Sequence[Knob]",
    control: "MidiControl | None",
    *,
    moving_minutes: float | None,
    captures: int | None,
    time_seconds: float | None,
    seconds: float | None,
    seed: int,
    replicate: bool,
    sample_rate: int,
) -> "list[PlannedTake]":
    from capture.hands import guided_plan
    from capture.midi_map import midi_map
    from capture.midi_plan import as_sent
    from capture.plan import moving_plan

    sent_as = midi_map(control)
    if moving_minutes is None:
        plan = guided_plan(
            knobs,
            captures=captures,
            time_seconds=time_seconds,
            seconds=seconds,
            seed=seed,
            replicate=replicate,
            self_turning=sent_as.keys(),
        )
    elif by_hand := [knob.name for knob in knobs if knob.id not in sent_as]:
        raise typer.BadParameter(f"--moving needs --midi for every knob; a hand would have to turn {by_hand[0]}.")
    else:
        plan = moving_plan(knobs, sample_rate=sample_rate, minutes=moving_minutes, seed=seed, replicate=replicate)
    return as_sent(plan, knobs, sent_as)


def _show_interfaces(screen: Screen) -> None:
    from capture.interface import list_interfaces

    found = list_interfaces()
    ports = _ports()
    table = Table(box=None, pad_edge=False)
    for column in ("interface", "driver", "in", "out", "Hz"):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(each.name, each.host, str(each.inputs), str(each.outputs), str(each.default_rate))
    if found:
        screen.show(table)
    else:
        screen.say("No interface is here. Is it plugged in, and the sound server running?")
    screen.say(f"MIDI ports: {', '.join(ports) or 'none'}")
    screen.result({"interfaces": list(found), "midi_ports": ports})


def _ports() -> list[str]:
    """Return the MIDI ports there are; none where MIDI does not work, for interfaces are worth knowing all the same."""
    from capture.midi_port import midi_ports

    try:
        return midi_ports()
    except GearError:
        return []


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


def _capture(screen: Screen, folder: "SessionFolder", plan: "Sequence[PlannedTake] | None", *, attended: bool) -> None:
    """Lead through a plan, or through the one that the folder has; nobody is asked where MIDI turns all knobs."""
    from capture.guide import Guide
    from tonecast.commands.hardware_session import guide_options, opened_rig, record_unattended
    from tonecast.guidance import guide_through
    from tonecast.live_meter import LiveMeter

    meter = LiveMeter()
    with opened_rig(folder, meter) as (rig, self_turning):
        options = guide_options(folder, self_turning)
        opened = Guide.resumed(folder, rig, options) if plan is None else Guide.begun(folder, rig, plan, options)
        by_hand = not self_turning or any(knob.id not in self_turning for knob in folder.session.knobs)
        try:
            with opened as guide:
                if attended and by_hand:
                    done = guide_through(guide, screen, meter=meter)
                else:
                    record_unattended(screen, guide, meter)
                    done = True
        except TakeRejectedError:
            _summary(screen, folder.session, folder.path, done=False)
            raise
    _summary(screen, folder.session, folder.path, done=done)


def _summary(screen: Screen, session: "CaptureSession", out: Path, *, done: bool) -> None:
    from tonecast.commands.capture_summary import summarise, training_words

    more = {
        "done": done,
        "latency_frames": [take.latency_frames for take in session.takes],
        "send_db": session.wiring and session.wiring.send_db,
    }
    going_on = ["tonecast", "capture", "hardware", "--resume", str(out)]
    summarise(screen, session, out, following=training_words(session, out) if done else going_on, more=more)
