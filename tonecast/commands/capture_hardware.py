"""`tonecast capture hardware`: play through an audio interface and record what gear does."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from profiler.errors import GearError, TakeRejectedError
from tonecast.console import Screen
from tonecast.options import AsJson, Seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capture.hardware_rig import HardwareRig
    from capture.plan import PlannedTake
    from capture.recorder import PlayedTake
    from profiler.finding import Finding
    from profiler.knob import Knob, KnobSettings
    from profiler.session import CaptureSession, Wiring
    from profiler.session_folder import SessionFolder

__all__ = ["capture_hardware"]

_BADLY = "error"


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
    seconds: Annotated[
        float | None,
        typer.Option(help="Length of a take, the first apart. [default: 48]", min=7, max=3600),
    ] = None,
    replicate: Annotated[
        bool, typer.Option("--replicate", help="Repeat one take: its difference is the noise floor.")
    ] = False,
    sample_rate: Annotated[int, typer.Option(help="In Hz.", min=8000, max=192_000)] = 48_000,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: no knob has to be turned by hand.")] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Capture an amp, a pedal or a rack unit through an interface. Run it again to go on where it was stopped."""
    from capture.plan import fixed_plan
    from profiler.knob_range import parse_knob_range
    from profiler.session import CaptureSession, Gear

    screen = Screen(as_json)
    if list_all:
        _show_interfaces(screen)
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
    plan = fixed_plan(knobs, captures=captures, seconds=seconds, seed=seed, replicate=replicate)
    gear = Gear(name=name, kind="hardware")
    wanted = CaptureSession(gear=gear, knobs=knobs, sample_rate=sample_rate, wiring=wiring)
    asking = _Terminal(screen, knobs, silent=yes)
    _capture(_levelled(asking, out, wanted, send_db), out, plan, asking)


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


class _Terminal:
    """Everything that is asked of the player. `silent` asks nothing, and stops where an answer is needed."""

    def __init__(self, screen: Screen, knobs: "Sequence[Knob]", *, silent: bool) -> None:
        self.screen = screen
        self.knobs = knobs
        self.silent = silent

    def turn(self, settings: "KnobSettings") -> None:
        """Ask for the knobs to be set."""
        if not self.silent:
            asked = ", ".join(f"{knob.name} to {knob.spelt(settings[knob.id])}" for knob in self.knobs)
            self._input(f"Set {asked or 'the gear as you like it'}, press Enter ")

    def redo(self, take: int, findings: "Sequence[Finding]") -> bool:
        """Tell what is wrong with a take and return whether to record it again. Raises TakeRejectedError to stop."""
        reasons = " ".join(finding.message for finding in findings if finding.severity == _BADLY)
        if self.silent:
            raise TakeRejectedError(f"Take {take}: {reasons} The takes before are kept; run it again to go on.")
        self.screen.say(f"Take {take}: {reasons}")
        answer = self._input("Enter records it again, k keeps it, q stops ").strip().casefold()
        if answer == "q":
            raise TakeRejectedError(f"Stopped at take {take}. The takes before are kept; run it again to go on.")
        return answer != "k"

    def _input(self, words: str) -> str:
        sys.stderr.write(words)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise TakeRejectedError("Nobody answers. The takes before are kept; run it again to go on.")
        return line


def _levelled(asking: _Terminal, out: Path, wanted: "CaptureSession", send_db: float | None) -> "CaptureSession":
    """Return the session with the level to send at: the one asked for, that of the session there, or one found now."""
    from capture.interface import check_wiring
    from capture.set_up import find_level
    from profiler.knob import default_settings
    from profiler.session_folder import SessionFolder

    wiring = wanted.wiring
    if wiring is None:
        raise GearError("Hardware needs an interface.")
    if send_db is None and (out / "session.json").is_file():
        known = SessionFolder.open(out).session.wiring
        send_db = known.send_db if known else None
    if send_db is None:
        check_wiring(wiring, wanted.sample_rate)
        asking.turn(default_settings(wanted.knobs))
        screen = asking.screen
        found = find_level(
            wiring,
            wanted.sample_rate,
            on_level=lambda level: screen.say(f"send {level.send_db:6.1f} dBFS   return {level.return_db:6.1f} dBFS"),
        )
        send_db = found.send_db
    return replace(wanted, wiring=replace(wiring, send_db=send_db))


def _capture(wanted: "CaptureSession", out: Path, plan: "Sequence[PlannedTake]", asking: _Terminal) -> None:
    from capture.hardware_rig import HardwareRig
    from capture.knob_turner import HandTurner
    from capture.recorder import missing_takes
    from profiler.session_folder import SessionFolder

    if wanted.wiring is None:
        raise GearError("Hardware needs an interface.")
    folder = SessionFolder.create(out, wanted)
    rig = HardwareRig(
        wanted.gear,
        wanted.knobs,
        wanted.wiring,
        sample_rate=wanted.sample_rate,
        turner=HandTurner(asking.turn),
        earlier=lambda: folder.session.takes,
    )
    with folder.writing(), rig:
        missing = missing_takes(folder, plan)
        for number, planned in enumerate(missing):
            _record(folder, rig, planned, asking, label=f"take {number + 1} of {len(missing)}")
    _summary(asking.screen, folder.session, out)


def _record(
    folder: "SessionFolder", rig: "HardwareRig", planned: "PlannedTake", asking: _Terminal, *, label: str
) -> None:
    """Record one take until it passes, or the player keeps it as it is."""
    from capture.recorder import keep_take, play_take
    from profiler.progress import Progress

    while True:
        try:
            with asking.screen.progress(label) as tell:
                played = play_take(rig, planned, on_done=lambda done: tell(Progress(step="capture", done=done)))
        except TakeRejectedError as error:
            if not asking.redo(planned.number, [_rejection(error)]):
                asking.screen.say("A recording whose timing is lost cannot be kept.")
            continue
        findings = _judged(folder, played)
        if any(finding.severity == _BADLY for finding in findings) and asking.redo(planned.number, findings):
            continue
        keep_take(folder, replace(played, findings=(*played.findings, *findings)))
        return


def _rejection(error: TakeRejectedError) -> "Finding":
    from profiler.finding import Finding

    return Finding(kind="rejected", message=str(error), severity="error")


def _judged(folder: "SessionFolder", played: "PlayedTake") -> "tuple[Finding, ...]":
    from capture.take_judge import judge_take
    from profiler.audio import Audio

    number = played.planned.replicate_of
    first = None if number is None else folder.session.take(number)
    if first is None:
        return judge_take(played)
    wet = folder.excerpt(first, 0, played.dry.frames)[1]
    return judge_take(played, repeats=Audio(samples=wet, sample_rate=played.dry.sample_rate))


def _summary(screen: Screen, session: "CaptureSession", out: Path) -> None:
    minutes = sum(take.frames for take in session.takes) / session.sample_rate / 60
    held_out = sum(take.held_out for take in session.takes)
    screen.say(f"{len(session.takes)} takes, {held_out} of them held out, {minutes:.1f} minutes, in {out}")
    findings = [(take.number, finding) for take in session.takes for finding in take.findings]
    for number, finding in findings:
        screen.say(f"take {number}: {finding.message}")
    screen.say("Next: " + shlex.join(["tonecast", "train", str(out), "--out", f"{session.gear.name}.tonecast"]))
    screen.result(
        {
            "session": str(out),
            "takes": len(session.takes),
            "held_out": held_out,
            "audio_seconds": minutes * 60,
            "latency_frames": [take.latency_frames for take in session.takes],
            "send_db": session.wiring and session.wiring.send_db,
            "findings": [{"take": number, "kind": each.kind, "message": each.message} for number, each in findings],
        }
    )
