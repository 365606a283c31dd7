"""Audio interfaces on the command line: which there are, and the options that say how gear hangs on one."""

from typing import TYPE_CHECKING, Annotated

import typer

from profiler.errors import GearError
from tonecast.console import Screen, text_table

if TYPE_CHECKING:
    from profiler.session import Wiring

__all__ = [
    "InputInterface",
    "InterfaceName",
    "Loopback",
    "Return",
    "ReturnDbu",
    "Send",
    "SendDbu",
    "show_interfaces",
    "wired",
]

InterfaceName = Annotated[
    str | None, typer.Option("--interface", metavar="NAME", help="The interface; a part of its name will do.")
]
InputInterface = Annotated[str | None, typer.Option(metavar="NAME", help="Another interface to record through.")]
Send = Annotated[int, typer.Option(help="The output that goes to the gear.", min=1, max=256)]
Return = Annotated[int, typer.Option("--return", help="The input that comes from it.", min=1, max=256)]
Loopback = Annotated[
    int | None, typer.Option(help="An input that is connected to the send by a cable alone.", min=1, max=256)
]
SendDbu = Annotated[float | None, typer.Option(help="What full scale is at the send, in dBu.")]
ReturnDbu = Annotated[float | None, typer.Option(help="What full scale is at the return, in dBu.")]


def show_interfaces(screen: Screen) -> None:
    """Show the interfaces and the MIDI ports of this machine."""
    from capture.interface import list_interfaces

    found = list_interfaces()
    ports = _ports()
    if found:
        rows = ((each.name, each.host, str(each.inputs), str(each.outputs), str(each.default_rate)) for each in found)
        screen.show(text_table(("interface", "driver", "in", "out", "Hz"), rows))
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


def wired(interface: str, input_interface: str | None) -> "Wiring":
    """Return how gear hangs on one interface, or on two, by parts of their names. Raises GearError."""
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
