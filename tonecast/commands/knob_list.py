"""The list of a plugin's knobs: what can be given to `--knob`."""

from typing import TYPE_CHECKING

from tonecast.console import Screen, plain, text_table

if TYPE_CHECKING:
    from profiler.knob import Knob
    from profiler.session import Gear

__all__ = ["knob_span", "show_knobs"]


def show_knobs(screen: Screen, gear: "Gear", patience_seconds: float) -> None:
    """Show every knob of the gear: its id, name, range and default."""
    from capture.gear import chain_of, gear_knobs

    knobs = gear_knobs(gear, patience_seconds=patience_seconds)
    versions = [slot.version for slot in chain_of(gear).slots if slot.version]
    rows = ((knob.id, knob.name, knob_span(knob), knob.spelt(knob.default)) for knob in knobs)
    screen.say(f"{', '.join(versions) or gear.name} has {len(knobs)} knobs.")
    screen.show(text_table(("knob", "name", "range", "default"), rows))
    screen.result({"gear": gear.name, "versions": versions, "knobs": [plain(knob) for knob in knobs]})


def knob_span(knob: "Knob") -> str:
    """Return a range as it is typed, with what there is to know of it."""
    if knob.choices:
        return ", ".join(knob.choices)
    more = [knob.unit, "log" if knob.scale == "log" else "", f"in steps of {knob.step:g}" if knob.step else ""]
    return " ".join((f"{knob.minimum:g}:{knob.maximum:g}", *(word for word in more if word)))
