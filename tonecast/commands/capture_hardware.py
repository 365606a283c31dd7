"""`tonecast capture hardware`: play through an audio interface and record what gear does."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profiler.errors import TakeRejectedError
from tonecast.commands.hardware_session import guide_options, opened_rig, record_unattended, wiring_of
from tonecast.commands.interfaces import (
    InputInterface,
    InterfaceName,
    Loopback,
    Return,
    ReturnDbu,
    Send,
    SendDbu,
    show_interfaces,
    wired,
)
from tonecast.console import Screen
from tonecast.live_meter import LiveMeter
from tonecast.options import AsJson, Captures, KnobRanges, Replicate, SampleRate, Seed, SessionOut, parse_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capture.plan import PlannedTake
    from profiler.knob import Knob
    from profiler.session import CaptureSession, MidiControl
    from profiler.session_folder import SessionFolder

__all__ = ["capture_hardware"]


def capture_hardware(  # noqa: PLR0913 - one parameter an option
    out: SessionOut = None,
    interface: InterfaceName = None,
    knob: KnobRanges = None,
    *,
    list_all: Annotated[bool, typer.Option("--list", help="Show the interfaces there are and stop.")] = False,
    input_interface: InputInterface = None,
    send: Send = 1,
    return_: Return = 1,
    loopback: Loopback = None,
    send_db: Annotated[
        float | None, typer.Option(help="How loud to send, in dB. [default: found out first]", min=-80, max=0)
    ] = None,
    send_dbu: SendDbu = None,
    return_dbu: ReturnDbu = None,
    name: Annotated[str, typer.Option(help="What the gear is called.")] = "Gear",
    captures: Captures = None,
    time: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="How long it may all take, hands included, such as 20m.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(help="Length of a take, the first apart. [default: 48]", min=7, max=3600),
    ] = None,
    replicate: Replicate = False,
    sample_rate: SampleRate = 48_000,
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
        show_interfaces(screen)
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
        wired(interface, input_interface),
        send_channel=send,
        return_channel=return_,
        loopback_channel=loopback,
        send_dbu=send_dbu,
        return_dbu=return_dbu,
        midi=control,
    )
    gear = Gear(name=name, kind="hardware")
    wanted = CaptureSession(gear=gear, knobs=knobs, sample_rate=sample_rate, wiring=wiring)
    if moving:
        plan = _moving_plan(wanted, minutes, seed=seed, replicate=replicate)
    else:
        until = parse_length(time) if time else None
        plan = _fixed_plan(
            wanted, captures=captures, time_seconds=until, seconds=seconds, seed=seed, replicate=replicate
        )
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


def _moving_plan(wanted: "CaptureSession", minutes: float, *, seed: int, replicate: bool) -> "list[PlannedTake]":
    from capture.midi_map import midi_map
    from capture.midi_plan import as_sent
    from capture.plan import moving_plan

    knobs, sent_as = wanted.knobs, midi_map(wiring_of(wanted).midi)
    if by_hand := [knob.name for knob in knobs if knob.id not in sent_as]:
        raise typer.BadParameter(f"--moving needs --midi for every knob; a hand would have to turn {by_hand[0]}.")
    plan = moving_plan(knobs, sample_rate=wanted.sample_rate, minutes=minutes, seed=seed, replicate=replicate)
    return as_sent(plan, knobs, sent_as)


def _fixed_plan(
    wanted: "CaptureSession",
    *,
    captures: int | None,
    time_seconds: float | None,
    seconds: float | None,
    seed: int,
    replicate: bool,
) -> "list[PlannedTake]":
    from capture.hands import guided_plan
    from capture.midi_map import midi_map
    from capture.midi_plan import as_sent

    knobs, sent_as = wanted.knobs, midi_map(wiring_of(wanted).midi)
    plan = guided_plan(
        knobs,
        captures=captures,
        time_seconds=time_seconds,
        seconds=seconds,
        seed=seed,
        replicate=replicate,
        self_turning=sent_as.keys(),
    )
    return as_sent(plan, knobs, sent_as)


def _capture(screen: Screen, folder: "SessionFolder", plan: "Sequence[PlannedTake] | None", *, attended: bool) -> None:
    """Lead through a plan, or through the one that the folder has; nobody is asked where MIDI turns all knobs."""
    from capture.guide import Guide
    from tonecast.guidance import guide_through

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
